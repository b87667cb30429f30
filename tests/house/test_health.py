"""``/healthz`` and ``/readyz``: true, plain, and answered before anything else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from config import health
from socials.models import Connection, SyncStatus, Worker
from talent.models import Talent

pytestmark = pytest.mark.django_db


def beat(*, ago: timedelta = timedelta()) -> None:
    now = timezone.now()
    Worker.objects.create(
        id="here:1:1", host="here", pid=1, started_at=now - ago, heartbeat_at=now - ago
    )


def ask(client: Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["checks"]


def test_all_well_is_200(client: Client) -> None:
    beat()
    assert ask(client) == (
        200,
        {"database": "ok", "migrations": "ok", "workers": "ok", "queue": "ok"},
    )


def test_without_a_worker_it_is_not_ready(client: Client) -> None:
    status, checks = ask(client)
    assert (status, checks["workers"]) == (503, "none has started")


def test_a_silent_worker_is_told_with_its_silence(client: Client) -> None:
    beat(ago=timedelta(minutes=3))
    status, checks = ask(client)
    assert (status, checks["workers"]) == (503, "no sign of life for 180 s")


def test_work_that_waits_too_long_is_told(client: Client, jane: Talent) -> None:
    beat()
    Connection.objects.create(
        talent=jane,
        platform="YOUTUBE",
        handle="jane",
        handle_key="jane",
        sync_status=SyncStatus.PENDING,
        next_attempt_at=timezone.now() - timedelta(minutes=10),
    )
    status, checks = ask(client)
    assert (status, checks["queue"]) == (503, "the oldest has waited 600 s")


def test_missing_migrations_are_counted_and_nothing_behind_them_is_asked(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    status, checks = ask(client)
    assert status == 503
    assert checks["migrations"] == "1 not applied"
    assert checks["workers"] == checks["queue"] == "not asked"


def test_a_database_that_is_away_is_503_without_its_address(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", "9")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "does not answer"
    assert "127.0.0.1" not in answer.content.decode()


def test_being_alive_asks_nothing_of_the_database(
    client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_who_asks_by_address_over_plain_http_is_answered(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["greenroom.example"]
    settings.SECURE_SSL_REDIRECT = True
    beat()
    assert client.get("/readyz", headers={"host": "10.1.2.3"}).status_code == 200


def test_other_methods_are_refused(client: Client) -> None:
    answer = client.post("/healthz")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
