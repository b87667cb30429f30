"""How many talents grew in the last 30 days and how their posts do: a fixed number of statements
for any number of them, by the same rules as one talent's figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Final

from django.utils import timezone

from socials import platforms
from socials.intelligence import history
from socials.intelligence.statements import rows
from socials.intelligence.summary import last_readings
from socials.intelligence.types import Growth, GrowthBySpan
from socials.models import Connection

DAYS: Final = 30
SPAN: Final = f"d{DAYS}"


@dataclass(frozen=True, slots=True)
class Trend:
    """``growth``: percent, over the accounts that were known 30 days ago. ``line``: the sum of
    their followers on each day, oldest first; a day on which one of them is missing is None.
    ``rate``: the engagement of the largest account, by the way of counting of its ``platform``."""

    growth: float | None = None
    line: tuple[int | None, ...] = ()
    platform: str = ""
    rate: float | None = None


NO_TREND: Final = Trend()

_LINES = """
    SELECT c.talent_id, %(today)s - s.date, sum(s.followers), count(*)
    FROM socials_snapshot s JOIN socials_connection c ON c.id = s.connection_id
    WHERE s.connection_id = ANY(%(ids)s) AND s.followers IS NOT NULL
        AND s.date > %(today)s - 31 AND s.date <= %(today)s
    GROUP BY c.talent_id, s.date
"""
_RATES = """
    SELECT account.id, latest.engagement_rate
    FROM unnest(%(ids)s::bigint[]) AS account (id)
    CROSS JOIN LATERAL (
        SELECT engagement_rate FROM socials_snapshot
        WHERE connection_id = account.id AND date > %(today)s - 8
        ORDER BY date DESC LIMIT 1
    ) latest
"""

GROWTH_OF_A_TALENT: Final = """(
    SELECT sum(p.followers - earlier.followers)::float8 / NULLIF(sum(earlier.followers), 0)
    FROM socials_connection c
    JOIN socials_profile p ON p.connection_id = c.id AND p.followers IS NOT NULL
    CROSS JOIN LATERAL (
        SELECT date FROM socials_snapshot
        WHERE connection_id = c.id AND followers IS NOT NULL
        ORDER BY date DESC LIMIT 1
    ) last
    CROSS JOIN LATERAL (
        SELECT followers FROM socials_snapshot
        WHERE connection_id = c.id AND followers IS NOT NULL
            AND date BETWEEN last.date - 31 AND last.date - 29
        ORDER BY abs(date - (last.date - 30)), date LIMIT 1
    ) earlier
    WHERE c.talent_id = talent_talent.id
)"""
"""The same growth as an expression, to sort by."""


def trends(accounts: Mapping[int, Sequence[Connection]]) -> dict[int, Trend]:
    """The trend of each talent whose accounts (with their profiles) are given. Four statements."""
    today = timezone.now().astimezone(UTC).date()
    counted = set(platforms.synced())
    known = {
        talent_id: [row for row in rows if row.platform in counted]
        for talent_id, rows in accounts.items()
    }
    ids = [row.pk for rows in known.values() for row in rows]
    if not ids:
        return {}
    everybody = [row for rows in known.values() for row in rows]
    readings = last_readings(everybody, history.last_days(ids, today=today))
    grown = history.growth(readings, spans=[DAYS])
    counts = {
        talent_id: [row.pk for row in rows if row.pk in grown and grown[row.pk][SPAN]]
        for talent_id, rows in known.items()
    }
    largest = {talent_id: _largest(rows) for talent_id, rows in known.items() if rows}
    lines = rows(_LINES, {"ids": [pk for pks in counts.values() for pk in pks], "today": today})
    rates = dict(rows(_RATES, {"ids": [row.pk for row in largest.values()], "today": today}))
    found: dict[int, list[int | None]] = {pk: [None] * (DAYS + 1) for pk in known}
    for talent_id, back, followers, points in lines:
        if points == len(counts[talent_id]):
            found[talent_id][DAYS - back] = int(followers)
    return {
        talent_id: Trend(
            growth=_growth(pks, readings, grown),
            line=tuple(found[talent_id]) if pks else (),
            platform=largest[talent_id].platform if talent_id in largest else "",
            rate=rates.get(largest[talent_id].pk) if talent_id in largest else None,
        )
        for talent_id, pks in counts.items()
    }


def _growth(
    ids: Sequence[int],
    readings: Mapping[int, tuple[date, int]],
    grown: Mapping[int, GrowthBySpan],
) -> float | None:
    """Percent over all of these accounts, of which each was known 30 days ago."""
    now = sum(readings[pk][1] for pk in ids)
    gained = sum(growth.absolute for pk in ids if (growth := grown[pk][SPAN]))
    return Growth.between(now - gained, now).percent if ids else None


def _largest(rows: Sequence[Connection]) -> Connection:
    def followers(row: Connection) -> int:
        profile = getattr(row, "profile", None)
        return profile.followers or 0 if profile else -1

    return max(rows, key=followers)
