"""Memory of a worker process: as the syncs go on, always as many at once, and with 64 reads in flight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psutil
from django.db import connection

from bench.figures import Figure
from bench.stage import cluster, empty, seed, slow_platform, wait_for
from socials.models import Connection
from talent.queue import later

ACCOUNTS = 500
AT_ONCE = 100
"""Accounts that are due together while the syncs go on: what grows then, grows with their number."""
SYNCS = 10_000
IN_FLIGHT = 64


@dataclass(frozen=True)
class Sizes:
    """MB of one process: as ``ps`` shows it, and what of it is not shared with its siblings."""

    resident: float
    own: float


def measure() -> list[Figure]:
    empty()
    seed(ACCOUNTS)
    with slow_platform(0.3), cluster(workers=2, concurrency=IN_FLIGHT) as guard:
        busiest = _busiest(guard)
        on_the_way = []
        for _ in range(0, SYNCS, AT_ONCE):
            _sync(AT_ONCE)
            on_the_way.append(busiest())
        in_flight = _sync(ACCOUNTS, lambda: busiest().resident)
    early, late = on_the_way[0], on_the_way[-1]
    made_of = {
        "MB after 100": early.resident,
        f"MB after {SYNCS:,}": late.resident,
        "MB on the way": [sizes.resident for sizes in on_the_way[::10]],
        "own MB after 100": early.own,
        f"own MB after {SYNCS:,}": late.own,
        "own MB on the way": [sizes.own for sizes in on_the_way[::10]],
    }
    return [
        Figure("worker with 64 reads in flight", in_flight, unit="MB"),
        Figure(f"worker after {SYNCS:,} syncs ÷ after 100", late.resident / early.resident,
               None, 1.2, made_of=made_of),
        Figure("of it what is its own, not shared", late.own / early.own),
    ]  # fmt: skip


def _busiest(guard: psutil.Process) -> Callable[[], Sizes]:
    """The largest process of the cluster."""

    def sizes() -> Sizes:
        found = [process.memory_full_info() for process in guard.children(recursive=True)]
        largest = max(found, key=lambda memory: memory.uss)
        return Sizes(_megabytes(largest.rss), _megabytes(largest.uss))

    return sizes


def _megabytes(number: int) -> float:
    return round(number / 2**20, 1)


def _sync(number: int, look: Callable[[], float] = lambda: 0.0) -> float:
    """So many accounts at once; the largest of the looks meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        asked_at = cursor.fetchone()[0]
    ids = list(Connection.objects.order_by("pk").values_list("pk", flat=True)[:number])
    Connection.objects.filter(pk__in=ids).request(trigger="manual", priority=0)
    later("socials.tasks.sync_due", "")
    largest = 0.0
    while Connection.objects.filter(pk__in=ids, last_synced_at__gt=asked_at).count() < number:
        largest = max(largest, look())
        try:
            wait_for("SELECT NOT EXISTS (SELECT FROM socials_connection "
                     "WHERE sync_status IN ('PENDING', 'SYNCING')) AND %s > 0", [number],
                     seconds=0.5)  # fmt: skip
        except TimeoutError:
            continue
    return largest
