"""What runs by the clock: written by name, repaired, and never stopped by one broken row."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler

from socials import schedules
from socials.models import Connection, PhotoRun, SyncRun
from socials.sync import retention
from talent.models import Talent

pytestmark = pytest.mark.django_db


def test_every_schedule_names_a_task_that_exists() -> None:
    for plan in schedules.SCHEDULES:
        module, _, name = plan.task.rpartition(".")
        assert callable(getattr(import_module(module), name))


def test_mending_writes_each_schedule_once_and_keeps_its_time() -> None:
    schedules.mend()
    before = dict(Schedule.objects.values_list("name", "next_run"))
    schedules.mend()
    assert dict(Schedule.objects.values_list("name", "next_run")) == before
    assert len(before) == len(schedules.SCHEDULES)


def test_mending_repairs_what_somebody_broke_and_drops_what_is_no_more() -> None:
    schedules.mend()
    Schedule.objects.filter(func="socials.tasks.plan_refreshes").update(args="(((")
    Schedule.objects.create(name="greenroom: of an older version", func="socials.tasks.gone")
    schedules.mend()
    assert not Schedule.objects.filter(args="(((").exists()
    assert Schedule.objects.count() == len(schedules.SCHEDULES)


@pytest.mark.parametrize("years", [None, -3, 3], ids=["no time", "long ago", "far ahead"])
def test_mending_corrects_times_that_a_wrong_clock_or_a_standstill_left(years: int | None) -> None:
    schedules.mend()
    now = timezone.now()
    Schedule.objects.update(next_run=years and now + timedelta(days=365 * years))
    schedules.mend()
    for plan in schedules.SCHEDULES:
        wait = Schedule.objects.get(name=schedules.PREFIX + plan.name).next_run - now
        assert timedelta(0) <= wait <= timedelta(days=plan.daily_at is not None, seconds=5), plan


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "broken",
    [
        {"func": "socials.tasks.sync_due", "args": "((("},
        {"func": "no.such.task"},
        {"func": "socials.tasks.sync_due", "schedule_type": Schedule.CRON, "cron": "nonsense"},
    ],
)
def test_one_broken_row_of_somebody_else_does_not_stop_ours(broken: dict[str, str]) -> None:
    long_ago = timezone.now() - timedelta(days=1)
    Schedule(name="a broken one", next_run=long_ago, **broken).save_base(raw=True)
    schedules.mend()
    Schedule.objects.filter(name__startswith=schedules.PREFIX).update(next_run=long_ago)
    scheduler()
    assert OrmQ.objects.count() == len(schedules.SCHEDULES)


def test_runs_are_kept_for_ninety_days(jane: Talent) -> None:
    row = Connection.objects.create(
        talent=jane, platform="YOUTUBE", handle="jane", handle_key="jane",
        profile_url="https://www.youtube.com/@jane", sync_status="READY",
    )  # fmt: skip
    for days in (1, 89, 91):
        ended = timezone.now() - timedelta(days=days)
        SyncRun.objects.create(
            connection=row, platform="YOUTUBE", trigger="manual", sync_version=1, attempt=1,
            started_at=ended, finished_at=ended, duration_ms=0, outcome="ready",
        )  # fmt: skip
        looked = PhotoRun.objects.create(talent_id=jane.pk, outcome="successful")
        PhotoRun.objects.filter(pk=looked.pk).update(at=ended)
    assert retention.forget_old_runs() == 2
    assert SyncRun.objects.count() == PhotoRun.objects.count() == 2
