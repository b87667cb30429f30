"""A talent's figures: much data against little, kept ones, and the statements alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from math import inf
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from bench.figures import Figure
from bench.pages import signed_in
from bench.stage import empty, multiply, seed
from socials.intelligence import kept, summary
from socials.models import Connection, Post, Profile, Snapshot
from talent.models import Talent

PLATFORMS = ("INSTAGRAM", "TIKTOK", "YOUTUBE")
MUCH, LITTLE = (10_000, 730), (100, 30)
"""Posts and days of history, over three accounts."""
WINDOWS = (30, 365)
ROUNDS = 25

Statement = tuple[str, Any]


def measure() -> list[Figure]:
    """Each window, cold and kept, at the talent with much and the one with little by turns."""
    empty()
    _roster()
    much, little = (_talent(*size) for size in (MUCH, LITTLE))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE socials_post, socials_snapshot, socials_connection")
    client = signed_in()
    found = []
    for days in WINDOWS:
        found += _window(client, much, little, days)
    return found


def _window(client: Client, much: int, little: int, days: int) -> list[Figure]:
    asks: dict[str, Callable[[int], Any]] = {
        "cold": lambda pk: _get(client, pk, days),
        "kept": lambda pk: _get(client, pk, days),
        "unchanged": lambda pk: _get(client, pk, days, HTTP_IF_NONE_MATCH=etags[pk]),
        "computed": lambda pk: summary.compute(pk, days=days, now=timezone.now()),
        "statements": lambda pk: _run(statements[pk]),
    }
    statements = {pk: _statements(pk, days) for pk in (much, little)}
    etags = {pk: _get(client, pk, days)["ETag"] for pk in (much, little)}
    took = _quickest(asks, (much, little))
    return [
        *(
            _ratio(
                f"figures of {days} days, {name}: much ÷ little", took[name][0], took[name][1], most
            )
            for name, most in (("cold", 2.0), ("kept", 1.1), ("unchanged", 1.1))
        ),
        _ratio(
            f"figures of {days} days ÷ their statements alone",
            took["computed"][0],
            took["statements"][0],
            3.0,
        ),
    ]


def _ratio(name: str, above: float, below: float, most: float) -> Figure:
    return Figure(name, above / below, None, most, made_of={"ms": above, "ms against": below})


def _quickest(
    asks: Mapping[str, Callable[[int], Any]], talents: Sequence[int]
) -> dict[str, list[float]]:
    """Milliseconds of each question for each talent, asked by turns: the least of all rounds,
    which is what a busy machine disturbs least."""
    found: dict[str, list[float]] = {name: [inf] * len(talents) for name in asks}
    for turn in range(ROUNDS):
        # Who comes first pays for what the question before left in the processor's caches.
        order = list(enumerate(talents))[:: 1 if turn % 2 else -1]
        for name, ask in asks.items():
            for number, pk in order:
                if name == "cold":
                    kept.forget(pk)
                found[name][number] = min(found[name][number], _milliseconds(ask, pk))
    return found


def _milliseconds(ask: Callable[[int], Any], pk: int) -> float:
    began = time.perf_counter()
    ask(pk)
    return (time.perf_counter() - began) * 1000


# --- what is asked ---


def _get(client: Client, pk: int, days: int, **headers: str) -> Any:
    answer = client.get(
        f"/api/admin/talent/{pk}/social-intelligence",
        {"days": days},
        **headers,  # type: ignore[arg-type]
    )
    assert answer.status_code in (200, 304), answer.content
    return answer


def _statements(pk: int, days: int) -> list[Statement]:
    """What the figures ask of the database."""
    asked: list[Statement] = []

    def note(execute: Any, sql: str, params: Any, *more: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, *more)

    with connection.execute_wrapper(note):
        summary.compute(pk, days=days, now=timezone.now())
    return asked


def _run(statements: Sequence[Statement]) -> None:
    with connection.cursor() as cursor:
        for sql, values in statements:
            cursor.execute(sql, values)
            cursor.fetchall()


# --- who is asked about ---


def _roster() -> None:
    """Others, as any roster has: 1,000 accounts with 50 posts each."""
    seed(1_000)
    post = Post.objects.create(
        connection=Connection.objects.all()[0], external_id="template", kind="VIDEO",
        source="bench", fetched_at=timezone.now(), caption="A caption. " * 20,
    )  # fmt: skip
    multiply(
        post, 50_000, external_id="'post-' || n", posted_at="now() - n / 1000 * interval '1 day'",
        connection_id="(SELECT min(id) FROM socials_connection) + n % 1000".replace("%", "%%"),
        likes="n", views="n * 10",
    )  # fmt: skip


def _talent(posts: int, days: int) -> int:
    """A talent with three accounts, the posts spread evenly over the days, a point a day."""
    talent = Talent.objects.create(name=f"{posts} posts", slug=f"with-{posts}-posts")
    for number, platform in enumerate(PLATFORMS):
        share = posts // len(PLATFORMS) + (number < posts % len(PLATFORMS))
        _account(talent, platform, share, days)
    return talent.pk


def _account(talent: Talent, platform: str, posts: int, days: int) -> None:
    now = timezone.now()
    row = Connection.objects.create(
        talent=talent, platform=platform, handle=f"bench{talent.pk}",
        handle_key=f"bench{talent.pk}", profile_url="https://platform.example/bench",
        sync_status="READY", last_synced_at=now, source="bench",
    )  # fmt: skip
    Profile.objects.create(
        connection=row, followers=100_000, posts=posts, source="bench", fetched_at=now
    )
    point = Snapshot.objects.create(
        connection=row, date=now.date() - timedelta(days=9999), source="bench", taken_at=now,
        view_definition="bench",
    )  # fmt: skip
    multiply(
        point, days, date="CURRENT_DATE - n + 1", followers="100000 - n * 7", posts="500 - n / 2"
    )
    post = Post.objects.create(
        connection=row, external_id="template", kind="VIDEO", source="bench", fetched_at=now,
        view_definition="bench", caption="A caption of the usual length, with #tags and all. " * 4,
        url="https://platform.example/post", quality={"likes": "exact", "views": "exact"},
    )  # fmt: skip
    step = f"interval '{days} days' / {posts}"
    multiply(
        post, posts, external_id="'post-' || n", posted_at=f"now() - (n - 0.5) * {step}",
        likes="1000 + n * 7919 %% 5000", comments="n * 104729 %% 300", shares="n %% 50",
        saves="n %% 20", views="20000 + n * 15485863::bigint %% 90000",
    )  # fmt: skip
    point.delete()
    post.delete()
