"""What runs by the clock: one line each, written to django-q2's table by name."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import structlog
from django.utils import timezone
from django_q.models import Schedule

log = structlog.get_logger(__name__)

PREFIX = "greenroom: "
STANDSTILL = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """A task, how often it runs, and for daily ones at which hour (UTC)."""

    name: str
    task: str
    minutes: int = 1
    daily_at: int | None = None
    args: tuple[Any, ...] = field(default=())

    @property
    def columns(self) -> dict[str, Any]:
        daily = self.daily_at is not None
        return {
            "func": self.task,
            "args": repr(self.args) if self.args else None,
            "kwargs": None,
            "hook": None,
            "cluster": None,
            "schedule_type": Schedule.DAILY if daily else Schedule.MINUTES,
            "minutes": None if daily else self.minutes,
            "repeats": -1,
        }

    def is_lost(self, next_run: datetime | None, now: datetime) -> bool:
        """Whether the time of its next run can't be right: none, or one that a wrong clock wrote.

        A long standstill counts too: django-q2 would walk through every minute of it.
        """
        if next_run is None:
            return True
        period = timedelta(minutes=self.minutes) if self.daily_at is None else timedelta(days=1)
        return not now - max(period, STANDSTILL) <= next_run <= now + period + timedelta(minutes=1)

    def first_run(self, now: datetime) -> datetime:
        if self.daily_at is None:
            return now
        at = now.replace(hour=self.daily_at, minute=0, second=0, microsecond=0)
        return at if at > now else at + timedelta(days=1)


SCHEDULES = [
    Plan("plan refreshes", "socials.tasks.plan_refreshes"),
    Plan("rescue what lost workers held", "socials.tasks.rescue_lost"),
    Plan("rescue lost profile scrapes", "talent.tasks.rescue_scrapes", minutes=2),
    Plan("settle what scrapes have cost", "scraping.tasks.settle_costs", minutes=2),
    Plan("wake the sync", "socials.tasks.sync_due"),
    Plan("refresh grants", "socials.tasks.refresh_grants", minutes=5),
    Plan("forget what nobody answered", "socials.tasks.forget_unanswered", minutes=5),
    Plan("tell of grants that end", "socials.tasks.send_notices", minutes=30),
    Plan("give grants back", "socials.tasks.revoke_given_up", minutes=15),
    Plan("renew YouTube push", "socials.tasks.renew_push", minutes=10),
    Plan("refresh photos", "socials.tasks.refresh_all_photos", daily_at=2),
    Plan("tend batches", "socials.tasks.tend_batches"),
    Plan("tend imports", "socials.tasks.tend_imports", minutes=2),
    Plan("watch for lasting troubles", "socials.tasks.watch"),
    Plan("deliver webhooks", "socials.tasks.deliver_webhooks"),
    Plan("forget old deliveries", "socials.tasks.forget_old_deliveries", daily_at=3),
    Plan("sweep photos", "socials.tasks.sweep_photos", daily_at=4),
    Plan("sweep thumbnails", "socials.tasks.sweep_thumbnails", daily_at=4),
    Plan("forget old runs", "socials.tasks.forget_old_runs", daily_at=3),
    Plan("forget stale data", "socials.tasks.forget_stale_data", daily_at=4),
]


def mend() -> bool:
    """Bring the table in line with ``SCHEDULES``, and put aside any row that would stop the rest.

    django-q2 runs all schedules in one go: a single row that it can't read ends the round.
    """
    wanted = {PREFIX + plan.name: plan for plan in SCHEDULES}
    rows = {row.name: row for row in Schedule.objects.filter(name__startswith=PREFIX)}
    now = timezone.now()
    for name, plan in wanted.items():
        row = rows.get(name)
        afresh = {**plan.columns, "next_run": plan.first_run(now)}
        if row is None:
            Schedule.objects.update_or_create(name=name, defaults=afresh)
        elif plan.is_lost(row.next_run, now) or any(
            getattr(row, column) != value for column, value in plan.columns.items()
        ):
            Schedule.objects.filter(pk=row.pk).update(**afresh)
    Schedule.objects.filter(name__startswith=PREFIX).exclude(name__in=wanted).delete()
    for row in Schedule.objects.exclude(repeats=0).exclude(name__startswith=PREFIX):
        if reason := fault(row):
            Schedule.objects.filter(pk=row.pk).update(repeats=0)
            log.error("schedule.put_aside", schedule=row.name or row.pk, reason=reason)
    return True


def fault(row: Schedule) -> str:
    """Why django-q2 could not run this schedule; empty when it can."""
    try:
        if row.args:
            ast.literal_eval(row.args)
        if row.next_run is None:
            return "it has no time"
        if row.schedule_type != Schedule.ONCE:
            row.calculate_next_run(row.next_run)
        module, _, name = row.func.rpartition(".")
        getattr(import_module(module), name)
    except (ValueError, SyntaxError, TypeError, ImportError, AttributeError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return ""
