"""Accounts with posts and points that a reader can add up by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from socials.intelligence import summary
from socials.intelligence.types import Account, Intelligence
from socials.models import Connection, Post, Profile, Snapshot
from talent.models import Talent

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOW.date()
_numbers = count(1)


def account(
    talent: Talent,
    platform: str = "INSTAGRAM",
    handle: str = "",
    *,
    followers: int | None = 1000,
    read: bool = True,
    posts: int | None = None,
    **fields: Any,
) -> Connection:
    """An account that was read an hour before NOW."""
    handle = handle or f"name{next(_numbers)}"
    row = Connection.objects.create(
        talent=talent,
        platform=platform,
        handle=handle,
        handle_key=handle,
        profile_url=f"https://platform.example/{handle}",
        **{
            "sync_status": "READY",
            "last_synced_at": NOW - timedelta(hours=1) if read else None,
            "source": "test",
        }
        | fields,
    )
    if read:
        Profile.objects.create(
            connection=row,
            followers=followers,
            posts=posts,
            quality={"followers": "exact"},
            source="test",
            fetched_at=NOW - timedelta(hours=1),
        )
    return row


def post(row: Connection, *, days_ago: float = 1, **fields: Any) -> Post:
    told = {"likes": 40, "comments": 10, "views": 500, "view_definition": "test.views"}
    return Post.objects.create(
        connection=row,
        kind="VIDEO",
        **{
            "external_id": f"post-{next(_numbers)}",
            "posted_at": NOW - timedelta(days=days_ago),
            "source": "test",
            "fetched_at": NOW,
        }
        | told
        | fields,
    )


def point(row: Connection, day: date | int, followers: int | None, **fields: Any) -> Snapshot:
    """``day``: a date, or so many days before NOW."""
    when = TODAY - timedelta(days=day) if isinstance(day, int) else day
    return Snapshot.objects.create(
        connection=row, date=when, followers=followers, source="test", taken_at=NOW, **fields
    )


def figures(talent: Talent, days: int = 30, now: datetime = NOW) -> Intelligence:
    return summary.compute(talent.pk, days=days, now=now)


def only(talent: Talent, days: int = 30) -> Account:
    (account,) = figures(talent, days).platforms
    return account
