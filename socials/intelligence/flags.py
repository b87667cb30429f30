"""Unusual moves: followers that jump or drop within a day, engagement that collapses.

A jump or drop is a day's change of at least 5% and 100 followers that is also at least five times
the usual one: the median of the 28 days before it (where at least a week of them is known).
A collapse is a rate of the last 30 days' posts below half of that of the 90 days before, each with
at least five posts that are two days old; never across a change in how views are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from statistics import median

from socials import handles, platforms
from socials.engagement import basis_of, rate
from socials.intelligence.marks import changed_within
from socials.intelligence.posts import before_and_after
from socials.intelligence.statements import rows
from socials.intelligence.types import Flag

LOOK_BACK_DAYS = 30
USUAL_DAYS = 28
FEWEST_USUAL = 7
SMALLEST_CHANGE = 100
SMALLEST_SHARE = 0.05
TIMES_USUAL = 5
RIPE = timedelta(days=2)
BEFORE_DAYS = 90
FEWEST_POSTS = 5
COLLAPSED = 0.5

_POINTS = """
    SELECT connection_id, date, followers FROM socials_snapshot
    WHERE connection_id = ANY(%(ids)s) AND date > %(after)s AND date <= %(today)s
        AND followers IS NOT NULL
    ORDER BY connection_id, date
"""

Names = Mapping[int, tuple[str, str, int | None]]
"""Account's id → platform, handle, followers."""


def flags(accounts: Names, *, now: datetime) -> tuple[Flag, ...]:
    """The last 30 days' flags of these accounts, newest moves first. Two statements."""
    ids = list(accounts)
    moves = list(_moves(ids, accounts, now.date()))
    moves.sort(key=lambda flag: (flag.evidence["date"], -flag.connection_id), reverse=True)
    return (*moves, *_collapses(ids, accounts, now))


def _moves(ids: Sequence[int], accounts: Names, today: date) -> Iterable[Flag]:
    after = today - timedelta(days=LOOK_BACK_DAYS + USUAL_DAYS)
    found = rows(_POINTS, {"ids": list(ids), "after": after, "today": today})
    for pk, points in groupby(found, key=lambda row: int(row[0])):
        line = [(day, followers) for _, day, followers in points]
        yield from _moves_of(pk, accounts[pk], line, today)


def _moves_of(
    pk: int, account: tuple[str, str, int | None], line: list[tuple[date, int]], today: date
) -> Iterable[Flag]:
    platform, handle, _ = account
    changes: list[tuple[date, int]] = []
    for (before_day, before), (day, after) in pairwise(line):
        # Over a gap nobody knows on which day it happened.
        if (day - before_day).days != 1:
            continue
        change = after - before
        earlier, changes = changes, [*changes[-USUAL_DAYS:], (day, change)]
        if day <= today - timedelta(days=LOOK_BACK_DAYS) or not _is_large(change, before):
            continue
        usual = _usual(earlier, day)
        if usual is not None and abs(change) < usual * TIMES_USUAL:
            continue
        share = round(change / before * 100, 2) if before else None
        verb = "gained" if change > 0 else "lost"
        typical = f" A usual day moves {usual:,.0f}." if usual is not None else ""
        yield Flag(
            "follower_jump" if change > 0 else "follower_drop",
            platform,
            pk,
            f"{platforms.get(platform).name} {handles.at(platform, handle)} {verb} "
            f"{abs(change):,} followers on {day.day} {day:%b}"
            f"{f' ({share:+.1f}%)' if share is not None else ''}.{typical}",
            {
                "date": day.isoformat(),
                "before": before,
                "after": after,
                "change": change,
                "percent": share,
                "usualDailyChange": usual,
            },
        )


def _usual(changes: list[tuple[date, int]], day: date) -> float | None:
    since = day - timedelta(days=USUAL_DAYS)
    recent = [abs(change) for at, change in changes if at >= since]
    return float(median(recent)) if len(recent) >= FEWEST_USUAL else None


def _is_large(change: int, before: int) -> bool:
    return abs(change) >= SMALLEST_CHANGE and abs(change) >= before * SMALLEST_SHARE


def _collapses(ids: Sequence[int], accounts: Names, now: datetime) -> Iterable[Flag]:
    middle = now - timedelta(days=LOOK_BACK_DAYS)
    start = middle - timedelta(days=BEFORE_DAYS)
    earlier, recent = before_and_after(ids, start=start, middle=middle, now=now - RIPE)
    for pk, (platform, handle, followers) in accounts.items():
        if pk not in recent or pk not in earlier:
            continue
        posts, acts, divisor = recent[pk].earned.by_basis(platform, followers)
        posts_before, acts_before, divisor_before = earlier[pk].earned.by_basis(platform, followers)
        now_rate, then_rate = rate(acts, divisor), rate(acts_before, divisor_before)
        if now_rate is None or not then_rate or min(posts, posts_before) < FEWEST_POSTS:
            continue
        by_views = basis_of(platform) == "views"
        if by_views and (
            recent[pk].definitions != earlier[pk].definitions
            or changed_within(platform, start.date(), now.date())
        ):
            continue
        if now_rate >= then_rate * COLLAPSED:
            continue
        yield Flag(
            "engagement_collapse",
            platform,
            pk,
            f"{platforms.get(platform).name} {handles.at(platform, handle)}: engagement fell to "
            f"{now_rate:.1f}% over the last {LOOK_BACK_DAYS} days, from {then_rate:.1f}% over the "
            f"{BEFORE_DAYS} days before.",
            {
                "rate": now_rate,
                "rateBefore": then_rate,
                "basis": basis_of(platform),
                "posts": posts,
                "postsBefore": posts_before,
            },
        )
