"""What grows with the table and what does not: 1,000 and 100,000 accounts, the same number due."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection, transaction

from bench.figures import Figure, median
from bench.stage import empty, seed
from socials.models import Connection
from socials.sync import planner, rescue

DUE = 200
TIMES = 9


def measure() -> list[Figure]:
    found = {number: _at(number) for number in (1_000, 100_000)}
    return [
        Figure(
            f"{name} with 100,000 accounts ÷ with 1,000", found[100_000][name][0] / small, None,
            1.5, made_of={"ms": round(found[100_000][name][0], 2), "ms small": round(small, 2)},
        )
        for name, (small, _) in found[1_000].items()
    ]  # fmt: skip


def _at(number: int) -> dict[str, tuple[float, list[float]]]:
    empty()
    seed(number, due=DUE)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE socials_connection")
    planned = {"planner": _milliseconds(_plan)}
    Connection.objects.filter(next_refresh_at__lte=_now()).request(trigger="schedule", priority=5)
    return {
        "claim": _milliseconds(_claim),
        **planned,
        "sweep of lost rows": _milliseconds(rescue.rescue_expired),
    }


def _plan() -> None:
    assert planner.queue_due("YOUTUBE", limit=DUE) == DUE


def _claim() -> None:
    assert len(Connection.objects.all().claim(DUE, platform="YOUTUBE", owner="bench")) == DUE


def _now() -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


def _milliseconds(act: Callable[[], object]) -> tuple[float, list[float]]:
    """Of an act whose changes are undone each time."""

    def once() -> float:
        with transaction.atomic():
            began = time.perf_counter()
            act()
            seconds = time.perf_counter() - began
            transaction.set_rollback(True)
        return seconds * 1000

    once()
    return median(TIMES, once)
