"""The planner: what is due, what the budget covers, and who goes first when it does not cover all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from scraping.meter import Usage
from socials import quota
from socials.models import Connection, Profile, QuotaWindow, SyncRun
from socials.platforms.kit.platform import Window
from socials.sync import planner
from tests.engine.conftest import Stage
from tests.engine.stage import StageSource

pytestmark = pytest.mark.django_db
Account = Callable[..., Connection]


@pytest.fixture
def due(account: Account) -> Callable[..., Connection]:
    """An account whose refresh is due for so many hours."""

    def connect(handle: str, *, hours: float = 0, followers: int = 0) -> Connection:
        row = account(
            handle,
            sync_status="READY",
            next_attempt_at=None,
            next_refresh_at=timezone.now() - timedelta(hours=hours),
        )
        Profile.objects.create(
            connection=row, followers=followers, source="x", fetched_at=timezone.now()
        )
        return row

    return connect


def queued() -> list[str]:
    rows = Connection.objects.filter(sync_status="PENDING").order_by("handle")
    return list(rows.values_list("handle", flat=True))


def ran(row: Connection, *, times: int, source: str = "youtube_data") -> None:
    now = timezone.now()
    run = {
        "platform": "YOUTUBE", "trigger": "schedule", "sync_version": 1, "attempt": 1,
        "started_at": now, "finished_at": now, "duration_ms": 1, "outcome": "ready",
        "source": source,
    }  # fmt: skip
    SyncRun.objects.bulk_create(SyncRun(connection=row, **run) for _ in range(times))


def spent(units: int) -> None:
    level = quota.levels("YOUTUBE")[0]
    QuotaWindow.objects.create(
        bucket="stage.units", used=units, cap=1000, ends_at=level.resets_at,
        starts_at=level.resets_at - timedelta(hours=1),
    )  # fmt: skip


def test_no_more_is_queued_than_the_budget_covers(stage: Stage, due: Account) -> None:
    stage.perform(StageSource(units=300), window=Window.HOUR)
    for name in ("ada1", "ben2", "cleo3", "dora4"):
        due(name)
    assert planner.queue_due("YOUTUBE") == 3  # 900 of 1000 units are the schedule's


def test_the_price_of_a_sync_is_learnt_from_those_that_were_made(
    stage: Stage, due: Account
) -> None:
    stage.perform(StageSource(units=300), window=Window.HOUR)
    row, *_ = [due(f"maya{number}") for number in range(9)]
    spent(200)
    assert planner.queue_due("YOUTUBE") == 2  # 700 units are left, a sync may take 300
    ran(row, times=quota.LEARNT_FROM - 1)
    assert planner.queue_due("YOUTUBE") == 2
    ran(row, times=1)
    assert planner.queue_due("YOUTUBE") == 5  # a sync took 2: all that are left


def test_a_price_that_very_many_syncs_tell_is_not_asked_for_again_at_once(
    stage: Stage, due: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "MANY", 10)
    stage.perform(StageSource(units=300), window=Window.HOUR)
    row = due("maya")
    spent(200)
    for _ in range(2):
        ran(row, times=quota.LEARNT_FROM)
        assert quota.learnt_price("YOUTUBE", "youtube_data") == {"stage.units": 2.0}


def test_the_forecast_says_how_many_accounts_the_quota_keeps_fresh(
    stage: Stage, settings: Any
) -> None:
    stage.perform(StageSource(units=9), window=Window.HOUR)
    assert planner.covered("YOUTUBE") == 90  # 900 units an hour, refreshed every 54 minutes
    settings.FRESHNESS_MINUTES = {"YOUTUBE": 120}
    assert planner.covered("YOUTUBE") == 180
    stage.perform(StageSource(units=0))
    assert planner.covered("YOUTUBE") is None


def test_when_the_budget_is_short_the_watched_go_before_those_that_are_a_little_staler(
    stage: Stage, due: Account
) -> None:
    stage.perform(StageSource(units=450), window=Window.HOUR)
    due("quiet", hours=1.0, followers=20)
    due("famous", hours=0.8, followers=4_000_000)
    due("forgotten", hours=60, followers=20)
    due("new", hours=0, followers=100)
    assert planner.queue_due("YOUTUBE") == 2
    assert queued() == ["famous", "forgotten"]


def test_when_the_budget_covers_all_the_most_stale_goes_first(stage: Stage, due: Account) -> None:
    due("quiet", hours=1.0, followers=20)
    due("famous", hours=0.8, followers=4_000_000)
    assert planner.queue_due("YOUTUBE", limit=1) == 1
    assert queued() == ["quiet"]


def test_a_day_that_is_too_short_is_spent_evenly_over_its_hours(stage: Stage, due: Account) -> None:
    stage.perform(StageSource(units=9))  # 100 syncs a day, 26 for each account
    for number in range(30):
        due(f"maya{number}")
    level = quota.levels("YOUTUBE")[0]
    until_now = int(900 * min(1.0, level.elapsed + planner.AHEAD) / 9)
    assert planner.queue_due("YOUTUBE") == pytest.approx(min(30, until_now), abs=1)


def test_a_limit_that_headers_call_nearly_used_up_is_left_to_people(
    stage: Stage, due: Account
) -> None:
    due("maya")
    quota.observe(Usage("youtube.app", planner.WEARY_PERCENT))
    assert planner.queue_due("YOUTUBE") == 0
    quota.observe(Usage("youtube.app", planner.WEARY_PERCENT - 1))
    assert planner.queue_due("YOUTUBE") == 1


def test_a_platform_has_its_own_target_and_an_account_too(
    stage: Stage, account: Account, sync: Callable[[Connection], Connection], settings: Any
) -> None:
    settings.FRESHNESS_MINUTES = {"YOUTUBE": 240}
    stage.says()
    row = sync(account())
    assert minutes_to_refresh(row) == pytest.approx(216, abs=13)
    Connection.objects.update(freshness_minutes=20)
    assert minutes_to_refresh(sync(row)) == pytest.approx(18, abs=2)


def minutes_to_refresh(row: Connection) -> float:
    assert row.next_refresh_at is not None
    assert row.last_synced_at is not None
    return (row.next_refresh_at - row.last_synced_at).total_seconds() / 60


@pytest.mark.parametrize("years", [-3, 3])
def test_a_worker_whose_clock_is_wrong_does_no_harm(
    stage: Stage, account: Account, sync: Callable[[Connection], Connection], years: int
) -> None:
    stage.says(items=[{"id": "a"}])
    row = account()
    with time_machine.travel(datetime.now().astimezone() + timedelta(days=365 * years)):
        row = sync(row)
        assert planner.queue_due("YOUTUBE") == 0
    assert row.sync_status == "READY"
    assert abs((timezone.now() - row.last_synced_at).total_seconds()) < 60
    assert 50 < minutes_to_refresh(row) < 60
    assert not Connection.objects.expired().exists()
