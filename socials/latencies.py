"""Writing down how long answers took, so that one scrape tells of every process."""

from __future__ import annotations

import time

import structlog
from django.db import DatabaseError, InterfaceError, connection

from scraping.stopwatch import BOUNDS, stopwatch

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0

_kept_at = 0.0


def keep(*, now: bool = False) -> bool:
    """Add what this process has timed to everybody's. Whether there was something to add.

    At most every ten seconds, unless ``now`` says that there may be no later.

    A database that is away costs nothing: the next time takes it along.
    """
    global _kept_at  # noqa: PLW0603  once for each process
    if not now and time.monotonic() - _kept_at < EVERY_SECONDS:
        return False
    _kept_at = time.monotonic()
    tallies = stopwatch.take()
    rows = [
        (kind, name[:24], outcome, bound, count, tally.seconds if place == 0 else 0.0)
        for (kind, name, outcome), tally in sorted(tallies.items())
        for place, (bound, count) in enumerate(zip((*BOUNDS, 0.0), tally.counts, strict=True))
        if count or place == 0
    ]
    if not rows:
        return False
    try:
        _add(rows)
    except (DatabaseError, InterfaceError) as error:
        stopwatch.put_back(tallies)
        log.warning("latency.not_kept", error=type(error).__name__)
        return False
    return True


def _add(rows: list[tuple[str, str, str, float, int, float]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO socials_latency AS kept (kind, name, outcome, bound, answers, seconds)
            SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::float8[], %s::int8[], %s::float8[])
            ON CONFLICT (kind, name, outcome, bound) DO UPDATE
            SET answers = kept.answers + EXCLUDED.answers, seconds = kept.seconds + EXCLUDED.seconds
            """,
            columns,
        )
