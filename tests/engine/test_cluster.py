"""The promises, on real clusters: processes are killed, databases restarted, and nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise

import psutil
import psycopg
import psycopg.sql
import pytest
from django.db import connection as database
from werkzeug import Response

from socials import connections
from socials.models import Connection, Outcome, Post, SyncRun, Worker
from tests.conftest import Cluster, until
from tests.engine.conftest import Stage

pytestmark = [pytest.mark.engine, pytest.mark.django_db(transaction=True)]

Start = Callable[..., Cluster]
Account = Callable[..., Connection]


@pytest.fixture
def start(start_worker: Start, stage: Stage) -> Start:
    """Starts clusters that work on the stage's platform; returns when they are ready."""

    def begin(**further: str) -> Cluster:
        before = set(worker_pids())
        cluster = start_worker(
            DJANGO_SETTINGS_MODULE="tests.engine.stage_settings",
            YOUTUBE_API_URL=stage.url,
            YOUTUBE_API_KEY="stage-key",
            **further,
        )
        until(lambda: len(set(worker_pids()) - before) >= 2, seconds=30, what="the cluster's start")
        return cluster

    return begin


def processes(cluster: Cluster) -> list[psutil.Process]:
    """The guard's children: main process, sentinel, and the sentinel's children in pid order."""
    try:
        return psutil.Process(cluster.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def alive(before: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in before if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def state(row: Connection) -> str:
    return Connection.objects.get(pk=row.pk).sync_status


def becomes(row: Connection, status: str, seconds: float = 10) -> None:
    until(lambda: state(row) == status, seconds=seconds, what=f"{row.handle} {status}", every=0.02)


def all_ready(number: int, seconds: float = 30) -> None:
    ready = Connection.objects.filter(sync_status="READY")
    until(lambda: ready.count() == number, seconds=seconds, what=f"{number} accounts ready")


def worker_pids() -> list[int]:
    return list(Worker.objects.values_list("pid", flat=True))


def busy_pid() -> int:
    return int(
        until(lambda: Connection.objects.exclude(lease_owner="").first()).lease_owner.split(":")[1]
    )


class Gate:
    """An answer that is held back until the test lets it go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self) -> Response:
        self.reached.set()
        self.opened.wait(30)
        return Response(
            '{"id": "UCmaya", "handle": "maya", "followers": 7, "items": [{"id": "a"}]}'
        )


def test_a_connect_is_picked_up_within_a_second(
    start: Start, stage: Stage, account: Account
) -> None:
    start()
    waits = []
    for number in range(8):
        stage.says(f"maya{number}")
        began = time.monotonic()
        row = account(f"maya{number}")
        until(lambda row=row: state(row) != "PENDING", every=0.01, what="the pick-up")
        waits.append(time.monotonic() - began)
        becomes(row, "READY")
    assert sorted(waits)[-2] < 1.0, waits


def test_attempts_begin_at_once_after_two_and_after_four_seconds(
    start: Start, stage: Stage, account: Account
) -> None:
    start()
    stage.refuses(503)
    row = account()
    becomes(row, "ERROR", seconds=15)
    runs = list(row.runs.order_by("started_at"))
    assert [run.attempt for run in runs] == [1, 2, 3]
    assert (runs[0].started_at - row.requested_at).total_seconds() < 1.0
    gaps = [(b.started_at - a.finished_at).total_seconds() for a, b in pairwise(runs)]
    assert gaps == [pytest.approx(2, abs=0.5), pytest.approx(4, abs=0.5)]


def test_a_worker_killed_in_the_middle_of_a_sync_loses_nothing(
    start: Start, stage: Stage, account: Account
) -> None:
    cluster = start()
    gate = Gate()
    stage.answers("maya", gate)
    row = account()
    assert gate.reached.wait(10)
    os.kill(busy_pid(), signal.SIGKILL)
    stage.forget()
    stage.says(items=[{"id": "a"}])
    becomes(row, "READY", seconds=15)
    gate.opened.set()
    row.refresh_from_db()
    assert (row.profile.followers, Post.objects.count()) == (1000, 1)
    assert list(row.runs.order_by("id").values_list("outcome", "attempt")) == [
        (Outcome.RETRY, 1),
        (Outcome.READY, 2),
    ]
    assert cluster.process.poll() is None


def test_an_idle_worker_killed_never_leaves_the_cluster_deaf(
    start: Start, stage: Stage, account: Account
) -> None:
    start()
    for number in range(3):
        pids = until(lambda: len(worker_pids()) == 2 and worker_pids(), what="two workers")
        os.kill(random.choice(pids), signal.SIGKILL)
        stage.says(f"maya{number}")
        becomes(account(f"maya{number}"), "READY", seconds=20)
        until(lambda gone=pids: not set(gone) & set(worker_pids()), what="the new workers")


@pytest.mark.parametrize("position", [0, 1], ids=["main process", "sentinel"])
def test_a_cluster_that_lost_its_head_is_replaced_and_leaves_no_orphan(
    start: Start, stage: Stage, account: Account, position: int
) -> None:
    cluster = start()
    before = processes(cluster)
    before[position].kill()
    until(lambda: not alive(before), seconds=5, what="the end of the old processes")
    stage.says()
    becomes(account(), "READY")


def test_a_killed_guard_takes_everything_with_it(start: Start) -> None:
    cluster = start()
    before = processes(cluster)
    assert len(before) >= 6
    os.kill(cluster.pid, signal.SIGKILL)
    until(lambda: not alive(before), seconds=5, what="the end of the cluster")


def test_a_dead_cluster_s_rows_are_taken_over_by_the_next_at_once(
    start: Start, stage: Stage, account: Account
) -> None:
    first = start()
    gate = Gate()
    stage.answers("maya", gate)
    row = account()
    assert gate.reached.wait(10)
    first.kill()
    stage.forget()
    stage.says()
    start()
    becomes(row, "READY", seconds=10)
    gate.opened.set()


def test_sigterm_lets_a_sync_finish(start: Start, stage: Stage, account: Account) -> None:
    cluster = start()
    gate = Gate()
    stage.answers("maya", gate)
    row = account()
    assert gate.reached.wait(10)
    cluster.process.send_signal(signal.SIGTERM)
    threading.Timer(1.0, gate.opened.set).start()
    assert cluster.process.wait(15) == 0
    assert state(row) == "READY"
    assert not worker_pids()


def test_sigterm_hands_back_what_takes_too_long(
    start: Start, stage: Stage, account: Account
) -> None:
    cluster = start()
    gate = Gate()
    stage.answers("maya", gate)
    row = account()
    assert gate.reached.wait(10)
    before = processes(cluster)
    cluster.process.send_signal(signal.SIGTERM)
    assert cluster.process.wait(18) == 0
    gate.opened.set()
    row.refresh_from_db()
    assert (row.sync_status, row.attempt) == ("PENDING", 0)
    assert not alive(before)


def test_two_clusters_share_the_work_and_read_nothing_twice(
    start: Start, stage: Stage, account: Account
) -> None:
    start()
    start()
    names = [f"maya{number}" for number in range(60)]
    for name in names:
        stage.says(name, items=[{"id": "a"}])
        account(name)
    all_ready(len(names))
    assert Counter(handle for _, handle, _ in stage.asked) == Counter(names)
    assert SyncRun.objects.count() == len(names)


def test_sessions_that_the_database_ends_lose_nothing(
    start: Start, stage: Stage, account: Account
) -> None:
    start()
    for number in range(30):
        stage.answers(f"maya{number}", slowly(f"maya{number}"))
        account(f"maya{number}")
    for _ in range(3):
        time.sleep(0.3)
        end_other_sessions()
    all_ready(30)
    assert Post.objects.count() == 30


def test_what_was_read_while_the_database_was_away_is_stored_when_it_is_back(
    start: Start, stage: Stage, account: Account
) -> None:
    cluster = start()
    gate = Gate()
    stage.answers("maya", gate)
    row = account()
    assert gate.reached.wait(10)
    with nobody_may_connect():
        end_other_sessions()
        gate.opened.set()
        until(lambda: cluster.log.read_text().count("sync.database_away") >= 4, what="the outage")
    becomes(row, "READY")
    assert len(stage.asked) == 1
    assert list(row.runs.values_list("outcome", "attempt")) == [(Outcome.READY, 1)]


@pytest.mark.parametrize("seed", os.environ.get("STORM_SEEDS", "7").split(","))
def test_a_storm_of_kills_ends_with_every_account_read_once(
    start: Start, stage: Stage, account: Account, seed: str
) -> None:
    """Seeded (``STORM_SEEDS=1,2,3``): accounts come and go and are refreshed while processes of two clusters are killed."""
    chance = random.Random(seed)
    clusters = [start(), start()]
    rows = []
    for number in range(120):
        stage.answers(f"maya{number}", slowly(f"maya{number}"))
        rows.append(account(f"maya{number}"))
        if number % 15 == 14:
            victims = [p for cluster in clusters for p in processes(cluster)]
            if victims:
                with suppress(psutil.NoSuchProcess):  # it may have ended by itself
                    chance.choice(victims).kill()
            connections.disconnect(rows.pop(chance.randrange(len(rows))).pk)
            connections.request_sync(chance.choice(rows).pk)
            time.sleep(chance.random())
    all_ready(len(rows), seconds=45)
    posts = Counter(Post.objects.values_list("connection_id", flat=True))
    assert set(posts.values()) == {1}
    assert set(posts) == {row.pk for row in rows}
    assert not Connection.objects.exclude(lease_owner="").exists()
    assert max(Connection.objects.values_list("attempt", flat=True)) <= 3


def slowly(handle: str) -> Callable[[], Response]:
    def answer() -> Response:
        time.sleep(0.1)
        return Response(f'{{"id": "UC{handle}", "handle": "{handle}", "items": [{{"id": "a"}}]}}')

    return answer


@contextmanager
def nobody_may_connect() -> Iterator[None]:
    """New sessions are refused, as while the server is away; ours stays."""
    facts = database.get_connection_params() | {"dbname": "postgres"}
    for name in ("cursor_factory", "context", "prepare_threshold"):
        facts.pop(name, None)
    with psycopg.connect(**facts, autocommit=True) as apart:
        name = psycopg.sql.Identifier(str(database.settings_dict["NAME"]))
        switch = psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        apart.execute(switch.format(name, psycopg.sql.SQL("false")))
        try:
            yield
        finally:
            apart.execute(switch.format(name, psycopg.sql.SQL("true")))


def end_other_sessions() -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
