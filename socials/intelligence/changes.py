"""What changed since yesterday, of one talent or of the whole roster: two statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database

from socials.intelligence.flags import SMALLEST_CHANGE, SMALLEST_SHARE
from socials.intelligence.types import Growth

MOST_MOVES = 25


@dataclass(frozen=True, slots=True)
class Move:
    """One account's followers, against yesterday's."""

    talent_id: int
    talent: str
    connection_id: int
    platform: str
    handle: str
    before: int
    now: int

    @property
    def growth(self) -> Growth:
        return Growth.between(self.before, self.now)

    @property
    def is_unusual(self) -> bool:
        """Whether it is large enough to be looked at: 5% and 100 followers in a day."""
        size = abs(self.now - self.before)
        return size >= SMALLEST_CHANGE and size >= self.before * SMALLEST_SHARE


@dataclass(frozen=True, slots=True)
class Changes:
    """Since yesterday: the sums over all accounts that were read on both days, and who moved most.

    Followers are what may be added across platforms: "sum, calculated by Greenroom".
    """

    accounts: int
    up: int
    down: int
    gained: int
    new_posts: int
    """Published within 24 hours."""
    moves: tuple[Move, ...]
    """The largest in percent first, at most 25; a standstill is none."""


_BOTH_DAYS = """
    FROM socials_connection c
    JOIN talent_talent t ON t.id = c.talent_id
    JOIN LATERAL (
        SELECT followers FROM socials_snapshot
        WHERE connection_id = c.id AND date = %(today)s AND followers IS NOT NULL
    ) now ON true
    JOIN LATERAL (
        SELECT followers FROM socials_snapshot
        WHERE connection_id = c.id AND date = %(today)s - 1 AND followers IS NOT NULL
    ) before ON true
    WHERE t.status = 'active' AND (%(talent)s::bigint IS NULL OR t.id = %(talent)s)
"""
_SUMS = f"""
    SELECT count(*), count(*) FILTER (WHERE now.followers > before.followers),
        count(*) FILTER (WHERE now.followers < before.followers),
        COALESCE(sum(now.followers - before.followers), 0)::bigint, (
            SELECT COALESCE(sum(fresh.posts), 0)::bigint FROM socials_connection c
            JOIN talent_talent t ON t.id = c.talent_id
            CROSS JOIN LATERAL (
                SELECT count(*) AS posts FROM socials_post
                WHERE connection_id = c.id AND deleted_at IS NULL
                    AND posted_at > %(since)s AND posted_at <= %(until)s
            ) fresh
            WHERE t.status = 'active' AND (%(talent)s::bigint IS NULL OR t.id = %(talent)s)
        )
    {_BOTH_DAYS}
"""  # noqa: S608  built from this module's constants alone
_MOVES = f"""
    SELECT t.id, t.name, c.id, c.platform, c.handle, before.followers, now.followers
    {_BOTH_DAYS} AND now.followers <> before.followers
    ORDER BY abs(now.followers - before.followers)::float8 / GREATEST(before.followers, 1) DESC, c.id
    LIMIT %(most)s
"""


def since_yesterday(now: datetime, *, talent_id: int | None = None) -> Changes:
    """Today's points against yesterday's (UTC), of active talents or of one of them."""
    values = {
        "today": now.date(),
        "since": now - timedelta(hours=24),
        "until": now,
        "talent": talent_id,
        "most": MOST_MOVES,
    }
    with database.cursor() as cursor:
        cursor.execute(_SUMS, values)
        accounts, up, down, gained, new_posts = cursor.fetchone() or (0, 0, 0, 0, 0)
        cursor.execute(_MOVES, values)
        moves = tuple(Move(*row) for row in cursor.fetchall())
    return Changes(accounts, up, down, gained, new_posts, moves)
