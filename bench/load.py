"""Pages, polls and the API for a full office, while two workers sync without a pause."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from bench import hits, stage, web
from bench.figures import Figure
from bench.hits import Hits
from socials.models import Connection, SyncStatus
from talent.queue import later

ACCOUNTS = 1_000
READERS = 8
SECONDS = 10
TIMES = 3


def measure() -> list[Figure]:
    stage.empty()
    stage.seed(ACCOUNTS)
    cookie = web.sign_in()
    idle: list[Hits] = []
    busy: list[Hits] = []
    before = stage.number("SELECT count(*) FROM socials_sync_run")
    with web.server() as (_, port), stage.slow_platform(0.3):
        addresses = web.with_etags(port, cookie, web.mixed())

        def ask(meanwhile: Callable[[], None] = lambda: None) -> Hits:
            return hits.read(
                port,
                addresses,
                cookie=cookie,
                readers=READERS,
                seconds=SECONDS,
                meanwhile=meanwhile,
            )

        ask()  # warm
        for _ in range(TIMES):
            idle.append(ask())
            with stage.cluster(workers=2, concurrency=32, production=True):
                sync_all_again()
                busy.append(ask(sync_all_again))
    synced = stage.number("SELECT count(*) FROM socials_sync_run") - before
    return _figures(idle, busy, synced / (TIMES * SECONDS))


def sync_all_again() -> None:
    """Whenever less than half still waits, everything is asked for again: nobody gets idle."""
    waiting = Connection.objects.filter(sync_status=SyncStatus.PENDING).count()
    if waiting < ACCOUNTS // 2:
        Connection.objects.all().request(trigger="schedule", priority=5)
        later("socials.tasks.sync_due", "")


def _figures(idle: list[Hits], busy: list[Hits], syncs_a_second: float) -> list[Figure]:
    errors = sum(each.errors for each in (*idle, *busy))
    quiet, loaded = (statistics.median(each.p95 for each in runs) for runs in (idle, busy))
    made_of = {
        "p95 ms": round(loaded), "idle": round(quiet), "syncs a second": round(syncs_a_second),
        "requests a second": [round(each.requests / each.seconds) for each in busy],
        "idle a second": [round(each.requests / each.seconds) for each in idle],
    }  # fmt: skip
    total = sum(each.requests for each in (*idle, *busy))
    return [
        Figure("failed requests of a full office", errors, None, 0, unit="", made_of={"of": total}),
        Figure("p95 of its requests while 2 workers sync", loaded, None, 500, unit="ms"),
        Figure("the same ÷ while nothing syncs", loaded / quiet, None, 4, made_of=made_of),
    ]
