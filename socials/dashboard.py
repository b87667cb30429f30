"""How the syncs are doing as a whole: depth, pace, freshness, quotas, workers, failures by cause.

Every answer is read from the rows themselves, in a fixed number of queries.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection as database
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from socials import attempts, handles, platforms, quota
from socials.errors import CAUSES, Cause
from socials.line import PACE
from socials.models import Circuit, Connection, SyncRun, SyncStatus, Worker
from socials.sync import planner

GONE: Final = timedelta(minutes=10)
"""A worker that gave no sign for so long is no longer listed."""


@dataclass(frozen=True, slots=True)
class QuotaLevel:
    """The fullest bucket of a platform: units, or percent where only a usage header tells it."""

    used: int
    limit: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Freshness:
    """Accounts of active talents against their target age."""

    target: int
    """Minutes; an account or talent may have its own."""
    within_target: int
    stale: int
    """Older than their target, or never read."""
    covered: int | None = None
    """Accounts that the quota can keep within their target; null: as many as there are."""

    @property
    def total(self) -> int:
        return self.within_target + self.stale


@dataclass(frozen=True, slots=True)
class PlatformStats:
    pending: int
    syncing: int
    error: int
    circuit: str
    """The worst of its sources' circuits."""
    quota: QuotaLevel | None
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class QueueStats:
    pending: int
    syncing: int
    error: int
    oldest_pending_seconds: float | None
    """How long the row that is due for longest has waited; null when none is due."""
    throughput_per_minute: float
    """Syncs that ended, over the last five minutes."""
    succeeded_24h: int
    failed_24h: int
    success_rate_24h: float | None
    """Percent of the syncs that ended; null when none did."""
    p50_seconds: float | None
    """Of successful attempts of the last 24 hours, from start to stored."""
    p95_seconds: float | None
    workers: list[Worker]
    platforms: dict[str, PlatformStats]
    errors_by_cause: dict[str, int]


def queue_stats() -> QueueStats:
    """The whole queue at this moment."""
    by_platform = {row["platform"]: row for row in _rows_by_platform()}
    day = attempts.day()
    circuits = _circuits()
    ended = day.ready + day.failed
    waits = [row["oldest"] for row in by_platform.values() if row["oldest"] is not None]
    now = timezone.now()
    return QueueStats(
        pending=_sum(by_platform, "pending"),
        syncing=_sum(by_platform, "syncing"),
        error=_sum(by_platform, "error"),
        oldest_pending_seconds=max(0.0, (now - min(waits)).total_seconds()) if waits else None,
        throughput_per_minute=round(_ended_lately() / (PACE.total_seconds() / 60), 2),
        succeeded_24h=day.ready,
        failed_24h=day.failed,
        success_rate_24h=round(day.ready / ended * 100, 2) if ended else None,
        p50_seconds=day.p50_seconds,
        p95_seconds=day.p95_seconds,
        workers=list(Worker.objects.filter(heartbeat_at__gt=Now() - GONE).order_by("id")),
        platforms={
            platform: _platform_stats(platform, by_platform.get(platform, _NONE), circuits)
            for platform in platforms.synced()
        },
        errors_by_cause=errors_by_cause(),
    )


def errors_by_cause() -> dict[str, int]:
    """Connections in ERROR by code, the most frequent first."""
    counts = (
        Connection.objects.filter(sync_status=SyncStatus.ERROR)
        .values_list("error_code")
        .annotate(n=Count("id"))
        .order_by("-n", "error_code")
    )
    return dict(counts)


# --- what the dashboard lists --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Band:
    """Accounts by the time since their last good sync."""

    label: str
    accounts: int
    is_late: bool


_BANDS: Final = (
    ("under 15 min", timedelta(minutes=15)),
    ("15 to 60 min", timedelta(hours=1)),
    ("1 to 6 h", timedelta(hours=6)),
    ("6 to 24 h", timedelta(days=1)),
    ("1 to 7 days", timedelta(days=7)),
)


def freshness_bands() -> list[Band]:
    """Accounts of active talents in bands of age, the freshest first; never read ones come last."""
    target = timedelta(minutes=settings.SYNC_FRESHNESS_MINUTES)
    edges: list[tuple[str, timedelta | None, timedelta | None]] = []
    floor: timedelta | None = None
    for label, ceiling in _BANDS:
        edges.append((label, floor, ceiling))
        floor = ceiling
    edges.append(("over 7 days", floor, None))
    wanted: dict[str, Any] = {"never": Count("id", filter=Q(last_synced_at__isnull=True))}
    for number, (_, younger, older) in enumerate(edges):
        within = Q(last_synced_at__isnull=False)
        if older is not None:
            within &= Q(last_synced_at__gt=Now() - older)
        if younger is not None:
            within &= Q(last_synced_at__lte=Now() - younger)
        wanted[f"band{number}"] = Count("id", filter=within)
    counted = _of_active().aggregate(**wanted)
    bands = [
        Band(label, counted[f"band{number}"], is_late=younger is not None and younger >= target)
        for number, (label, younger, _) in enumerate(edges)
    ]
    return [*bands, Band("never", counted["never"], is_late=True)]


@dataclass(frozen=True, slots=True)
class Failing:
    """An account that is in ERROR."""

    connection_id: int
    talent_id: int
    talent: str
    photo: str
    platform: str
    shown: str
    since: datetime | None
    attempt: int
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """All accounts that fail for one cause: how many, and the first few of them."""

    cause: Cause
    accounts: int
    first: tuple[Failing, ...]


def failing_by_cause(*, each: int = 3) -> list[CauseGroup]:
    """Failures grouped by cause, the most frequent first. One query."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT * FROM (
                SELECT c.error_code, c.id, c.talent_id, t.name,
                       COALESCE(NULLIF(t.profile_image_url, ''), t.linked_image_url),
                       c.platform, c.handle, c.updated_at, c.attempt, c.next_refresh_at,
                       count(*) OVER (PARTITION BY c.error_code) AS alike,
                       row_number() OVER (PARTITION BY c.error_code
                                          ORDER BY c.updated_at DESC, c.id) AS place
                FROM socials_connection c JOIN talent_talent t ON t.id = c.talent_id
                WHERE c.sync_status = 'ERROR' AND t.status = 'active'
            ) failing WHERE place <= %s ORDER BY alike DESC, error_code, place
            """,
            [each],
        )
        rows = cursor.fetchall()
    groups: dict[str, tuple[int, list[Failing]]] = {}
    for code, pk, talent_id, name, photo, platform, handle, *rest in rows:
        since, attempt, again, alike, _ = rest
        shown = handles.at(platform, handle)
        failing = Failing(pk, talent_id, name, photo, platform, shown, since, attempt, again)
        groups.setdefault(code, (alike, []))[1].append(failing)
    return [
        CauseGroup(CAUSES.get(code, CAUSES["INTERNAL"]), alike, tuple(first))
        for code, (alike, first) in groups.items()
    ]


# --- the questions behind ------------------------------------------------------------------------

_NONE: Final[dict[str, Any]] = {
    "pending": 0,
    "syncing": 0,
    "error": 0,
    "fresh": 0,
    "active": 0,
    "oldest": None,
}
_WORST: Final = (Circuit.State.OPEN, Circuit.State.HALF_OPEN, Circuit.State.CLOSED)


def _rows_by_platform() -> list[dict[str, Any]]:
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.platform,
                   count(*) FILTER (WHERE c.sync_status = 'PENDING') AS pending,
                   count(*) FILTER (WHERE c.sync_status = 'SYNCING') AS syncing,
                   count(*) FILTER (WHERE c.sync_status = 'ERROR') AS error,
                   min(c.next_attempt_at) FILTER (
                       WHERE c.sync_status = 'PENDING'
                         AND c.next_attempt_at <= statement_timestamp()) AS oldest,
                   count(*) FILTER (WHERE t.status = 'active') AS active,
                   count(*) FILTER (
                       WHERE t.status = 'active'
                         AND c.last_synced_at > statement_timestamp() - make_interval(
                             mins => COALESCE(c.freshness_minutes, (%s::jsonb->>c.platform)::int, %s)
                         )) AS fresh
            FROM socials_connection c JOIN talent_talent t ON t.id = c.talent_id
            GROUP BY c.platform
            """,
            [json.dumps(settings.FRESHNESS_MINUTES), settings.SYNC_FRESHNESS_MINUTES],
        )
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _ended_lately() -> int:
    ended = SyncRun.objects.filter(outcome__in=["ready", "error"], finished_at__gt=Now() - PACE)
    return ended.count()


def _circuits() -> dict[str, str]:
    worst: dict[str, str] = {}
    for platform, state in Circuit.objects.values_list("platform", "state"):
        known = worst.get(platform, Circuit.State.CLOSED)
        worst[platform] = min(known, state, key=[s.value for s in _WORST].index)
    return worst


def _platform_stats(platform: str, row: dict[str, Any], circuits: dict[str, str]) -> PlatformStats:
    return PlatformStats(
        pending=row["pending"],
        syncing=row["syncing"],
        error=row["error"],
        circuit=circuits.get(platform, Circuit.State.CLOSED.value),
        quota=_fullest(platform),
        freshness=Freshness(
            target=planner.target_minutes(platform),
            within_target=row["fresh"],
            stale=row["active"] - row["fresh"],
            covered=planner.covered(platform),
        ),
    )


def quota_levels(platform: str) -> list[quota.Level]:
    """Every limit of a platform in its present window, also those that only a header told of."""
    return quota.levels(platform) + quota.told_levels(platform)


def _fullest(platform: str) -> QuotaLevel | None:
    levels = quota_levels(platform)
    if not levels:
        return None
    level = max(levels, key=lambda level: level.used / max(level.limit, 1))
    return QuotaLevel(level.used, level.limit, level.resets_at)


def _of_active() -> QuerySet[Connection]:
    return Connection.objects.filter(platform__in=platforms.synced(), talent__status="active")


def _sum(rows: dict[str, dict[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows.values())
