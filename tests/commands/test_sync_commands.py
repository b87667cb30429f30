"""sync_connections and check_queue, as an operator sees them."""

from __future__ import annotations

import io
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.db.models.functions import Now

from socials import connections
from socials.models import Connection, Worker
from socials.sync import workers
from talent.models import Talent

pytestmark = pytest.mark.django_db


def run(name: str, *args: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command(name, *args, stdout=out)
    except SystemExit as left:
        return int(left.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def two(jane: Talent) -> list[Connection]:
    for platform in ("INSTAGRAM", "YOUTUBE", "TWITTER"):
        connections.connect(jane, platform, handle="janesmith")
    Connection.objects.update(sync_status="READY", next_attempt_at=None)
    return list(Connection.objects.exclude(platform="TWITTER"))


@pytest.fixture
def living_worker(db: None) -> Worker:
    return Worker.objects.create(id="w", host="h", pid=1, started_at=Now(), heartbeat_at=Now())


def test_all_connections_that_can_be_read_are_queued(two: list[Connection]) -> None:
    assert run("sync_connections", "--all") == (0, "2 connections queued.\n")
    assert Connection.objects.filter(sync_status="PENDING").count() == 2


def test_one_platform_or_some_talents_can_be_chosen(two: list[Connection], jane: Talent) -> None:
    assert run("sync_connections", "--platform", "youtube")[1].startswith("1 ")
    assert run("sync_connections", "--talent", str(jane.pk + 1))[1].startswith("0 ")


def test_saying_nothing_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(CommandError) as refused:
        run("sync_connections")
    assert refused.value.returncode == 2


def test_the_outcome_as_json(two: list[Connection]) -> None:
    Connection.objects.filter(pk=two[0].pk).update(sync_status="ERROR", error_code="NOT_FOUND")
    code, out = run("sync_connections", "--all", "--json")
    assert (code, json.loads(out)) == (
        0,
        {"total": 2, "ready": 0, "error": 0, "pending": 2, "errors": []},
    )


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_when_each_has_ended_and_tells_the_failures(two: list[Connection]) -> None:
    def work() -> None:
        rows = Connection.objects.filter(platform="INSTAGRAM")
        rows.update(sync_status="ERROR", error_code="NOT_FOUND", next_attempt_at=None)
        Connection.objects.filter(platform="YOUTUBE").update(
            sync_status="READY", next_attempt_at=None
        )
        database.close()

    worker = threading.Timer(0.5, work)
    worker.start()
    code, out = run("sync_connections", "--all", "--wait", "--json")
    worker.join()
    outcome: dict[str, Any] = json.loads(out)
    assert (code, outcome["ready"], outcome["error"]) == (1, 1, 1)
    assert outcome["errors"][0]["errorCode"] == "NOT_FOUND"


@pytest.mark.django_db(transaction=True)
def test_waiting_does_not_last_until_the_end_of_a_platforms_limit(two: list[Connection]) -> None:
    def work() -> None:
        Connection.objects.filter(platform="INSTAGRAM").update(
            error_code="RATE_LIMITED", next_attempt_at=Now() + timedelta(hours=1)
        )
        Connection.objects.filter(platform="YOUTUBE").update(
            sync_status="READY", next_attempt_at=None
        )
        database.close()

    worker = threading.Timer(0.5, work)
    worker.start()
    code, out = run("sync_connections", "--all", "--wait")
    worker.join()
    assert (code, out) == (
        0,
        "2 connections: 1 ready, 0 failed, 1 waits for the end of its platform's limit.\n",
    )


def test_a_quiet_queue_with_a_living_worker_is_healthy(living_worker: Worker) -> None:
    code, out = run("check_queue")
    assert (code, out) == (0, "Queue healthy: 0 due, the oldest for 0 seconds.\n")


def test_a_queue_without_a_worker_is_not(db: None) -> None:
    code, out = run("check_queue")
    assert (code, out) == (1, "Queue unhealthy: no worker has been alive for 30 seconds.\n")


def test_a_sync_that_waits_too_long_is_told(living_worker: Worker, jane: Talent) -> None:
    connections.connect(jane, "INSTAGRAM", handle="janesmith")
    Connection.objects.update(next_attempt_at=Now() - timedelta(minutes=5))
    code, out = run("check_queue")
    assert code == 1
    assert "the oldest due sync waits for 300 seconds" in out
    assert run("check_queue", "--max-age", "600")[0] == 0
    assert run("check_queue", "--max-age", "600", "--max-depth", "0")[0] == 1


def test_a_host_is_asked_for_its_own_workers_only(living_worker: Worker) -> None:
    Connection.objects.update(next_attempt_at=Now() - timedelta(hours=1))
    code, out = run("check_queue", "--here")
    assert (code, out) == (1, "No worker of this host has been alive for 30 seconds.\n")
    Worker.objects.update(id=workers.me())
    assert run("check_queue", "--here") == (0, "1 workers of this host are alive.\n")
