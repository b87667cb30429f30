"""The queue's state over HTTP, from the rows themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from socials import attempts
from socials.models import Connection, SyncRun, SyncStatus, Worker
from tests.api.conftest import a_run

URL = "/api/admin/queue-stats"
KEYS = {
    "pending", "syncing", "error", "oldestPendingSeconds", "throughputPerMinute", "succeeded24h",
    "failed24h", "successRate24h", "p50Seconds", "p95Seconds", "workers", "platforms",
    "errorsByCause",
}  # fmt: skip


@pytest.mark.django_db
def test_an_idle_queue_has_the_whole_shape(viewer: APIClient) -> None:
    stats = viewer.get(URL).json()["data"]
    assert set(stats) == KEYS
    assert (stats["pending"], stats["syncing"], stats["error"]) == (0, 0, 0)
    assert stats["oldestPendingSeconds"] is None
    assert stats["successRate24h"] is None
    assert set(stats["platforms"]) == {"INSTAGRAM", "TIKTOK", "YOUTUBE"}
    youtube = stats["platforms"]["YOUTUBE"]
    assert set(youtube) == {"pending", "syncing", "error", "circuit", "quota", "freshness"}
    assert youtube["circuit"] == "closed"
    assert youtube["quota"]["limit"] == 10_000
    assert youtube["quota"]["used"] == 0
    assert youtube["quota"]["resetsAt"].endswith("Z")
    assert youtube["freshness"] == {
        "target": 60,
        "withinTarget": 0,
        "stale": 0,
        "covered": None,  # without a key nobody is asked
    }


def test_a_busy_queue_is_counted(
    viewer: APIClient, connect: Callable[..., Connection], read_account: Callable[..., Connection]
) -> None:
    now = timezone.now()
    connect("INSTAGRAM", "waiting")
    ready = read_account("TIKTOK", "ready")
    failed = connect("TIKTOK", "failed")
    Connection.objects.filter(pk=failed.pk).update(
        sync_status=SyncStatus.ERROR, error_code="NOT_FOUND", next_attempt_at=None
    )
    for outcome in ("ready", "ready", "ready", "error"):
        code = "NOT_FOUND" if outcome == "error" else ""
        SyncRun.objects.create(
            **a_run(
                ready, outcome=outcome, error_code=code, started_at=now - timedelta(seconds=2),
                finished_at=now, duration_ms=2000,
            )
        )  # fmt: skip
    Worker.objects.create(id="w1", host="box", pid=7, started_at=now, heartbeat_at=now, busy=3)

    stats = viewer.get(URL).json()["data"]
    assert (stats["pending"], stats["syncing"], stats["error"]) == (1, 0, 1)
    assert (stats["succeeded24h"], stats["failed24h"], stats["successRate24h"]) == (3, 1, 75.0)
    assert stats["errorsByCause"] == {"NOT_FOUND": 1}
    assert stats["platforms"]["INSTAGRAM"]["pending"] == 1
    assert stats["platforms"]["TIKTOK"]["error"] == 1
    (worker,) = stats["workers"]
    assert set(worker) == {"id", "host", "startedAt", "heartbeatAt", "busy"}
    assert (worker["id"], worker["host"], worker["busy"]) == ("w1", "box", 3)


def test_a_day_of_very_many_runs_is_not_counted_again_for_everybody_who_looks(
    viewer: APIClient, read_account: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MANY", 1)
    row, now = read_account("TIKTOK", "ready"), timezone.now()
    for succeeded in (1, 2, 2):
        SyncRun.objects.create(**a_run(row, outcome="ready", started_at=now, finished_at=now))
        stats = viewer.get(URL).json()["data"]
        assert stats["succeeded24h"] == succeeded
    assert stats["throughputPerMinute"] == 0.6


def test_twenty_accounts_cost_as_many_queries_as_one(
    viewer: APIClient, connect: Callable[..., Connection], django_assert_max_num_queries: Any
) -> None:
    connect("INSTAGRAM", "one")
    viewer.get(URL)
    with django_assert_max_num_queries(30) as first:
        viewer.get(URL)
    for number in range(19):
        connect("INSTAGRAM", f"more{number}")
    with django_assert_max_num_queries(len(first.captured_queries)):
        assert viewer.get(URL).json()["data"]["pending"] == 20
