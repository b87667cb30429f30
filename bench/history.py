"""What history costs at 100,000 accounts: bytes a point, and questions asked of it.

A day's points lie together, as syncs write them, so one account's points lie far apart. Fifty days
are stored; sizes are told for two years by proportion, times are those of the fifty days.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from bench.figures import Figure, median
from bench.stage import empty, number, seed
from socials.intelligence import history
from socials.intelligence.changes import since_yesterday
from socials.models import Connection

ACCOUNTS, DAYS, TWO_YEARS = 100_000, 50, 730
TIMES = 15
GIGABYTE = 1e9

_A_DAY = """
    INSERT INTO socials_snapshot (connection_id, date, followers, following, posts, views,
        engagement_rate, view_definition, source, taken_at)
    SELECT id, %(day)s, 100000 + id %% 977 - %(ago)s * 7, 321, 500, 9000000 - %(ago)s * 100, 3.21,
        'youtube.views.2026-08-27', 'youtube_data', %(day)s::timestamptz + interval '12 hours'
    FROM socials_connection
"""


def measure() -> list[Figure]:
    _fill()
    points = ACCOUNTS * DAYS
    table = number("SELECT pg_table_size('socials_snapshot')")
    indexes = number("SELECT pg_indexes_size('socials_snapshot')")
    whole = TWO_YEARS / DAYS / GIGABYTE
    ids = list(Connection.objects.order_by("pk").values_list("pk", flat=True)[:3])
    today = timezone.now().date()
    return [
        Figure(
            "a point of history", (table + indexes) / points, None, 250, "bytes",
            {"table": table / points, "indexes": indexes / points},
        ),
        Figure(
            "100,000 accounts over two years, by proportion", (table + indexes) * whole, None, 20,
            "GB", {"GB table": table * whole, "GB indexes": indexes * whole},
        ),
        _took("the lines of a talent's three accounts", 10, lambda: _lines(ids, today)),
        _took("growth of three accounts over four spans", 10, lambda: _growth(ids, today)),
        _took("the roster since yesterday", 3_000, lambda: since_yesterday(timezone.now())),
    ]  # fmt: skip


def _lines(ids: list[int], today: date) -> None:
    lines = history.series(dict.fromkeys(ids, "YOUTUBE"), days=TWO_YEARS, today=today)
    assert [len(line.followers) for line in lines] == [DAYS] * 3


def _growth(ids: list[int], today: date) -> None:
    found = history.growth(dict.fromkeys(ids, (today, 100_000)))
    assert all(spans["d7"] for spans in found.values())


def _took(name: str, most: float, ask: Callable[[], object]) -> Figure:
    def once() -> float:
        began = time.perf_counter()
        ask()
        return (time.perf_counter() - began) * 1000

    once()
    middle, _ = median(TIMES if most < 1000 else 3, once)
    return Figure(f"{name}, of {ACCOUNTS * DAYS:,} points", middle, None, most, "ms")


def _fill() -> None:
    empty()
    seed(ACCOUNTS)
    today = timezone.now().date()
    with connection.cursor() as cursor:
        for ago in range(DAYS - 1, -1, -1):
            cursor.execute(_A_DAY, {"day": today - timedelta(days=ago), "ago": ago})
        cursor.execute("VACUUM ANALYZE socials_snapshot, socials_connection, talent_talent")
