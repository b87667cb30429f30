"""Days on which views began to be counted in another way: what was told before is not less or more.

Some are known of the platform for every account; others show when an account is read from another
source, whose views are not the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from socials import platforms
from socials.intelligence.statements import rows
from socials.intelligence.types import Flag, Mark, Series

_CHANGES = """
    SELECT date, connection_id, view_definition_before, view_definition
    FROM socials_snapshot
    WHERE connection_id = ANY(%(ids)s) AND date > %(after)s AND date <= %(today)s
        AND view_definition_before <> ''
    ORDER BY date, connection_id
"""


def marks(lines: Sequence[Series], *, days: int, today: date) -> tuple[Mark, ...]:
    """The window's changes of the accounts that have a line, oldest first. One statement."""
    known = [mark for line in lines for mark in _known(line)]
    told = {(mark.connection_id, mark.before, mark.after) for mark in known}
    # A change of the platform shows up in the readings too, at the first one after it.
    seen = [
        mark
        for mark in _seen({line.connection_id: line.platform for line in lines}, days, today)
        if (mark.connection_id, mark.before, mark.after) not in told
    ]
    return tuple(sorted((*known, *seen), key=lambda mark: (mark.date, mark.connection_id)))


def changed_within(platform: str, start: date, end: date) -> bool:
    """Whether the platform counts views in another way since a day in (start, end]."""
    return any(start < change.day <= end for change in platforms.get(platform).view_changes)


def flags(found: Iterable[Mark]) -> Iterable[Flag]:
    """Each mark as a flag, for who reads no chart."""
    for mark in found:
        yield Flag(
            "views_counted_anew",
            mark.platform,
            mark.connection_id,
            mark.message,
            {"date": mark.date.isoformat(), "before": mark.before, "after": mark.after},
        )


def _known(line: Series) -> Iterable[Mark]:
    """The platform's own changes between the line's ends."""
    platform = platforms.get(line.platform)
    last = line.first + timedelta(days=len(line.followers) - 1)
    for change in platform.view_changes:
        if line.first < change.day <= last:
            yield Mark(
                change.day, line.platform, line.connection_id, change.before, change.after,
                _message(platform.name, change.day, change.words),
            )  # fmt: skip


def _seen(accounts: dict[int, str], days: int, today: date) -> Iterable[Mark]:
    values = {"ids": list(accounts), "after": today - timedelta(days=days), "today": today}
    for day, pk, before, after in rows(_CHANGES, values):
        words = f"they are read as {after}, before as {before}"
        yield Mark(
            day, accounts[pk], pk, before, after,
            _message(platforms.get(accounts[pk]).name, day, words),
        )  # fmt: skip


def _message(name: str, day: date, words: str) -> str:
    return (
        f"{name} views are counted in another way since {day.day} {day:%B %Y}: {words}. "
        "Views and rates by views before and after do not compare."
    )
