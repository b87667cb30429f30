"""Where a queued account stands in the line of its platform, and about how long that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import connection as database

PACE: Final = timedelta(minutes=5)
"""The span over which the pace is measured."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a queued connection stands among those of its platform, 1 for the next."""

    position: int
    seconds: int | None
    """About how long that takes at the present pace; None when nothing ended lately."""

    def __str__(self) -> str:
        where = "Next in line" if self.position == 1 else f"{_ordinal(self.position)} in line"
        return where if self.seconds is None else f"{where}, about {_about(self.seconds)}"


def places(connection_ids: Sequence[int]) -> dict[int, Place]:
    """The places of those that are queued and due. One query; none for an empty list."""
    if not connection_ids:
        return {}
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT mine.id,
                   (SELECT count(*) FROM socials_connection other
                    WHERE other.platform = mine.platform AND other.sync_status = 'PENDING'
                      AND other.next_attempt_at <= statement_timestamp()
                      AND (other.priority, other.next_attempt_at, other.id)
                        <= (mine.priority, mine.next_attempt_at, mine.id)),
                   (SELECT count(*) FROM socials_sync_run run
                    WHERE run.platform = mine.platform AND run.outcome IN ('ready', 'error')
                      AND run.finished_at > statement_timestamp() - make_interval(secs => %s))
            FROM socials_connection mine
            WHERE mine.id = ANY(%s) AND mine.sync_status = 'PENDING'
              AND mine.next_attempt_at <= statement_timestamp()
            """,
            [PACE.total_seconds(), list(connection_ids)],
        )
        return {
            pk: Place(ahead, round(ahead * PACE.total_seconds() / ended) if ended else None)
            for pk, ahead, ended in cursor.fetchall()
        }


def _ordinal(number: int) -> str:
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{_ENDINGS.get(number % 10, 'th')}"


_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}


def _about(seconds: int) -> str:
    if seconds < 60:
        return f"{max(5, round(seconds / 5) * 5)} s"
    return f"{round(seconds / 60)} min" if seconds < 5_400 else f"{round(seconds / 3_600)} h"
