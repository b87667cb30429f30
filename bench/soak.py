"""``python -m bench.soak --minutes 30``: web and workers under steady use, looked at all the time.

What must stay flat: memory, threads, open files, sessions of the database. The first fifth is for
warming up; after it the last quarter is compared with the first.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import statistics
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import psutil

from bench.__main__ import FOLDER, set_up

if TYPE_CHECKING:
    from bench.figures import Figure
    from bench.hits import Address

ACCOUNTS = 300
EVERY_SECONDS = 15.0
"""Between two looks; each asks half of the accounts for a sync."""

PAUSE_SECONDS = 0.2
"""Between two requests of the office."""

WARM = 0.2
Sample = dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    minutes = parser.parse_args().minutes
    set_up()
    # Models can be imported only once Django is set up.
    from bench import figures, stage, web  # noqa: PLC0415

    stage.empty()
    stage.seed(ACCOUNTS)
    cookie = web.sign_in()
    with (
        web.server() as (server, port),
        stage.slow_platform(0.3),
        stage.cluster(workers=2, concurrency=32, production=True) as guard,
    ):
        office = Office(port, cookie, web.with_etags(port, cookie, web.mixed()))
        samples = _watch(office, server, guard, minutes * 60)
    found = _judge(samples, office, minutes)
    figures.keep(FOLDER, "soak", found)
    (FOLDER / "soak-samples.json").write_text(json.dumps(samples, indent=1) + "\n")
    figures.show(found)
    return int(any(figure.met is False for figure in found))


class Office:
    """One reader after another, for as long as it takes."""

    def __init__(self, port: int, cookie: str, addresses: Sequence[Address]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookie = cookie
        self.turns = itertools.cycle(addresses)
        self.requests = self.errors = 0

    def ask(self) -> None:
        address = next(self.turns)
        self.requests += 1
        headers = {"Cookie": self.cookie, "If-None-Match": address.etag}
        try:
            self.connection.request("GET", address.path, headers=headers)
            answer = self.connection.getresponse()
            answer.read()
            self.errors += answer.status >= 400
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.errors += 1


def _watch(
    office: Office, server: psutil.Process, guard: psutil.Process, seconds: float
) -> list[Sample]:
    from bench import stage  # noqa: PLC0415
    from socials.models import Connection  # noqa: PLC0415
    from talent.queue import later  # noqa: PLC0415

    began = looked = time.monotonic()
    samples: list[Sample] = []
    ids = list(Connection.objects.order_by("pk").values_list("pk", flat=True))
    while time.monotonic() - began < seconds:
        office.ask()
        time.sleep(PAUSE_SECONDS)
        if time.monotonic() - looked < EVERY_SECONDS:
            continue
        looked = time.monotonic()
        half = ids[len(samples) % 2 :: 2]
        Connection.objects.filter(pk__in=half).request(trigger="schedule", priority=5)
        later("socials.tasks.sync_due", "")
        samples.append({
            "seconds": round(looked - began),
            **_held("web", server),
            **_held("worker", guard),
            "sessions": stage.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"),
            "jobs": stage.number("SELECT count(*) FROM django_q_ormq"),
            "syncs": stage.number("SELECT count(*) FROM socials_sync_run WHERE outcome = 'ready'"),
            "failed syncs": stage.number("SELECT count(*) FROM socials_sync_run WHERE outcome <> 'ready'"),
        })  # fmt: skip
    return samples


def _held(name: str, root: psutil.Process) -> Sample:
    """What a process and its children hold together: memory of their own, threads, open files."""
    memory = threads = files = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            memory += process.memory_full_info().uss / 2**20
            threads += process.num_threads()
            files += process.num_fds()
        except psutil.NoSuchProcess:
            continue
    return {f"{name} MB": round(memory, 1), f"{name} threads": threads, f"{name} files": files}


def _judge(samples: Sequence[Sample], office: Office, minutes: float) -> list[Figure]:
    from bench.figures import Figure  # noqa: PLC0415

    warm = samples[int(len(samples) * WARM) :]
    part = max(1, len(warm) // 4)

    def growth(name: str, at_most: float) -> Figure:
        ends = [statistics.median(s[name] for s in some) for some in (warm[:part], warm[-part:])]
        made_of = {"start": ends[0], "end": ends[1], "most": max(s[name] for s in warm)}
        return Figure(
            f"soak: {name}, end ÷ start", ends[1] / ends[0], None, at_most, made_of=made_of
        )

    last = samples[-1]
    told = {"minutes": minutes, "syncs": last["syncs"], "failed syncs": last["failed syncs"],
            "jobs at the end": last["jobs"], "requests": office.requests}  # fmt: skip
    return [
        growth("web MB", 1.1), growth("worker MB", 1.15), growth("web threads", 1.05),
        growth("worker threads", 1.1), growth("web files", 1.05), growth("worker files", 1.1),
        growth("sessions", 1.1),
        Figure("soak: failed requests", office.errors, None, 0, unit="", made_of=told),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
