"""One sync from claim to READY or ERROR: what is asked, what is stored, and what a failure means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import OrmQ
from werkzeug import Response

from scraping.meter import RunReport
from socials import connections
from socials.models import Connection, Grant, Outcome, Post, Profile, Snapshot, SyncRun, Trigger
from socials.platforms.kit.platform import Outcome as Answered
from socials.sync import planner
from socials.sync.engine import Loop
from socials.types import Ask, Context
from talent.models import Activity
from tests.engine.conftest import Stage
from tests.engine.stage import StageSource

pytestmark = pytest.mark.django_db

Account = Callable[..., Connection]
Sync = Callable[[Connection], Connection]


def item(name: str, **told: Any) -> dict[str, Any]:
    return {"id": name, "at": "2026-11-20T10:00:00Z", "likes": 10, "views": 100, **told}


def outcomes(row: Connection) -> list[tuple[str, str, int]]:
    runs = SyncRun.objects.filter(connection=row).order_by("id")
    return list(runs.values_list("outcome", "error_code", "attempt"))


# --- a good reading ---


def test_a_sync_stores_profile_posts_a_point_of_history_and_its_run(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(name="Maya", items=[item("a"), item("b", comments=3)])
    row = sync(account())
    assert (row.sync_status, row.attempt, row.external_id) == ("READY", 1, "UCmaya")
    assert (row.profile.followers, row.profile.display_name) == (1000, "Maya")
    assert row.profile.quality == {"followers": "exact", "posts": "exact"}
    assert row.profile.provenance["followers"]["source"] == "youtube_data"
    assert row.posts.count() == 2
    point = row.snapshots.get()
    assert (point.followers, point.engagement_rate) == (1000, pytest.approx(11.5))
    run = row.runs.get()
    assert (run.outcome, run.calls, run.posts_new, run.trigger) == ("ready", 1, 2, "connect")
    assert row.next_refresh_at - row.last_synced_at < timedelta(hours=1)


def test_the_same_answer_again_rewrites_no_post(stage: Stage, account: Account, sync: Sync) -> None:
    stage.says(items=[item("a"), item("b")])
    row = sync(account())
    before = dict(row.posts.values_list("external_id", "fetched_at"))
    row = sync(row)
    assert dict(row.posts.values_list("external_id", "fetched_at")) == before
    assert row.snapshots.count() == 1


def test_a_changed_post_is_updated_and_never_doubled(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(items=[item("a", likes=1)])
    stage.says(items=[item("a", likes=2), item("a", likes=2)])
    row = sync(sync(account()))
    assert list(row.posts.values_list("external_id", "likes")) == [("a", 2)]


def test_null_absent_and_empty_never_replace_what_is_stored(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(bio="Food", avatar="https://a.example/1.jpg", items=[item("a", caption="Hi")])
    stage.says(followers=None, bio="", avatar=None, items=[item("a", likes=None, caption="")])
    row = sync(sync(account()))
    profile, post = row.profile, row.posts.get()
    assert (profile.followers, profile.bio) == (1000, "Food")
    assert profile.avatar_url == "https://a.example/1.jpg"
    assert (post.likes, post.caption, post.quality["likes"]) == (10, "Hi", "exact")


def test_a_number_that_was_not_read_leaves_a_gap_in_history(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says()
    row = sync(account())
    Snapshot.objects.update(date=timezone.now().date() - timedelta(days=1))
    stage.forget()
    stage.says(followers=None)
    sync(row)
    today = Snapshot.objects.order_by("-date")[0]
    assert (today.followers, Profile.objects.get().followers) == (None, 1000)


def test_text_that_the_database_can_not_hold_is_mended_and_not_lost(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(name="Ma\ud83dya", items=[item("a", caption="lone \udfff surrogate")])
    row = sync(account())
    assert (row.sync_status, row.profile.display_name) == ("READY", "Ma\N{REPLACEMENT CHARACTER}ya")


def test_what_could_not_be_read_is_named_and_the_rest_stands(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(partial=["insights"], items=[item("a")])
    row = sync(account())
    assert (row.sync_status, row.partial, row.posts.count()) == ("READY", ["insights"], 1)


def test_a_post_that_is_gone_is_marked_and_unmarked_when_it_is_back(
    stage: Stage, account: Account, sync: Sync
) -> None:
    since = "2026-01-01T00:00:00Z"
    everything = [item("a"), item("b"), item("c")]
    stage.says(items=everything, since=since)
    stage.says(items=everything[:2], since=since)
    stage.says(items=everything, since=since)
    row = sync(sync(account()))
    assert set(
        Post.objects.filter(deleted_at__isnull=False).values_list("external_id", flat=True)
    ) == {"c"}
    sync(row)
    assert not Post.objects.filter(deleted_at__isnull=False).exists()


def test_nothing_is_said_of_posts_before_the_listed_span(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(items=[item("old", at="2025-01-01T00:00:00Z"), item("new")])
    stage.says(items=[item("new")], since="2026-01-01T00:00:00Z")
    row = sync(sync(account()))
    assert not row.posts.filter(deleted_at__isnull=False).exists()


def test_a_scheduled_sync_reads_cheaply_and_asks_for_the_metrics_that_are_due(
    stage: Stage, account: Account, sync: Sync, loop: Callable[[], None]
) -> None:
    stage.says(items=[item("a")])
    row = sync(account())
    Connection.objects.update(next_refresh_at=Now())
    assert planner.queue_due("YOUTUBE") == 1
    loop()
    assert [query["depth"] for _, _, query in stage.asked] == ["full", "cheap"]
    assert list(row.runs.order_by("id").values_list("trigger", flat=True)) == [
        "connect",
        "schedule",
    ]
    row.refresh_from_db()
    assert row.sync_status == "READY"


# --- doubtful numbers ---


def test_a_fall_of_more_than_half_waits_for_a_second_reading_that_agrees(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(followers=1000)
    stage.says(followers=400)
    row = sync(sync(account()))
    assert (row.profile.followers, row.partial) == (1000, ["followers"])
    assert row.held_reading == {"followers": 400}
    assert row.snapshots.get().followers == 1000
    assert row.next_refresh_at - row.last_synced_at <= timedelta(minutes=5)
    row = sync(row)
    assert (row.profile.followers, row.partial, row.held_reading) == (400, [], None)


def test_a_fall_that_the_second_reading_denies_leaves_no_trace(
    stage: Stage, account: Account, sync: Sync
) -> None:
    for followers in (1000, 0, 1010):
        stage.says(followers=followers)
    row = sync(sync(sync(account())))
    assert (row.profile.followers, row.held_reading, row.partial) == (1010, None, [])


def test_an_empty_listing_does_not_mark_every_post_deleted_at_once(
    stage: Stage, account: Account, sync: Sync
) -> None:
    since = "2026-01-01T00:00:00Z"
    stage.says(items=[item("a"), item("b"), item("c")], since=since)
    stage.says(items=[], since=since)
    row = sync(sync(account()))
    assert not row.posts.filter(deleted_at__isnull=False).exists()
    row = sync(row)
    assert row.posts.filter(deleted_at__isnull=False).count() == 3


# --- failures ---


def test_a_fault_is_tried_three_times_and_then_says_why(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.refuses(503)
    row = sync(account())
    assert (row.sync_status, row.error_code, row.attempt) == ("ERROR", "PLATFORM_UNAVAILABLE", 3)
    assert "YouTube isn't answering" in row.sync_error
    assert outcomes(row) == [
        ("retry", "PLATFORM_UNAVAILABLE", 1),
        ("retry", "PLATFORM_UNAVAILABLE", 2),
        ("error", "PLATFORM_UNAVAILABLE", 3),
    ]
    assert list(row.runs.order_by("id").values_list("trigger", flat=True)) == [
        "connect",
        "retry",
        "retry",
    ]
    assert row.next_refresh_at is not None


def test_a_fault_that_passes_ends_ready(stage: Stage, account: Account, sync: Sync) -> None:
    stage.refuses(503)
    stage.refuses(503)
    stage.says()
    row = sync(account())
    assert (row.sync_status, row.attempt, row.error_code, row.sync_error) == ("READY", 3, "", "")


@pytest.mark.parametrize(
    ("status", "code"), [(404, "NOT_FOUND"), (403, "BLOCKED"), (424, "NOT_CONFIGURED")]
)
def test_what_no_retry_can_mend_is_an_error_at_once(
    stage: Stage, account: Account, sync: Sync, status: int, code: str
) -> None:
    stage.refuses(status)
    row = sync(account())
    assert (row.sync_status, row.error_code, row.attempt) == ("ERROR", code, 1)


def test_an_unparsable_answer_is_a_fault_of_the_moment(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.answers("maya", Response("<html>"))
    assert sync(account()).error_code == "BAD_RESPONSE"


def test_a_defect_of_an_adapter_is_internal_and_harms_no_other_row(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.refuses(418)
    stage.says("nora")
    broken, fine = account(), account("nora")
    assert sync(broken).error_code == "INTERNAL"
    assert Connection.objects.get(pk=fine.pk).sync_status == "READY"


def test_a_reading_that_can_not_be_stored_is_internal_and_harms_no_other_row(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(partial=["x"], posts=1, items=[{"id": "a", "at": "2026-11-20T10:00:00Z"}])
    stage.says("nora")
    broken, fine = account(), account("nora")
    with database.cursor() as cursor:  # stands for whatever the table refuses
        cursor.execute(
            "ALTER TABLE socials_post ADD CONSTRAINT no_a CHECK (external_id <> 'a') NOT VALID"
        )
    assert sync(broken).error_code == "INTERNAL"
    assert Connection.objects.get(pk=fine.pk).sync_status == "READY"
    assert not Profile.objects.filter(connection=broken).exists()


def test_retry_after_wins_over_our_own_delays(
    stage: Stage, account: Account, loop: Callable[[], None]
) -> None:
    end = (timezone.now() + timedelta(minutes=2)).replace(microsecond=0)
    stage.refuses(503, headers={"x-until": end.isoformat()})
    row = account()
    loop()
    row.refresh_from_db()
    assert (row.sync_status, row.attempt, row.next_attempt_at) == ("PENDING", 1, end)


def test_a_limit_with_a_known_end_costs_no_attempt(
    stage: Stage, account: Account, loop: Callable[[], None]
) -> None:
    end = (timezone.now() + timedelta(minutes=2)).replace(microsecond=0)
    stage.refuses(429, headers={"x-until": end.isoformat()})
    row = account()
    loop()
    row.refresh_from_db()
    assert (row.sync_status, row.error_code) == ("PENDING", "RATE_LIMITED")
    assert (row.attempt, row.next_attempt_at) == (0, end)


def test_a_limit_without_an_end_is_an_ordinary_failed_attempt(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.refuses(429)
    row = sync(account())
    assert (row.sync_status, row.error_code, row.attempt) == ("ERROR", "RATE_LIMITED", 3)


@pytest.mark.parametrize(("status", "code"), [(429, "RATE_LIMITED"), (402, "QUOTA_EXHAUSTED")])
def test_a_limit_of_the_whole_source_holds_every_row_of_it(
    stage: Stage, account: Account, loop: Callable[[], None], status: int, code: str
) -> None:
    end = (timezone.now() + timedelta(minutes=2)).replace(microsecond=0)
    stage.refuses(status, headers={"x-until": end.isoformat(), "x-bucket": "stage.app"})
    stage.says("nora")
    account()
    loop()
    other = account("nora")
    loop()
    other.refresh_from_db()
    assert (other.sync_status, other.error_code, other.next_attempt_at) == (
        "PENDING",
        code,
        end,
    )
    assert [handle for _, handle, _ in stage.asked] == ["maya"]


def test_a_missing_setting_is_named(
    stage: Stage, account: Account, sync: Sync, settings: Any
) -> None:
    settings.PLATFORM_SETTINGS = {**settings.PLATFORM_SETTINGS, "YOUTUBE_API_KEY": ""}
    row = sync(account())
    assert (row.sync_status, row.error_code) == ("ERROR", "NOT_CONFIGURED")
    assert "YOUTUBE_API_KEY" in row.sync_error
    assert stage.asked == []


def test_an_order_that_leaves_out_who_could_answer_is_named(
    stage: Stage, account: Account, sync: Sync, settings: Any
) -> None:
    stage.perform(StageSource("login", by_grant=True), StageSource("apify"))
    settings.YOUTUBE_SOURCES = ["login"]
    row = sync(account())
    assert (row.sync_status, row.error_code) == ("ERROR", "NOT_CONFIGURED")
    assert "YOUTUBE_SOURCES names no source" in row.sync_error
    assert "Those are: apify." in row.sync_error


def test_a_reading_that_arrives_after_the_row_was_deleted_brings_nothing_back(
    stage: Stage, account: Account, loop: Callable[[], None]
) -> None:
    row = account()

    def delete_meanwhile() -> Response:
        return Response('{"id": "UCmaya", "handle": "maya", "items": [{"id": "a"}]}')

    stage.answers("maya", delete_meanwhile)
    work = Loop()
    work._claim()
    connections.disconnect(row.pk)
    finish(work)
    assert not Connection.objects.exists()
    assert not Post.objects.exists()
    assert not SyncRun.objects.exists()


def test_a_result_after_the_lease_is_dropped_and_recorded(
    stage: Stage, account: Account, loop: Callable[[], None]
) -> None:
    stage.says(followers=1)
    row = account()
    late = Loop()
    late.owner = "late"
    late._claim()
    Connection.objects.update(lease_expires_at=Now() - timedelta(seconds=1))
    stage.forget()
    stage.says(followers=2)
    loop()
    finish(late)
    row.refresh_from_db()
    assert (row.sync_status, row.profile.followers) == ("READY", 2)
    assert [outcome for outcome, _, _ in outcomes(row)] == [
        Outcome.RETRY,
        Outcome.READY,
        Outcome.SUPERSEDED,
    ]


def finish(work: Loop) -> None:
    while work._busy():
        work._wait()


# --- who is it? ---


def test_a_renamed_account_keeps_its_history_and_shows_its_new_handle(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says()
    row = sync(account())
    stage.forget()
    stage.says(id="UCmaya", handle="mayacooks")
    row = sync(row)
    assert (row.handle, row.sync_status, row.posts.count()) == ("mayacooks", "READY", 0)
    assert row.profile_url.endswith("/@mayacooks")
    assert (
        Activity.objects.filter(action="connection.renamed", talent_id=row.talent_id).count() == 1
    )


def test_a_handle_that_belongs_to_somebody_else_stops_the_sync(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(followers=1000)
    stage.says(id="UCsomebody", followers=5)
    row = sync(sync(account()))
    assert (row.sync_status, row.error_code) == ("ERROR", "IDENTITY_CHANGED")
    assert (row.profile.followers, row.next_refresh_at) == (1000, None)


def test_the_same_account_under_two_handles_is_told_and_not_stored_twice(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says("maya")
    stage.says("mayatwo", id="UCmaya", handle="maya")
    sync(account())
    twin = sync(account("mayatwo"))
    assert (twin.sync_status, twin.error_code) == ("ERROR", "INVALID_HANDLE")
    assert "@maya" in twin.sync_error


# --- several sources, and grants ---


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


def test_a_new_picture_has_the_photo_looked_at_and_the_same_one_has_not(
    stage: Stage, account: Account, sync: Sync
) -> None:
    for address in ("1.jpg?sig=a", "1.jpg?sig=b", "2.jpg?sig=c"):
        stage.says(avatar=f"https://cdn.example/{address}")
    row = account()
    looked = []
    for _ in range(3):
        row = sync(row)
        jobs = [job.task["func"] for job in OrmQ.objects.all()]
        looked.append(jobs.count("socials.tasks.refresh_photos"))
    assert looked == [1, 1, 2]


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


def test_a_trigger_names_why_a_sync_ran(stage: Stage, account: Account, sync: Sync) -> None:
    stage.says()
    row = sync(sync(account()))
    assert list(row.runs.order_by("id").values_list("trigger", flat=True)) == [
        Trigger.CONNECT,
        Trigger.MANUAL,
    ]


# --- numbers and tales that make no sense ---


def test_the_largest_counts_there_can_be_are_stored_and_their_engagement_is_a_number(
    stage: Stage, account: Account, sync: Sync
) -> None:
    most = 2**63 - 1
    posted = timezone.now().isoformat()
    items = [item(name, at=posted, likes=most, comments=most, views=most) for name in "abc"]
    stage.says(followers=most, posts=most, items=items)
    row = sync(account())
    assert (row.sync_status, row.error_code) == ("READY", "")
    assert row.snapshots.get().engagement_rate == pytest.approx(200)


class Tattler(StageSource):
    """Tells of a run and of a limit that no column can hold."""

    def read_many(self, asks: Sequence[Ask], context: Context) -> Iterator[Answered]:
        now = timezone.now()
        context.meter.report(
            RunReport(
                provider="apify", platform="YOUTUBE", actor="a~b", started_at=now, finished_at=now,
                outcome="succeeded", cost_usd=Decimal(10) ** 30,
            )
        )  # fmt: skip
        yield from super().read_many(asks, context)


def test_a_cost_that_cant_be_written_down_stops_neither_this_account_nor_the_others(
    stage: Stage, account: Account, loop: Callable[[], None]
) -> None:
    stage.perform(Tattler(units=1))
    rows = [account(name) for name in ("maya", "noor")]
    for row in rows:
        stage.says(row.handle)
    loop()
    assert [Connection.objects.get(pk=row.pk).sync_status for row in rows] == ["READY", "READY"]


@pytest.mark.parametrize("trap", ["javascript:alert(1)", " data:text/html,x", "//evil.example/x"])
def test_only_web_addresses_are_kept_of_what_a_platform_tells(
    trap: str, stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(avatar=trap, items=[item("a", url=trap)])
    row = sync(account())
    assert (row.sync_status, row.profile.avatar_url, row.posts.get().url) == ("READY", "", "")


@pytest.mark.parametrize("status", [429, 503])
def test_a_limit_that_is_over_already_costs_attempts_and_comes_to_an_end(
    status: int, stage: Stage, account: Account, sync: Sync
) -> None:
    past = timezone.now() - timedelta(seconds=1)
    stage.refuses(status, headers={"x-until": past.isoformat()})
    row = sync(account())
    assert (row.sync_status, row.attempt, len(stage.asked)) == ("ERROR", 3, 3)
