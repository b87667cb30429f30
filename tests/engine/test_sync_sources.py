"""Several sources for one account, and grants: who answers when another one cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from socials.models import Connection, Grant
from talent.models import Activity
from tests.engine.conftest import Stage
from tests.engine.stage import StageSource, item

pytestmark = pytest.mark.django_db

Account = Callable[..., Connection]
Sync = Callable[[Connection], Connection]


def test_the_next_source_answers_when_the_first_can_not(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource(), StageSource("apify"))
    stage.refuses(404)
    stage.says(source="apify")
    row = sync(account())
    assert (row.sync_status, row.source) == ("READY", "apify")
    assert row.runs.get().calls == 2


def test_a_post_that_two_sources_name_differently_is_kept_once(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource(), StageSource("apify"))
    stage.says(items=[item("178", code="Cabc1", likes=5), item("179", code="Cabc2")])
    row = sync(account())
    known = set(row.posts.values_list("pk", flat=True))
    stage.forget()
    stage.refuses(404)
    stage.says(
        source="apify", items=[item("33_1", code="Cabc1", likes=None), item("33_3", code="Cabc3")]
    )
    row = sync(row)
    assert sorted(row.posts.values_list("external_id", flat=True)) == ["179", "33_1", "33_3"]
    assert known < set(row.posts.values_list("pk", flat=True))
    assert row.posts.get(external_id="33_1").likes == 5


def test_one_post_told_twice_in_one_answer_is_stored_once(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(items=[item("1", code="Cabc1"), item("2", code="Cabc1")])
    row = sync(account())
    assert row.sync_status == "READY"
    assert row.posts.count() == 1


def test_a_post_whose_shared_name_comes_late_is_not_left_double(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(items=[item("178")])
    stage.says(items=[item("33_1", code="Cabc1")])
    stage.says(items=[item("178", code="Cabc1")])
    row = sync(sync(sync(account())))
    assert row.sync_status == "READY"
    assert list(row.posts.values_list("external_id", flat=True)) == ["178"]


def test_an_outage_of_the_first_source_is_not_paid_for_elsewhere(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource(), StageSource("apify"))
    stage.refuses(503)
    stage.says(source="apify")
    assert sync(account()).error_code == "PLATFORM_UNAVAILABLE"
    assert {source for source, _, _ in stage.asked} == {"youtube_data"}


@pytest.mark.parametrize(("status", "code"), [(424, "NOT_CONFIGURED"), (451, "PERMISSION_MISSING")])
def test_an_account_is_not_called_missing_where_the_first_source_could_not_look(
    stage: Stage, account: Account, sync: Sync, status: int, code: str
) -> None:
    stage.perform(StageSource("login", by_grant=True), StageSource("apify"))
    stage.refuses(status, source="login")
    stage.refuses(404, source="apify")
    row = sync(granted(account()))
    assert (row.sync_status, row.error_code, row.connected) == ("ERROR", code, True)


def test_an_account_is_not_called_missing_while_its_permission_waits_to_be_renewed(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("login", by_grant=True), StageSource("apify"))
    stage.refuses(404, source="apify")
    row = granted(account())
    Grant.objects.update(
        expires_at=timezone.now() - timedelta(hours=1),
        refresh_after=timezone.now() + timedelta(minutes=5),
    )
    row = sync(row)
    assert (row.error_code, row.attempt, row.connected) == ("PLATFORM_UNAVAILABLE", 3, True)


def test_ids_of_different_sources_are_not_compared(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource(), StageSource("apify"))
    stage.says(id="official-1")
    row = sync(account())
    stage.forget()
    stage.refuses(404)
    stage.says(id="scraped-9", source="apify")
    row = sync(row)
    assert (row.sync_status, row.external_id) == ("READY", "official-1")


def granted(row: Connection) -> Connection:
    Grant.objects.create(connection=row, access_token="secret", granted_at=timezone.now())
    return row


def test_one_refusal_of_a_grant_is_asked_again_before_it_counts(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("login", by_grant=True))
    stage.refuses(401, source="login")
    stage.says(source="login")
    row = sync(granted(account()))
    assert (row.sync_status, row.connected, row.reauth_doubts) == ("READY", True, 0)


def test_a_second_refusal_of_a_grant_means_reconnect(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("login", by_grant=True))
    stage.refuses(401, source="login")
    row = sync(granted(account()))
    assert (row.sync_status, row.error_code, row.connected) == ("ERROR", "REAUTH_REQUIRED", False)
    assert Activity.objects.filter(action="connection.reauth_required").count() == 1


def test_an_outage_between_two_refusals_is_no_confirmation(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("login", by_grant=True))
    stage.refuses(503, source="login")
    stage.refuses(401, source="login")
    stage.refuses(503, source="login")
    row = sync(granted(account()))
    assert (row.error_code, row.connected) == ("PLATFORM_UNAVAILABLE", True)


def test_numbers_go_on_from_another_source_when_the_grant_is_dead(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("login", by_grant=True), StageSource("apify"))
    stage.refuses(401, source="login")
    stage.says(source="apify")
    row = sync(granted(account()))
    assert (row.sync_status, row.connected, row.error_code) == ("READY", False, "REAUTH_REQUIRED")
    assert (row.partial, row.source) == (["grant"], "apify")


def test_a_source_that_can_read_anybody_goes_on_without_the_dead_grant(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("official"), StageSource("apify"))
    stage.refuses(401, source="official")
    stage.refuses(401, source="official")
    stage.says(source="official")
    row = sync(granted(account()))
    assert (row.sync_status, row.connected, row.error_code) == ("READY", False, "REAUTH_REQUIRED")
    assert (row.partial, row.source) == (["grant"], "official")


def test_a_permission_that_is_missing_is_marked_where_another_source_answers(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("login", by_grant=True), StageSource("apify"))
    stage.refuses(451, source="login")
    stage.says(source="apify")
    row = sync(granted(account()))
    assert (row.sync_status, row.connected, row.error_code) == ("READY", True, "PERMISSION_MISSING")
    assert (row.partial, row.source) == (["grant"], "apify")
    assert row.sync_error
    stage.forget()
    stage.says(source="login")
    row = sync(row)
    assert (row.error_code, row.sync_error, row.partial) == ("", "", [])


def test_a_source_that_can_do_without_the_token_reads_on_when_the_permission_is_missing(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("official", token_will_do=True))
    stage.refuses(451, source="official")
    stage.says(source="official")
    row = sync(granted(account()))
    assert (row.sync_status, row.connected, row.error_code) == ("READY", True, "PERMISSION_MISSING")
    assert row.partial == ["grant"]


def test_a_permission_that_the_agency_s_own_token_misses_is_no_mark_on_the_talent_s(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("discovery"), StageSource("apify"))
    stage.refuses(451, source="discovery")
    stage.says(source="apify")
    row = sync(granted(account()))
    assert (row.sync_status, row.error_code, row.partial) == ("READY", "", [])
    assert [source for source, _, _ in stage.asked] == ["discovery", "apify"]


def test_where_the_grant_was_taken_back_numbers_go_on_and_the_mark_stays(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("login", by_grant=True), StageSource("apify"))
    stage.says(source="apify")
    row = sync(account(connected=False, connection_type="OAUTH"))
    assert (row.sync_status, row.connected, row.error_code) == ("READY", False, "REAUTH_REQUIRED")
    assert row.partial == ["grant"]


def test_where_the_grant_was_taken_back_and_nobody_else_can_read_it_says_reconnect(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("login", by_grant=True))
    row = sync(account(connected=False, connection_type="OAUTH", reauth_doubts=2))
    assert (row.sync_status, row.error_code) == ("ERROR", "REAUTH_REQUIRED")


def test_a_later_good_reading_clears_the_reconnect_mark_by_itself(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.perform(StageSource("login", by_grant=True))
    stage.refuses(401, source="login")
    row = sync(granted(account()))
    stage.forget()
    stage.says(source="login")
    row = sync(row)
    assert (row.sync_status, row.connected, row.error_code) == ("READY", True, "")
    assert row.reauth_doubts == 0
