"""Syncs a second with a platform that answers after 300 ms: three calls, fifty posts each."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import psutil
from django.db import connection

from bench.figures import Figure
from bench.stage import cluster, cpu_seconds, empty, seed, slow_platform, wait_for
from socials.models import Connection, SyncStatus
from talent.queue import later

LATENCY_SECONDS = 0.3
CALLS = 3
TIMES = 5
ACCOUNTS = 800
CONCURRENCY = 128
"""Reads in flight of one worker process (SYNC_CONCURRENCY)."""


def measure() -> list[Figure]:
    ours: list[float] = []
    by_cpu: list[float] = []
    with slow_platform(LATENCY_SECONDS) as platform:
        with cluster(workers=2, concurrency=CONCURRENCY) as guard:
            for _ in range(TIMES):
                empty()
                seed(ACCOUNTS)
                idle, used = psutil.cpu_times().idle, cpu_seconds(guard, platform)
                rate = _rate(ACCOUNTS, _ask_ours)
                used = cpu_seconds(guard, platform) - used
                ours.append(rate)
                # What we used of the processors, of that which others left us.
                by_cpu.append(rate * (used + psutil.cpu_times().idle - idle) / used)
        plain = {workers: _plain(workers) for workers in (2, 16)}
    rate = statistics.median(ours)
    by_latency = CONCURRENCY * _loops(2) / (CALLS * LATENCY_SECONDS)
    bound = min(by_latency, statistics.median(by_cpu))
    told = {"ours a second": [round(r, 1) for r in ours]}
    return [
        Figure(
            "syncs ÷ plain, both with 2 workers", rate / statistics.median(plain[2]), 20,
            made_of=told | {"plain a second": [round(r, 2) for r in plain[2]]},
        ),
        Figure(
            "syncs with 2 workers ÷ plain with 16", rate / statistics.median(plain[16]), 5,
            made_of=told | {"plain a second": [round(r, 2) for r in plain[16]]},
        ),
        Figure(
            "syncs ÷ bound", rate / bound, 0.6,
            made_of=told | {"by latency": by_latency, "by CPU": [round(r) for r in by_cpu]},
        ),
    ]  # fmt: skip


def _loops(workers: int) -> int:
    return max(1, workers - 1)


def _plain(workers: int) -> list[float]:
    number = workers * 8
    rates = []
    with cluster(workers=workers, concurrency=1):
        for _ in range(TIMES):
            empty()
            seed(number)
            rates.append(_rate(number, _ask_plainly))
    return rates


def _rate(number: int, ask: Callable[[], None]) -> float:
    ask()
    wait_for(
        "SELECT count(*) = %s FROM socials_connection WHERE sync_status = 'READY' "
        "AND last_synced_at > started_at",
        [number],
        seconds=300,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM max(last_synced_at) - min(started_at)) FROM socials_connection"
        )
        return number / float(cursor.fetchone()[0])


def _ask_ours() -> None:
    Connection.objects.all().request(trigger="manual", priority=0)
    later("socials.tasks.sync_due", "")


def _ask_plainly() -> None:
    for pk in Connection.objects.filter(sync_status=SyncStatus.READY).values_list("pk", flat=True):
        later("bench.plain.sync_one", pk)
