"""The attempts of late: hour by hour, and account by account."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection as database

from socials.models import SyncRun


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


def hours() -> list[Hour]:
    """The last 24 hours one by one, the oldest first. One query."""
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
        known = {ago: Hour(ready, failed) for ago, ready, failed in cursor.fetchall()}
    return [known.get(ago, Hour(0, 0)) for ago in reversed(range(24))]


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
