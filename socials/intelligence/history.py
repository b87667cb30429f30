"""What the daily points say: lines with their gaps, and growth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from socials.intelligence.statements import rows
from socials.intelligence.types import SPANS, Growth, GrowthBySpan, Series

NO_GROWTH: GrowthBySpan = {f"d{span}": None for span in SPANS}

_SERIES = """
    SELECT connection_id, min(date), array_agg(date - %(after)s ORDER BY date),
        array_agg(followers ORDER BY date)
    FROM socials_snapshot
    WHERE connection_id = ANY(%(ids)s) AND date > %(after)s AND date <= %(today)s
        AND followers IS NOT NULL
    GROUP BY connection_id ORDER BY connection_id
"""


def series(accounts: Mapping[int, str], *, days: int, today: date) -> tuple[Series, ...]:
    """Each account's line over the window; accounts without a point are absent.

    ``accounts``: id → platform.
    """
    after = today - timedelta(days=days)
    lines = rows(_SERIES, {"ids": list(accounts), "after": after, "today": today})
    return tuple(
        Series(accounts[pk], pk, first, _day_by_day(numbers, followers))
        for pk, first, numbers, followers in lines
    )


def _day_by_day(numbers: Sequence[int], followers: Sequence[int]) -> tuple[int | None, ...]:
    line: list[int | None] = [None] * (numbers[-1] - numbers[0] + 1)
    for number, count in zip(numbers, followers, strict=True):
        line[number - numbers[0]] = count
    return tuple(line)


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
    return {pk: day for pk, day in rows(_LAST_DAYS, {"ids": list(ids), "today": today}) if day}


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


def growth(
    now: Mapping[int, tuple[date, int]], *, spans: Sequence[int] = SPANS
) -> dict[int, GrowthBySpan]:
    """Each account's growth up to its last reading: id → the day of that, and its followers.

    The point that many days before decides, or one a day off; without any the growth is unknown.
    """
    earlier = rows(
        _EARLIER,
        {"ids": list(now), "days": [day for day, _ in now.values()], "spans": list(spans)},
    )
    found = {pk: dict(NO_GROWTH) for pk in now}
    for pk, span, followers in earlier:
        found[pk][f"d{span}"] = Growth.between(followers, now[pk][1])
    return found
