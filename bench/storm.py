"""``python -m bench.storm --seeds 20 --connections 500``: two clusters are killed at random.

Whatever happens, in the end every account is READY with its posts once, or rightly in ERROR.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field

import psutil

from bench.__main__ import FOLDER, set_up

STORM_SECONDS = 15.0
LEASE_SECONDS = 8
"""Short, so that leases do run out: of processes that are frozen for longer, and then go on."""
FROZEN_SECONDS = 12.0
PATIENCE_SECONDS = 12.0
"""What taking back may take on a busy machine, the database's own recovery included."""
CALM_SECONDS = 180.0
"""Longer than many leases: whoever is still held then is stuck."""

POSTS = 50


@dataclass(slots=True)
class Weather:
    """One storm: what was done, and how long the calm took afterwards."""

    seed: int
    done: dict[str, int] = field(default_factory=dict)
    rescued: int = 0
    superseded: int = 0
    claims_at_most: int = 0
    past_their_lease: int = 0
    """Rows that nobody took back, with patience, after their lease's end."""
    errors: dict[str, int] = field(default_factory=dict)
    seconds_to_calm: float = 0.0
    broken: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--connections", type=int, default=500)
    options = parser.parse_args()
    set_up()
    storms = []
    for seed in range(options.first, options.first + options.seeds):
        storms.append(_storm(seed, options.connections))
        sys.stdout.write(f"{json.dumps(asdict(storms[-1]))}\n")
        sys.stdout.flush()
    (FOLDER / "storm.json").write_text(json.dumps([asdict(storm) for storm in storms], indent=2))
    return int(any(storm.broken for storm in storms))


def _storm(seed: int, number: int) -> Weather:
    # Models can be imported only once Django is set up.
    from bench import stage  # noqa: PLC0415
    from socials.models import Connection  # noqa: PLC0415
    from talent.queue import later  # noqa: PLC0415

    chance, weather = random.Random(seed), Weather(seed)  # noqa: S311  no secret
    stage.empty()
    stage.seed(number)
    stage.rename_some_to_nobody()
    with ExitStack() as open_things:
        open_things.enter_context(_lease_of(LEASE_SECONDS))
        open_things.enter_context(stage.slow_platform(0.3, faults=0.01))
        clusters = [
            open_things.enter_context(stage.cluster(workers=2, concurrency=32, fresh=first))
            for first in (True, False)
        ]
        Connection.objects.all().request(trigger="manual", priority=0)
        later("socials.tasks.sync_due", "")
        until = time.monotonic() + STORM_SECONDS
        while time.monotonic() < until:
            time.sleep(chance.uniform(0.1, 0.7))
            _strike(chance, weather, clusters, open_things)
            stage.reconnected()
            weather.past_their_lease = max(weather.past_their_lease, _forgotten())
        began = time.monotonic()
        with suppress(TimeoutError):
            stage.wait_for(CALM, [0], seconds=CALM_SECONDS)
        weather.seconds_to_calm = round(time.monotonic() - began, 1)
        _look(weather)
        if weather.broken:
            weather.errors |= stage.counts(
                "SELECT lease_owner || ' until ' || (lease_expires_at - now())::text, count(*) "
                "FROM socials_connection WHERE lease_owner <> '' GROUP BY 1"
            )
    return weather


@contextmanager
def _lease_of(seconds: int) -> Iterator[None]:
    """The lease of all clusters that are started meanwhile."""
    os.environ["SYNC_LEASE_SECONDS"] = str(seconds)
    try:
        yield
    finally:
        del os.environ["SYNC_LEASE_SECONDS"]


def _forgotten() -> int:
    """Rows past their lease that nobody takes back, though there was time to."""
    from bench import stage  # noqa: PLC0415

    patience = time.monotonic() + PATIENCE_SECONDS
    while (late := stage.number(LATE)) and time.monotonic() < patience:
        time.sleep(0.5)
    return late


LATE = (
    "SELECT count(*) FROM socials_connection WHERE sync_status = 'SYNCING' "
    "AND lease_expires_at < statement_timestamp() - interval '2 seconds'"
)

CALM = (
    "SELECT count(*) = %s FROM socials_connection WHERE sync_status IN ('PENDING', 'SYNCING') "
    "OR lease_owner <> ''"
)


def _strike(
    chance: random.Random,
    weather: Weather,
    clusters: list[psutil.Process],
    open_things: ExitStack,
) -> None:
    from django.conf import settings  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from bench import stage  # noqa: PLC0415
    from config import embedded_postgres  # noqa: PLC0415
    from socials import connections  # noqa: PLC0415
    from socials.models import Connection  # noqa: PLC0415

    def kill_a_process() -> None:
        family = [p for guard in clusters for p in _children(guard)]
        if family:
            with suppress(psutil.NoSuchProcess):  # it may have ended by itself
                chance.choice(family).kill()

    def freeze_a_process() -> None:
        family = [p for guard in clusters for p in _children(guard)]
        if family:
            open_things.enter_context(_frozen(chance.choice(family)))

    def restart_the_database() -> None:
        connection.close()
        server = psutil.Process(stage.postmaster())
        server.send_signal(signal.SIGINT)
        server.wait(60)
        time.sleep(chance.uniform(0, 3))
        embedded_postgres.url(settings.VAR_DIR / "postgres")

    def kill_a_cluster() -> None:
        place = chance.randrange(len(clusters))
        clusters[place].kill()
        clusters[place] = open_things.enter_context(
            stage.cluster(workers=2, concurrency=32, fresh=False)
        )

    def end_the_sessions() -> None:
        stage.end_other_sessions()

    def refresh_some() -> None:
        for pk in chance.sample(ids, min(5, len(ids))):
            connections.request_sync(pk)

    def delete_and_reconnect() -> None:
        row = Connection.objects.select_related("talent").get(pk=chance.choice(ids))
        connections.disconnect(row.pk)
        connections.connect(row.talent, row.platform, handle=row.handle)

    ids = list(Connection.objects.values_list("pk", flat=True).order_by("pk"))
    blows: list[tuple[Callable[[], None], int]] = [
        (kill_a_process, 5), (kill_a_cluster, 1), (freeze_a_process, 2), (end_the_sessions, 2),
        (restart_the_database, 1), (refresh_some, 4), (delete_and_reconnect, 3),
    ]  # fmt: skip
    (blow,) = chance.choices([b for b, _ in blows], [weight for _, weight in blows])
    blow()
    name = blow.__name__.replace("_", " ")
    weather.done[name] = weather.done.get(name, 0) + 1


@contextmanager
def _frozen(process: psutil.Process) -> Iterator[None]:
    """It stands still for longer than its lease; what it then brings is late."""
    thaw = threading.Timer(FROZEN_SECONDS, _signal, (process, signal.SIGCONT))
    _signal(process, signal.SIGSTOP)
    thaw.start()
    try:
        yield
    finally:
        thaw.cancel()
        _signal(process, signal.SIGCONT)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _children(guard: psutil.Process) -> list[psutil.Process]:
    """A cluster's processes; a database server that its start has started is not one of them."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for process in guard.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "qcluster" in process.cmdline():
                    found.append(process)
    return sorted(found, key=lambda process: int(process.pid))


def _look(weather: Weather) -> None:
    """Ask the database for everything that may not be."""
    from bench import stage  # noqa: PLC0415

    for what, question in PROMISES.items():
        if number := stage.number(question):
            weather.broken.append(f"{what}: {number}")
    weather.rescued = stage.number(
        "SELECT count(*) FROM socials_sync_run WHERE message LIKE '%before the account was read'"
    )
    weather.superseded = stage.number(
        "SELECT count(*) FROM socials_sync_run WHERE outcome = 'superseded'"
    )
    weather.claims_at_most = stage.number(
        "SELECT max(runs) FROM (SELECT count(*) AS runs FROM socials_sync_run "
        "GROUP BY connection_id) each_one"
    )
    if weather.past_their_lease:
        weather.broken.append(f"rows past their lease: {weather.past_their_lease}")
    weather.errors = stage.counts(
        "SELECT error_code, count(*) FROM socials_connection WHERE sync_status = 'ERROR' GROUP BY 1"
    )


PROMISES = {
    "rows neither READY nor in ERROR": "SELECT count(*) FROM socials_connection "
    "WHERE sync_status NOT IN ('READY', 'ERROR')",
    "rows still held": "SELECT count(*) FROM socials_connection WHERE lease_owner <> ''",
    "READY rows without each of their posts once": f"""
        SELECT count(*) FROM socials_connection c WHERE sync_status = 'READY' AND (
            SELECT count(*) FROM socials_post p WHERE p.connection_id = c.id
                AND deleted_at IS NULL) <> {POSTS}""",  # noqa: S608  a constant
    "READY rows without profile or history": "SELECT count(*) FROM socials_connection c "
    "WHERE sync_status = 'READY' AND NOT (EXISTS (SELECT FROM socials_profile p WHERE "
    "p.connection_id = c.id) AND EXISTS (SELECT FROM socials_snapshot s WHERE "
    "s.connection_id = c.id))",
    "accounts of nobody that are not NOT_FOUND": "SELECT count(*) FROM socials_connection "
    "WHERE handle LIKE 'nobody%' AND error_code <> 'NOT_FOUND'",
    "errors without a right cause": "SELECT count(*) FROM socials_connection "
    "WHERE sync_status = 'ERROR' AND NOT (error_code = 'NOT_FOUND' AND handle LIKE 'nobody%') "
    "AND NOT (error_code = 'PLATFORM_UNAVAILABLE' AND attempt >= 3 AND (SELECT count(*) "
    "FROM socials_sync_run run WHERE run.connection_id = socials_connection.id "
    "AND run.error_code = 'PLATFORM_UNAVAILABLE') >= 2)",
    "syncs that were stored twice": "SELECT count(*) FROM (SELECT FROM socials_sync_run "
    "WHERE outcome = 'ready' GROUP BY connection_id, sync_version HAVING count(*) > 1) twice",
    "accounts that two workers read at once": """
        SELECT count(*) FROM socials_sync_run one JOIN socials_sync_run other
            ON other.connection_id = one.connection_id AND other.id > one.id
        WHERE one.outcome <> 'superseded' AND other.outcome <> 'superseded'
            AND (one.started_at, one.finished_at) OVERLAPS (other.started_at, other.finished_at)""",
    "posts that are stored twice": """
        SELECT count(*) FROM (SELECT FROM socials_post GROUP BY connection_id, external_id
            HAVING count(*) > 1) twice""",
    "accounts that were lost": "SELECT count(*) FROM talent_talent t WHERE NOT EXISTS "
    "(SELECT FROM socials_connection c WHERE c.talent_id = t.id)",
    "more attempts than three": "SELECT count(*) FROM socials_connection WHERE attempt > 3",
}


if __name__ == "__main__":
    raise SystemExit(main())
