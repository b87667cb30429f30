"""What changed since yesterday, of one talent or of the whole roster: two statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from socials import handles
from socials.intelligence.flags import SMALLEST_CHANGE, SMALLEST_SHARE
from socials.intelligence.statements import rows
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
    def shown(self) -> str:
        """The handle as people write it."""
        return handles.at(self.platform, self.handle)

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


# Both days are read from the index alone, once for sums and moves.
_CHANGES = """
    WITH pair AS MATERIALIZED (
        SELECT t.id AS talent_id, t.name, c.id, c.platform, c.handle,
            before.followers AS before, now.followers AS now
        FROM socials_connection c
        JOIN talent_talent t ON t.id = c.talent_id
        JOIN socials_snapshot now ON now.connection_id = c.id AND now.date = %(today)s
        JOIN socials_snapshot before ON before.connection_id = c.id AND before.date = %(today)s - 1
        WHERE t.status = 'active' AND (%(talent)s::bigint IS NULL OR t.id = %(talent)s)
            AND now.followers IS NOT NULL AND before.followers IS NOT NULL
    ), sums AS (
        SELECT count(*) AS accounts, count(*) FILTER (WHERE now > before) AS up,
            count(*) FILTER (WHERE now < before) AS down,
            COALESCE(sum(now - before), 0) AS gained
        FROM pair
    ), moves AS (
        SELECT * FROM pair WHERE now <> before
        ORDER BY abs(now - before)::float8 / GREATEST(before, 1) DESC, id LIMIT %(most)s
    )
    SELECT accounts, up, down, gained, moves.*
    FROM sums LEFT JOIN moves ON true
    ORDER BY abs(now - before)::float8 / GREATEST(before, 1) DESC, id
"""
_NEW_POSTS = """
    SELECT COALESCE(sum(fresh.posts), 0)::bigint FROM socials_connection c
    JOIN talent_talent t ON t.id = c.talent_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS posts FROM socials_post
        WHERE connection_id = c.id AND deleted_at IS NULL
            AND posted_at > %(since)s AND posted_at <= %(until)s
    ) fresh
    WHERE t.status = 'active' AND (%(talent)s::bigint IS NULL OR t.id = %(talent)s)
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
    found = rows(_CHANGES, values)
    ((new_posts,),) = rows(_NEW_POSTS, values)
    accounts, up, down, gained = found[0][:4]
    moves = tuple(Move(*row[4:]) for row in found if row[4] is not None)
    return Changes(accounts, up, down, int(gained), new_posts, moves)
