"""Units are reserved before they are spent, exactly, by any number of processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from scraping.meter import Usage
from socials import quota
from socials.models import Circuit, Connection, QuotaWindow, SyncRun
from tests.conftest import ROOT
from tests.engine.conftest import Stage
from tests.engine.stage import StageSource

pytestmark = pytest.mark.django_db


def reserve(units: int, *, interactive: bool = True) -> quota.Reservation | quota.Refusal:
    return quota.reserve("YOUTUBE", {"stage.units": units}, interactive=interactive)


def used() -> int:
    return quota.levels("YOUTUBE")[0].used


def test_units_are_given_until_the_cap_and_never_beyond(stage: Stage) -> None:
    assert isinstance(reserve(900), quota.Reservation)
    assert isinstance(reserve(101), quota.Refusal)
    assert isinstance(reserve(100), quota.Reservation)
    assert isinstance(reserve(1), quota.Refusal)
    assert used() == 1000


def test_the_day_ends_at_midnight_in_los_angeles(stage: Stage) -> None:
    reserve(1000)
    refusal = reserve(1)
    assert isinstance(refusal, quota.Refusal)
    there = refusal.until.astimezone(ZoneInfo("America/Los_Angeles"))
    assert (there.hour, there.minute, there.second) == (0, 0, 0)
    assert timedelta(0) < refusal.until - timezone.now() <= timedelta(hours=25)


def test_the_schedule_leaves_a_share_to_people(stage: Stage) -> None:
    assert isinstance(reserve(900, interactive=False), quota.Reservation)
    assert isinstance(reserve(1, interactive=False), quota.Refusal)
    assert isinstance(reserve(1), quota.Reservation)


def test_what_was_not_spent_is_given_back(stage: Stage) -> None:
    reservation = reserve(100)
    assert isinstance(reservation, quota.Reservation)
    quota.settle(reservation, {"stage.units": 3})
    assert used() == 3


def test_a_bucket_that_the_platform_calls_empty_is_empty(stage: Stage) -> None:
    reserve(10)
    assert quota.exhaust("YOUTUBE", "stage.units") is not None
    assert isinstance(reserve(1), quota.Refusal)


def test_a_usage_header_is_kept_for_people_to_see(stage: Stage) -> None:
    quota.observe(Usage("meta.app", 87))
    assert QuotaWindow.objects.get(bucket="meta.app").used == 87


def test_a_sync_pays_what_it_spent_and_its_run_says_so(
    stage: Stage, account: Callable[..., Connection], sync: Callable[[Connection], Connection]
) -> None:
    stage.perform(StageSource(units=7))
    stage.says()
    sync(account())
    assert (used(), SyncRun.objects.get().units) == (7, 7)


def test_a_row_that_can_not_be_paid_for_waits_for_the_reset_at_no_cost_of_attempts(
    stage: Stage, account: Callable[..., Connection], loop: Callable[[], None]
) -> None:
    stage.perform(StageSource(units=600, batch_size=10))
    stage.says()
    stage.says("nora")
    account()
    account("nora")
    loop()
    rows = Connection.objects.order_by("sync_status")
    assert [(row.sync_status, row.error_code, row.attempt) for row in rows] == [
        ("PENDING", "QUOTA_EXHAUSTED", 0),
        ("READY", "", 1),
    ]
    assert rows[0].next_attempt_at == quota.levels("YOUTUBE")[0].resets_at


def test_units_that_the_platform_calls_used_up_are_shown_as_used_up(
    stage: Stage, account: Callable[..., Connection], loop: Callable[[], None]
) -> None:
    stage.perform(StageSource(units=7))
    end = quota.levels("YOUTUBE")[0].resets_at
    stage.refuses(402, headers={"x-until": end.isoformat(), "x-bucket": "stage.units"})
    row = account()
    loop()
    row.refresh_from_db()
    assert (row.sync_status, row.error_code) == ("PENDING", "QUOTA_EXHAUSTED")
    level = quota.levels("YOUTUBE")[0]
    assert (level.used, level.resets_at) == (level.limit, row.next_attempt_at)


def test_limits_told_by_headers_close_the_source_until_they_end(stage: Stage) -> None:
    assert not Circuit.objects.exists()
    end = datetime(2030, 1, 1, tzinfo=UTC)
    from socials import breaker

    breaker.block("YOUTUBE", "youtube_data", end, "RATE_LIMITED")
    breaker.block("YOUTUBE", "youtube_data", end - timedelta(hours=1), "RATE_LIMITED")
    gate = breaker.enter("YOUTUBE", "youtube_data", owner="me")
    assert (gate.until, gate.code, gate.probe) == (end, "RATE_LIMITED", False)


SPEND = """
import django; django.setup()
from socials import quota
got = sum(
    isinstance(quota.reserve("YOUTUBE", {"stage.units": 3}, interactive=True), quota.Reservation)
    for _ in range(150)
)
print(got)
"""


@pytest.mark.engine
@pytest.mark.django_db(transaction=True)
def test_four_processes_together_spend_exactly_what_there_is(
    stage: Stage, process_environment: dict[str, Any]
) -> None:
    environment = {**process_environment, "DJANGO_SETTINGS_MODULE": "tests.engine.stage_settings"}
    spenders = [
        subprocess.Popen(
            [sys.executable, "-c", SPEND], cwd=ROOT, env=environment, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    given = sum(int(spender.communicate(timeout=60)[0]) for spender in spenders)
    assert given == 333  # four times 150 tried for 3 of 1000 units
    assert used() == 999
