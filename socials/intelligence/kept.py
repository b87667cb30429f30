"""What is kept of a talent's figures, for as long as nothing moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection as database
from django.utils import timezone

from talent.models import Talent

Made = TypeVar("Made")

MOST_DAYS = 730
KEPT_SECONDS = 900
STEP = timedelta(minutes=5)
"""The window's end moves in steps, so that an answer can be kept for a moment."""
SHAPE = 4
"""Raised when what is kept changes its shape, so that no older copy is read."""
KINDS = ("figures", "json")
"""What is kept of each window: the figures, and the API's answer as it is sent."""


def unless_moved(
    kind: str, talent_id: int, days: int, version: object, make: Callable[[], Made]
) -> Made:
    """What was made of this version of a talent's data; else what ``make`` makes of it now."""
    key = _key(kind, talent_id, days)
    known = cache.get(key)
    if known is not None and known[0] == version:
        made: Made = known[1]
        return made
    fresh = make()
    cache.set(key, (version, fresh), KEPT_SECONDS)
    return fresh


def forget(talent_id: int) -> None:
    """Drop what is kept of a talent, for an erasure."""
    cache.delete_many(
        [_key(kind, talent_id, days) for kind in KINDS for days in range(1, MOST_DAYS + 1)]
    )


def _key(kind: str, talent_id: int, days: int) -> str:
    return f"intelligence:{kind}:{talent_id}:{days}"


_VERSION = """
    SELECT t.timezone, (
        SELECT md5(COALESCE(string_agg(concat_ws(' ', c.id, c.xmin, c.ctid, p.xmin, p.ctid, (
            SELECT id FROM socials_post WHERE connection_id = c.id
            ORDER BY posted_at DESC NULLS LAST, id DESC LIMIT 1
        ), (
            SELECT posted_at FROM socials_post
            WHERE connection_id = c.id AND posted_at IS NOT NULL
            ORDER BY posted_at ASC NULLS FIRST, id ASC LIMIT 1
        ), (
            SELECT min(date) FROM socials_snapshot WHERE connection_id = c.id
        )), ';' ORDER BY c.id), ''))
        FROM socials_connection c LEFT JOIN socials_profile p ON p.connection_id = c.id
        WHERE c.talent_id = t.id
    )
    FROM talent_talent t WHERE t.id = %s
"""


def version_of(talent_id: int) -> tuple[Any, ...]:
    """What every answer stands for: PostgreSQL's own row versions, which no sync can forget to
    move, both ends of posts and history, which show what retention took, and the step of time.
    Costs the same for any number of posts. One statement. Raises Talent.DoesNotExist.
    """
    with database.cursor() as cursor:
        cursor.execute(_VERSION, [talent_id if talent_id < 2**63 else -1])
        row = cursor.fetchone()
    if row is None:
        raise Talent.DoesNotExist
    return SHAPE, *row, step(timezone.now()).isoformat()


def step(now: datetime) -> datetime:
    return datetime.fromtimestamp(
        now.timestamp() // STEP.total_seconds() * STEP.total_seconds(), UTC
    )
