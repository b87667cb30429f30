"""What the posts of a window say: sums, samples, ranks and hours, one statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database

from socials import platforms
from socials.engagement import basis_of, rate
from socials.intelligence.types import RankedPost, Slot

PARTS = ("likes", "comments", "shares", "saves")
MOST_BEST = 12
SLOT_HOURS = 2
FEWEST_IN_SLOT = 3
BETTER = 1.1
"""Less than a tenth more is chance."""

ACTS = "likes + COALESCE(comments, 0) + COALESCE(shares, 0) + COALESCE(saves, 0)"
"""As ``engagement.interactions``: null where the likes are."""
IN_WINDOW = """
    connection_id = ANY(%(ids)s) AND deleted_at IS NULL
    AND posted_at > %(start)s AND posted_at <= %(now)s
"""


@dataclass(frozen=True, slots=True)
class Sums:
    """One account's posts in a window, added up."""

    posts: int = 0
    counted: int = 0
    acts: int = 0
    counted_by_views: int = 0
    acts_by_views: int = 0
    views_by_views: int = 0
    with_views: int = 0
    average_views: float | None = None
    median_views: float | None = None
    told: tuple[int, int, int, int] = (0, 0, 0, 0)
    """How many counted posts tell likes, comments, shares, saves."""
    definitions: tuple[str, ...] = ()
    read_at: datetime | None = None
    source: str = ""


_SUMS = f"""
    SELECT connection_id, count(*), count(likes), COALESCE(sum({ACTS}), 0),
        count(*) FILTER (WHERE likes IS NOT NULL AND views IS NOT NULL),
        COALESCE(sum({ACTS}) FILTER (WHERE views IS NOT NULL), 0),
        COALESCE(sum(views) FILTER (WHERE likes IS NOT NULL), 0),
        count(views), avg(views)::float8,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY views),
        count(likes), count(comments) FILTER (WHERE likes IS NOT NULL),
        count(shares) FILTER (WHERE likes IS NOT NULL),
        count(saves) FILTER (WHERE likes IS NOT NULL),
        array_agg(DISTINCT view_definition) FILTER (WHERE view_definition <> ''),
        max(fetched_at), (array_agg(source ORDER BY fetched_at DESC))[1]
    FROM socials_post WHERE {IN_WINDOW}
    GROUP BY connection_id
"""  # noqa: S608  built from this module's constants alone


def sums(ids: Sequence[int], *, start: datetime, now: datetime) -> dict[int, Sums]:
    """Each account's posts in (start, now], added up. Accounts without any are absent."""
    rows = _rows(_SUMS, {"ids": list(ids), "start": start, "now": now})
    return {
        row[0]: Sums(
            row[1], row[2], int(row[3]), row[4], int(row[5]), int(row[6]), row[7], row[8], row[9],
            (row[10], row[11], row[12], row[13]), tuple(row[14] or ()), row[15], row[16],
        )
        for row in rows
    }  # fmt: skip


_STORED = """
    SELECT account.id,
        (SELECT count(*) FROM socials_post WHERE connection_id = account.id AND deleted_at IS NULL),
        (SELECT min(posted_at) FROM socials_post
         WHERE connection_id = account.id AND posted_at IS NOT NULL)
    FROM unnest(%(ids)s::bigint[]) AS account (id)
"""


def stored(ids: Sequence[int]) -> dict[int, tuple[int, datetime | None]]:
    """Each account's number of stored posts, and when the oldest of them was published."""
    return {pk: (posts, oldest) for pk, posts, oldest in _rows(_STORED, {"ids": list(ids)})}


_BEST = f"""
    SELECT * FROM (
        SELECT post.id, post.connection_id, c.platform, followers, post.external_id, kind, caption,
            url, thumbnail_url, posted_at, duration_seconds, post.likes, comments, shares, saves,
            post.views, reach, deleted_at,
            row_number() OVER (
                PARTITION BY c.platform
                ORDER BY CASE WHEN c.platform = ANY(%(by_followers)s)
                    THEN ({ACTS.replace("likes", "post.likes")})::float8 / NULLIF(followers, 0)
                    ELSE ({ACTS.replace("likes", "post.likes")})::float8 / NULLIF(post.views, 0)
                END DESC NULLS LAST, post.views DESC NULLS LAST, posted_at DESC, post.id DESC
            ) AS rank, post.source, post.fetched_at
        FROM socials_post post
        JOIN socials_connection c ON c.id = post.connection_id
        LEFT JOIN socials_profile profile ON profile.connection_id = c.id
        WHERE post.{IN_WINDOW.strip()}
    ) ranked WHERE rank <= %(most)s
"""  # noqa: S608  built from this module's constants alone


def best(ids: Sequence[int], *, start: datetime, now: datetime) -> tuple[RankedPost, ...]:
    """At most 12 posts: the first of each platform, then the second of each, and so on.

    Rates of different platforms are never compared: each post is ranked within its own.
    """
    order = list(platforms.PLATFORMS)
    by_followers = [name for name in order if basis_of(name) == "followers"]
    found = _rows(
        _BEST,
        {
            "ids": list(ids),
            "start": start,
            "now": now,
            "most": MOST_BEST,
            "by_followers": by_followers,
        },
    )
    ranked = (RankedPost(*row) for row in found)
    return tuple(
        sorted(ranked, key=lambda post: (post.rank, order.index(post.platform)))[:MOST_BEST]
    )


# --- when ---


@dataclass(frozen=True, slots=True)
class Hour:
    """One account's posts in one hour of the week."""

    connection_id: int
    weekday: int
    hour: int
    posts: int
    counted: int
    acts: int
    counted_by_views: int
    acts_by_views: int
    views: int


_HOURS = f"""
    SELECT connection_id, extract(isodow FROM at)::int - 1, extract(hour FROM at)::int,
        count(*), count(likes), COALESCE(sum({ACTS}), 0),
        count(*) FILTER (WHERE likes IS NOT NULL AND views IS NOT NULL),
        COALESCE(sum({ACTS}) FILTER (WHERE views IS NOT NULL), 0),
        COALESCE(sum(views) FILTER (WHERE likes IS NOT NULL), 0)
    FROM (
        SELECT *, posted_at AT TIME ZONE %(zone)s AS at FROM socials_post WHERE {IN_WINDOW}
    ) local
    GROUP BY 1, 2, 3
"""  # noqa: S608  built from this module's constants alone


def hours(ids: Sequence[int], *, start: datetime, now: datetime, zone: str) -> list[Hour]:
    """Posts by hour of the week, as clocks in ``zone`` showed it when they were published."""
    rows = _rows(_HOURS, {"ids": list(ids), "start": start, "now": now, "zone": zone})
    return [Hour(*(int(number) for number in row)) for row in rows]


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
    by_account: dict[int, dict[tuple[int, int], Hour]] = defaultdict(dict)
    for hour in found:
        by_account[hour.connection_id][hour.weekday, hour.hour] = hour
    slots = []
    for pk, (platform, followers) in accounts.items():
        week = by_account.get(pk, {})
        if slot := _best_slot(pk, platform, followers, week):
            slots.append(slot)
    return tuple(slots)


def _best_slot(
    pk: int, platform: str, followers: int | None, week: dict[tuple[int, int], Hour]
) -> Slot | None:
    by_followers = basis_of(platform) == "followers"

    def counted(chosen: Iterable[Hour]) -> tuple[int, float | None]:
        hours = list(chosen)
        if by_followers:
            posts = sum(hour.counted for hour in hours)
            return posts, rate(sum(hour.acts for hour in hours), posts * (followers or 0))
        posts = sum(hour.counted_by_views for hour in hours)
        return posts, rate(
            sum(hour.acts_by_views for hour in hours), sum(hour.views for hour in hours)
        )

    found: list[Slot] = []
    for weekday in range(7):
        for start in range(24 - SLOT_HOURS + 1):
            keys = {(weekday, start + step) for step in range(SLOT_HOURS)}
            posts, earned = counted(week[key] for key in keys if key in week)
            if posts >= FEWEST_IN_SLOT and earned is not None:
                _, other = counted(hour for key, hour in week.items() if key not in keys)
                if other is not None and earned >= other * BETTER:
                    found.append(Slot(platform, pk, weekday, start, posts, earned, other))
    return max(
        found, key=lambda slot: (slot.rate, slot.posts, -slot.weekday, -slot.hour), default=None
    )


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
