"""When the clocks of a time zone were changed, so that local hours are a sum and no look-up."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def known(name: str) -> ZoneInfo:
    """The zone of this name, UTC where nobody knows it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def changes(zone: ZoneInfo, start: datetime, end: datetime) -> tuple[list[datetime], list[int]]:
    """The moments of (start, end] at which clocks were changed, and the seconds that they were
    ahead of UTC: before the first of them, after it, and so on.
    """
    moments: list[datetime] = []
    ahead = [_ahead(zone, start)]
    day = start
    while day < end:
        next_day = min(day + DAY, end)
        if _ahead(zone, next_day) != ahead[-1]:
            moments.append(_change(zone, day, next_day))
            ahead.append(_ahead(zone, next_day))
        day = next_day
    return moments, ahead


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of what is so ``after`` and was not ``before``."""
    old = _ahead(zone, before)
    while after - before > SECOND:
        middle = before + timedelta(seconds=(after - before) // SECOND // 2)
        if _ahead(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _ahead(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
