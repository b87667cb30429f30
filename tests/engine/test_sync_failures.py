"""What each failure means for a row: another attempt, a wait, or an error that says why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.utils import timezone
from werkzeug import Response

from socials import connections
from socials.models import Connection, Outcome, Post, Profile, SyncRun
from socials.sync.engine import Loop
from tests.engine.conftest import Stage
from tests.engine.stage import StageSource

pytestmark = pytest.mark.django_db

Account = Callable[..., Connection]
Sync = Callable[[Connection], Connection]


def outcomes(row: Connection) -> list[tuple[str, str, int]]:
    runs = SyncRun.objects.filter(connection=row).order_by("id")
    return list(runs.values_list("outcome", "error_code", "attempt"))


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


@pytest.mark.parametrize("status", [429, 503])
def test_a_limit_that_is_over_already_costs_attempts_and_comes_to_an_end(
    status: int, stage: Stage, account: Account, sync: Sync
) -> None:
    past = timezone.now() - timedelta(seconds=1)
    stage.refuses(status, headers={"x-until": past.isoformat()})
    row = sync(account())
    assert (row.sync_status, row.attempt, len(stage.asked)) == ("ERROR", 3, 3)
