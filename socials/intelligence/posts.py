"""What the posts of a window say: sums, samples, ranks and hours, one statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from socials import platforms
from socials.engagement import basis_of, rate
from socials.intelligence import clocks
from socials.intelligence.statements import rows
from socials.intelligence.types import RankedPost, Slot

PARTS = ("likes", "comments", "shares", "saves")
MOST_BEST = 12
SLOT_HOURS = 2
FEWEST_IN_SLOT = 3
BETTER = 1.1
"""Less than a tenth more is chance."""

ACTS = "likes::float8 + COALESCE(comments, 0) + COALESCE(shares, 0) + COALESCE(saves, 0)"
"""As ``engagement.interactions``: null where the likes are. Floats are exact for anything that a
platform counts, can't overflow, and add up thrice as fast as numerics."""
OF_WINDOW = "deleted_at IS NULL AND posted_at > %(start)s AND posted_at <= %(now)s"
IN_WINDOW = f"connection_id = ANY(%(ids)s) AND {OF_WINDOW}"


@dataclass(frozen=True, slots=True)
class Earned:
    """Posts that tell their likes, and what they brought."""

    counted: int = 0
    acts: int = 0
    counted_by_views: int = 0
    """Of which so many tell their views too."""
    acts_by_views: int = 0
    views: int = 0

    @classmethod
    def of(cls, numbers: Sequence[Any]) -> Earned:
        """From the columns ``EARNED``."""
        return cls(*(int(number) for number in numbers))

    def __add__(self, other: Earned) -> Earned:
        return Earned(
            self.counted + other.counted,
            self.acts + other.acts,
            self.counted_by_views + other.counted_by_views,
            self.acts_by_views + other.acts_by_views,
            self.views + other.views,
        )

    def by_followers(self, followers: int | None) -> float | None:
        """The engagement rate in percent."""
        return rate(self.acts, self.counted * (followers or 0))

    def by_views(self) -> float | None:
        """The engagement rate in percent."""
        return rate(self.acts_by_views, self.views)

    def by_basis(self, platform: str, followers: int | None) -> tuple[int, int, int]:
        """Posts, interactions and divisor by which the platform's posts are compared."""
        if basis_of(platform) == "followers":
            return self.counted, self.acts, self.counted * (followers or 0)
        return self.counted_by_views, self.acts_by_views, self.views


EARNED = """
    count(acts), COALESCE(sum(acts), 0), count(acts) FILTER (WHERE views IS NOT NULL),
    COALESCE(sum(acts) FILTER (WHERE views IS NOT NULL), 0),
    COALESCE(sum(views) FILTER (WHERE acts IS NOT NULL), 0)
"""


@dataclass(frozen=True, slots=True)
class Sums:
    """One account's posts in a window, added up."""

    posts: int = 0
    earned: Earned = Earned()
    with_views: int = 0
    views: int = 0
    told: tuple[int, int, int, int] = (0, 0, 0, 0)
    """How many counted posts tell likes, comments, shares, saves."""
    definitions: tuple[str, ...] = ()
    read_at: datetime | None = None
    source: str = ""

    @property
    def average_views(self) -> float | None:
        return round(self.views / self.with_views, 2) if self.with_views else None


# Distinct texts of an account are few: they are what is grouped by, which needs no sorting.
_SUMS = f"""
    SELECT connection_id, view_definition, source, max(fetched_at), count(*), count(views),
        COALESCE(sum(views), 0), count(comments) FILTER (WHERE acts IS NOT NULL),
        count(shares) FILTER (WHERE acts IS NOT NULL), count(saves) FILTER (WHERE acts IS NOT NULL),
        {EARNED}
    FROM (SELECT *, {ACTS} AS acts FROM socials_post WHERE {IN_WINDOW}) post
    GROUP BY connection_id, view_definition, source
    ORDER BY max(fetched_at)
"""  # noqa: S608  built from this module's constants alone


def sums(ids: Sequence[int], *, start: datetime, now: datetime) -> dict[int, Sums]:
    """Each account's posts in (start, now], added up. Accounts without any are absent."""
    found: dict[int, Sums] = {}
    for row in rows(_SUMS, {"ids": list(ids), "start": start, "now": now}):
        found[row[0]] = _with(found.get(row[0], Sums()), row)
    return found


def _with(known: Sums, row: Sequence[Any]) -> Sums:
    """A row of ``_SUMS`` added; its reading is not older than what is known."""
    _, definition, source, read_at, posts, with_views, views, comments, shares, saves = row[:10]
    earned, told = Earned.of(row[10:]), known.told
    return Sums(
        posts=known.posts + posts,
        earned=known.earned + earned,
        with_views=known.with_views + with_views,
        views=known.views + int(views),
        told=(told[0] + earned.counted, told[1] + comments, told[2] + shares, told[3] + saves),
        definitions=tuple(sorted({*known.definitions, definition} - {""})),
        read_at=read_at,
        source=source,
    )


_BEFORE_AND_AFTER = f"""
    SELECT connection_id, posted_at > %(middle)s, view_definition, {EARNED}
    FROM (SELECT *, {ACTS} AS acts FROM socials_post WHERE {IN_WINDOW}) post
    GROUP BY 1, 2, 3
"""  # noqa: S608  built from this module's constants alone


@dataclass(frozen=True, slots=True)
class Part:
    """One account's posts of a part of a window."""

    earned: Earned = Earned()
    definitions: frozenset[str] = frozenset()


def before_and_after(
    ids: Sequence[int], *, start: datetime, middle: datetime, now: datetime
) -> tuple[dict[int, Part], dict[int, Part]]:
    """Each account's posts in (start, middle] and in (middle, now]. One statement."""
    parts: tuple[dict[int, Part], dict[int, Part]] = {}, {}
    values = {"ids": list(ids), "start": start, "middle": middle, "now": now}
    for pk, is_after, definition, *numbers in rows(_BEFORE_AND_AFTER, values):
        known = parts[is_after].get(pk, Part())
        parts[is_after][pk] = Part(
            known.earned + Earned.of(numbers), known.definitions | ({definition} - {""})
        )
    return parts


_MEDIANS = f"""
    SELECT account.id, (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY views)
        FROM socials_post WHERE connection_id = account.id AND {OF_WINDOW}
    )
    FROM unnest(%(ids)s::bigint[]) AS account (id)
"""  # noqa: S608  built from this module's constants alone


def medians(ids: Sequence[int], *, start: datetime, now: datetime) -> dict[int, float | None]:
    """The middle of each account's views."""
    return dict(rows(_MEDIANS, {"ids": list(ids), "start": start, "now": now}))


_STORED = """
    SELECT account.id,
        (SELECT count(*) FROM socials_post WHERE connection_id = account.id AND deleted_at IS NULL),
        (SELECT min(posted_at) FROM socials_post
         WHERE connection_id = account.id AND posted_at IS NOT NULL)
    FROM unnest(%(ids)s::bigint[]) AS account (id)
"""


def stored(ids: Sequence[int]) -> dict[int, tuple[int, datetime | None]]:
    """Each account's number of stored posts, and when the oldest of them was published."""
    return {pk: (posts, oldest) for pk, posts, oldest in rows(_STORED, {"ids": list(ids)})}


_ORDER = "rate DESC NULLS LAST, seen DESC NULLS LAST, at DESC, post_id DESC"
# Each account's best are found by what ranks them alone; only the twelve are read whole.
_BEST = f"""
    WITH foremost AS MATERIALIZED (
        SELECT account.id, platform, profile.followers, found.*
        FROM socials_connection account
        LEFT JOIN socials_profile profile ON profile.connection_id = account.id
        CROSS JOIN LATERAL (
            SELECT post.id AS post_id, post.views AS seen, posted_at AS at,
                ({ACTS}) / NULLIF(
                    CASE WHEN platform = ANY(%(by_followers)s) THEN followers ELSE post.views END,
                    0
                ) AS rate
            FROM socials_post post WHERE post.connection_id = account.id AND {OF_WINDOW}
            ORDER BY {_ORDER} LIMIT %(most)s
        ) found
        WHERE account.id = ANY(%(ids)s)
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY platform ORDER BY {_ORDER}) AS rank FROM foremost
    )
    SELECT post.id, connection_id, platform, followers, external_id, kind, caption, url,
        thumbnail_url, posted_at, duration_seconds, likes, comments, shares, saves, views, reach,
        deleted_at, rank, source, fetched_at
    FROM ranked JOIN socials_post post ON post.id = post_id
    ORDER BY rank, array_position(%(order)s::text[], platform::text) LIMIT %(most)s
"""  # noqa: S608  built from this module's constants alone


def best(ids: Sequence[int], *, start: datetime, now: datetime) -> tuple[RankedPost, ...]:
    """At most 12 posts: the first of each platform, then the second of each, and so on.

    Rates of different platforms are never compared: each post is ranked within its own.
    """
    order = list(platforms.PLATFORMS)
    values = {
        "ids": list(ids),
        "start": start,
        "now": now,
        "most": MOST_BEST,
        "order": order,
        "by_followers": [name for name in order if basis_of(name) == "followers"],
    }
    return tuple(RankedPost(*row) for row in rows(_BEST, values))


# --- when ---


@dataclass(frozen=True, slots=True)
class Hour:
    """One account's posts in one hour of the week."""

    connection_id: int
    weekday: int
    hour: int
    posts: int
    earned: Earned


# Adding seconds costs a fraction of AT TIME ZONE, which looks the zone up for each post. The week's
# hours count from Monday: 1 January 1970 was a Thursday, whose first hour is the 72nd.
_HOURS = f"""
    SELECT connection_id, slot / 24, slot %% 24, count(*), {EARNED}
    FROM (
        SELECT connection_id, views, {ACTS} AS acts, (
            (floor(date_part('epoch', posted_at))::bigint
                + (%(ahead)s::int[])[width_bucket(posted_at, %(changes)s::timestamptz[]) + 1]
            ) / 3600 + 72
        ) %% 168 AS slot
        FROM socials_post WHERE {IN_WINDOW}
    ) local
    GROUP BY connection_id, slot
"""  # noqa: S608  built from this module's constants alone


def hours(ids: Sequence[int], *, start: datetime, now: datetime, zone: ZoneInfo) -> list[Hour]:
    """Posts by hour of the week, as clocks in ``zone`` showed it when they were published."""
    changes, ahead = clocks.changes(zone, start, now)
    values = {"ids": list(ids), "start": start, "now": now, "changes": changes, "ahead": ahead}
    return [
        Hour(pk, weekday, hour, posts, Earned.of(numbers))
        for pk, weekday, hour, posts, *numbers in rows(_HOURS, values)
    ]


def posting_times(found: Iterable[Hour]) -> tuple[tuple[int, ...], ...]:
    """7 by 24 counts, Monday first."""
    grid = [[0] * 24 for _ in range(7)]
    for hour in found:
        grid[hour.weekday][hour.hour] += hour.posts
    return tuple(tuple(row) for row in grid)


def best_times(
    found: Iterable[Hour], accounts: dict[int, tuple[str, int | None]]
) -> tuple[Slot, ...]:
    """For each account the two hours of one weekday whose posts earn most, if they are at least 3.

    ``accounts``: id → platform and followers.
    """
    by_account: dict[int, dict[tuple[int, int], Earned]] = defaultdict(dict)
    for hour in found:
        by_account[hour.connection_id][hour.weekday, hour.hour] = hour.earned
    slots = (
        _best_slot(pk, platform, followers, by_account.get(pk, {}))
        for pk, (platform, followers) in accounts.items()
    )
    return tuple(slot for slot in slots if slot)


def _best_slot(
    pk: int, platform: str, followers: int | None, week: dict[tuple[int, int], Earned]
) -> Slot | None:
    hours = {key: earned.by_basis(platform, followers) for key, earned in week.items()}
    none = (0, 0, 0)
    all_acts = sum(acts for _, acts, _ in hours.values())
    all_divisors = sum(divisor for *_, divisor in hours.values())
    found: list[Slot] = []
    for weekday in range(7):
        for start in range(24 - SLOT_HOURS + 1):
            inside = [hours.get((weekday, start + step), none) for step in range(SLOT_HOURS)]
            posts, acts, divisor = map(sum, zip(*inside, strict=True))
            earned = rate(acts, divisor)
            if posts < FEWEST_IN_SLOT or earned is None:
                continue
            other = rate(all_acts - acts, all_divisors - divisor)
            if other is not None and earned >= other * BETTER:
                found.append(Slot(platform, pk, weekday, start, posts, earned, other))
    return max(
        found, key=lambda slot: (slot.rate, slot.posts, -slot.weekday, -slot.hour), default=None
    )
