"""The attempts of late: hour by hour, and account by account."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db import connection as database

from socials.models import SyncRun

MANY = 100_000
"""Syncs of a day from which on counting them at every look would be felt."""

_DAY = "attempts:day"


@dataclass(frozen=True, slots=True)
class Hour:
    """The syncs that ended in one of the last 24 hours."""

    ready: int
    failed: int

    @property
    def success_rate(self) -> float | None:
        """Percent; null when none ended."""
        ended = self.ready + self.failed
        return self.ready / ended * 100 if ended else None


@dataclass(frozen=True, slots=True)
class Day:
    """The syncs that ended in the last 24 hours."""

    hours: tuple[Hour, ...]
    """One by one, the oldest first."""
    p50_seconds: float | None
    """Of the successful ones, from start to stored."""
    p95_seconds: float | None

    @property
    def ready(self) -> int:
        return sum(hour.ready for hour in self.hours)

    @property
    def failed(self) -> int:
        return sum(hour.failed for hour in self.hours)


def day() -> Day:
    """The last 24 hours. Where they are very many syncs, the answer of a minute ago will do."""
    found = cache.get(_DAY)
    if found is None:
        found = _counted(), _percentiles()
        if sum(ready + failed for _, ready, failed in found[0]) > MANY:
            cache.set(_DAY, found, timeout=60)
    counted, percentiles = found
    by_hour = {ago: Hour(ready, failed) for ago, ready, failed in counted}
    hours = tuple(by_hour.get(ago, Hour(0, 0)) for ago in reversed(range(24)))
    p50, p95 = percentiles or (None, None)
    return Day(hours, _seconds(p50), _seconds(p95))


def _counted() -> list[tuple[int, int, int]]:
    """How many hours ago, and how many ended well and badly then."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT floor(extract(epoch FROM statement_timestamp() - finished_at) / 3600)::int AS ago,
                   count(*) FILTER (WHERE outcome = 'ready'),
                   count(*) FILTER (WHERE outcome = 'error')
            FROM socials_sync_run
            WHERE finished_at > statement_timestamp() - interval '24 hours'
            GROUP BY ago
            """
        )
        return [(ago, ready, failed) for ago, ready, failed in cursor.fetchall()]


def _percentiles() -> list[float] | None:
    """Milliseconds that half, and 95 of 100, of the successful ones took at most."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY duration_ms)
            FROM socials_sync_run
            WHERE finished_at > statement_timestamp() - interval '24 hours' AND outcome = 'ready'
            """
        )
        found: list[float] | None = cursor.fetchone()[0]
        return found


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 3)


@dataclass(frozen=True, slots=True)
class Runs:
    """Attempts of one account that ended alike, one after the other: the newest, and how many."""

    newest: SyncRun
    times: int


def recent_runs(*, limit: int = 20, among: int = 500) -> list[Runs]:
    """What ended last, newest first, with its account; looked for ``among`` the newest attempts.

    An account that fails or is read again and again takes one line, so that others are seen too.
    Two queries.
    """
    with database.cursor() as cursor:
        cursor.execute(
            """
            WITH newest AS (
                SELECT id, connection_id, outcome, error_code, finished_at FROM socials_sync_run
                ORDER BY finished_at DESC, id DESC LIMIT %s
            ), numbered AS (
                SELECT *, row_number() OVER (PARTITION BY connection_id
                                             ORDER BY finished_at, id)
                        - row_number() OVER (PARTITION BY connection_id, outcome, error_code
                                             ORDER BY finished_at, id) AS island
                FROM newest
            )
            SELECT (array_agg(id ORDER BY finished_at DESC, id DESC))[1] AS id, count(*)
            FROM numbered GROUP BY connection_id, outcome, error_code, island
            ORDER BY max(finished_at) DESC, id DESC LIMIT %s
            """,
            [among, limit],
        )
        alike = dict(cursor.fetchall())
    runs = SyncRun.objects.select_related("connection__talent").in_bulk(list(alike))
    return [Runs(runs[pk], times) for pk, times in alike.items() if pk in runs]
