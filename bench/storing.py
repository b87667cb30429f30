"""Posts a second of the store, beside a bare COPY and INSERT … ON CONFLICT of the same posts."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from bench.figures import Figure
from bench.stage import empty, seed
from socials.models import Connection
from socials.sync import reading, store
from socials.sync.reading import Held
from socials.types import Count, Post, PostKind, Profile, Reading

ACCOUNTS = 64
POSTS = 50
TIMES = 7
COLUMNS = (
    "connection_id", "external_id", "kind", "caption", "url", "thumbnail_url", "posted_at",
    "duration_seconds", "likes", "comments", "views", "quality", "view_definition",
    "kind_confidence", "partial", "note", "source", "fetched_at", "metrics_due_at", "created_at",
    "shared_id",
)  # fmt: skip


def measure() -> list[Figure]:
    empty()
    seed(ACCOUNTS)
    read_at = datetime.now(UTC)
    ways = {"new": _forget_posts, "changed": _nothing, "unchanged": _nothing}
    return [_compared(name, before, read_at) for name, before in ways.items()]


def _compared(name: str, before: Callable[[], None], read_at: datetime) -> Figure:
    """Ours and the plain way by turns, so that both meet the same machine."""
    rates: dict[str, list[int]] = {"ours": [], "plain": []}
    for number in range(TIMES):
        for way, keep in (("ours", store.save), ("plain", _plainly)):
            before()
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE socials_post")
            views = 2 * number + (way == "plain") if name == "changed" else 0
            told = _brought(read_at, views=views)
            began = time.perf_counter()
            keep(told)
            rates[way].append(round(ACCOUNTS * POSTS / (time.perf_counter() - began)))
    ratio = statistics.median(rates["ours"]) / statistics.median(rates["plain"])
    made_of = {f"{way} a second": found for way, found in rates.items()}
    return Figure(f"store of {name} posts ÷ COPY + upsert", ratio, 0.5, made_of=made_of)


def _forget_posts() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE socials_post")


def _nothing() -> None:
    """They stay."""


_Brought = tuple[Held, Reading]


def _brought(read_at: datetime, *, views: int) -> list[_Brought]:
    Connection.objects.all().request(trigger="manual", priority=0)
    rows = Connection.objects.all().claim(ACCOUNTS, platform="YOUTUBE", owner="bench")
    if not rows:  # the plain way left them claimed
        Connection.objects.all().release(["bench"])
        rows = Connection.objects.all().claim(ACCOUNTS, platform="YOUTUBE", owner="bench")
    return [(held, _reading(held, read_at, views)) for held in reading.prepare(rows)]


def _reading(held: Held, read_at: datetime, views: int) -> Reading:
    posts = tuple(
        Post(
            external_id=f"{held.row.pk}-{number}", kind=PostKind.VIDEO,
            posted_at=read_at - timedelta(days=number), caption=f"How we made it, part {number}",
            url=f"https://www.youtube.com/watch?v={number}",
            thumbnail_url=f"https://i.ytimg.com/vi/{number}/hq.jpg", duration_seconds=253.0,
            likes=Count.exact(73), comments=Count.exact(9), views=Count.exact(1000 + views),
            view_definition="youtube.views.2026-08-27", kind_confidence="guessed",
        )
        for number in range(POSTS)
    )  # fmt: skip
    profile = Profile(external_id="", handle=held.row.handle, followers=Count.exact(45_600))
    return Reading(
        profile=profile, posts=posts, source="youtube_data", fetched_at=read_at, posts_total=POSTS
    )


def _plainly(brought: Sequence[_Brought]) -> None:
    names = ", ".join(COLUMNS)
    told = ", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS[2:])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE told (LIKE socials_post INCLUDING DEFAULTS) ON COMMIT DROP"
        )
        cursor.execute("ALTER TABLE told ALTER COLUMN id DROP NOT NULL")
        with cursor.copy(f"COPY told ({names}) FROM STDIN") as copy:
            for held, reading_ in brought:
                for post in reading_.posts:
                    copy.write_row(_row(held, post, reading_.fetched_at))
        cursor.execute(
            f"INSERT INTO socials_post ({names}) SELECT {names} FROM told "  # noqa: S608
            f"ON CONFLICT (connection_id, external_id) DO UPDATE SET {told}"
        )


def _row(held: Held, post: Post, read_at: datetime) -> tuple[object, ...]:
    quality = json.dumps({"likes": "exact", "comments": "exact", "views": "exact"})
    return (
        held.row.pk, post.external_id, str(post.kind), post.caption, post.url, post.thumbnail_url,
        post.posted_at, post.duration_seconds, post.likes.value, post.comments.value,
        post.views.value, quality, post.view_definition, post.kind_confidence, "[]", "",
        "youtube_data", read_at, read_at, read_at, "",
    )  # fmt: skip
