"""What the daily points say: lines with their gaps, growth, and days on which counting changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection as database

from socials.intelligence.types import SPANS, Growth, GrowthBySpan, Mark, Point

NO_GROWTH: GrowthBySpan = {f"d{span}": None for span in SPANS}

_POINTS = """
    SELECT s.date, c.platform, s.connection_id, s.followers, s.view_definition
    FROM socials_snapshot s JOIN socials_connection c ON c.id = s.connection_id
    WHERE s.connection_id = ANY(%(ids)s) AND s.date > %(after)s AND s.date <= %(today)s
    ORDER BY s.date, s.connection_id
"""


def points(
    ids: Sequence[int], *, days: int, today: date
) -> tuple[tuple[Point, ...], tuple[Mark, ...]]:
    """The window's points, oldest first, and the days on which an account's views changed sense."""
    rows = _rows(_POINTS, {"ids": list(ids), "after": today - timedelta(days=days), "today": today})
    told = tuple(Point(*row[:4]) for row in rows if row[3] is not None)
    return told, tuple(_marks(rows))


def _marks(rows: Iterable[tuple[Any, ...]]) -> Iterable[Mark]:
    last: dict[int, str] = {}
    for day, platform, pk, _, definition in rows:
        if definition and last.get(pk, definition) != definition:
            yield Mark(day, platform, pk, last[pk], definition)
        if definition:
            last[pk] = definition


_LAST_DAYS = """
    SELECT account.id, (
        SELECT date FROM socials_snapshot
        WHERE connection_id = account.id AND followers IS NOT NULL AND date <= %(today)s
        ORDER BY date DESC LIMIT 1
    )
    FROM unnest(%(ids)s::bigint[]) AS account (id)
"""


def last_days(ids: Sequence[int], *, today: date) -> dict[int, date]:
    """The day of each account's last point. Accounts without any are absent."""
    return {pk: day for pk, day in _rows(_LAST_DAYS, {"ids": list(ids), "today": today}) if day}


_EARLIER = """
    SELECT account.id, span.days, earlier.followers
    FROM unnest(%(ids)s::bigint[], %(days)s::date[]) AS account (id, day)
    CROSS JOIN unnest(%(spans)s::int[]) AS span (days)
    CROSS JOIN LATERAL (
        SELECT followers FROM socials_snapshot s
        WHERE s.connection_id = account.id AND followers IS NOT NULL
            AND date BETWEEN account.day - span.days - 1 AND account.day - span.days + 1
        ORDER BY abs(date - (account.day - span.days)), date
        LIMIT 1
    ) earlier
"""


def growth(now: Mapping[int, tuple[date, int]]) -> dict[int, GrowthBySpan]:
    """Each account's growth up to its last reading: id → the day of that, and its followers.

    The point that many days before decides, or one a day off; without any the growth is unknown.
    """
    earlier = _rows(
        _EARLIER,
        {"ids": list(now), "days": [day for day, _ in now.values()], "spans": list(SPANS)},
    )
    found = {pk: dict(NO_GROWTH) for pk in now}
    for pk, span, followers in earlier:
        found[pk][f"d{span}"] = Growth.between(followers, now[pk][1])
    return found


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
