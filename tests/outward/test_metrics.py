"""``/metrics``: who may read it, what it tells, and that alerts and dashboard ask for nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.db import OperationalError
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config import metrics
from scraping.stopwatch import stopwatch
from socials import latencies, outbox
from socials.models import (
    Circuit,
    Connection,
    Delivery,
    DriftSighting,
    Event,
    PhotoRun,
    QuotaWindow,
    SyncRun,
    Webhook,
    Worker,
)
from talent.models import User
from tests.api.conftest import a_message, a_run, connect, read_account
from tests.conftest import ROOT

__all__ = ["connect", "read_account"]  # fixtures

pytestmark = pytest.mark.django_db
Read = Callable[..., Connection]


def told(client: Client | None = None, **headers: str) -> dict[tuple[str, ...], float]:
    """Samples by name and the values of their labels, which are in the order of the alphabet."""
    answer = (client or Client()).get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.content
    return {
        (sample.name.removeprefix("greenroom_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


@pytest.fixture
def busy_house(read_account: Read) -> Connection:
    """Something of everything that is measured."""
    row = read_account()
    waiting = read_account("TIKTOK", "late")
    now = timezone.now()
    Connection.objects.filter(pk=waiting.pk).update(
        sync_status="PENDING", next_attempt_at=now - timedelta(seconds=400), connected=False
    )
    failing = read_account("YOUTUBE", "broken")
    Connection.objects.filter(pk=failing.pk).update(sync_status="ERROR", error_code="NOT_FOUND")
    SyncRun.objects.all().delete()
    for seconds_ago, ms, outcome, code in (
        (10, 1000, "ready", ""),
        (1000, 3000, "ready", ""),
        (20_000, 9000, "error", "NOT_FOUND"),
        (100_000, 9000, "error", "NOT_FOUND"),
    ):
        end = now - timedelta(seconds=seconds_ago)
        times = {"started_at": end - timedelta(milliseconds=ms), "finished_at": end}
        SyncRun.objects.create(
            **a_run(row, outcome=outcome, error_code=code, duration_ms=ms, **times)
        )
    QuotaWindow.objects.create(
        bucket="youtube.units",
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=1),
        used=2310,
        cap=10_000,
    )
    Circuit.objects.create(platform="TIKTOK", source="apify", state="open")
    Circuit.objects.create(platform="YOUTUBE", source="youtube_data")
    for name, age in (("box:1", 3), ("box:2", 300)):
        Worker.objects.create(
            id=name,
            host="box",
            pid=1,
            started_at=now,
            heartbeat_at=now - timedelta(seconds=age),
            busy=4,
        )
    message = a_message()
    outbox.emit(Event.TALENT_MILESTONE, 1, {})
    Delivery.objects.filter(pk=message.pk).update(status="failed", next_attempt_at=None)
    Webhook.objects.update(is_active=False, disabled_at=now)
    PhotoRun.objects.create(talent_id=1, outcome="failed", cause="EXPIRED")
    stopwatch.take()
    for seconds in (0.04, 0.2, 0.2, 70):
        stopwatch.note("call", "youtube", "2xx", seconds)
    assert latencies.keep(now=True)
    stopwatch.note("call", "youtube", "2xx", 0.3)
    stopwatch.note("request", "page", "5xx", 0.3)
    assert latencies.keep(now=True)
    DriftSighting.objects.create(
        platform="TIKTOK", source="apify", path="a.b", first_seen_at=now, last_seen_at=now
    )
    return row


def test_every_figure_is_true(busy_house: Connection) -> None:
    seen = told()
    assert seen["connections", "INSTAGRAM", "READY"] == 1
    assert seen["connections_due", "TIKTOK"] == 1
    assert seen["connections_due", "INSTAGRAM"] == 0
    assert 400 <= seen["oldest_due_seconds", "TIKTOK"] < 460
    assert seen["connections_in_error", "NOT_FOUND", "YOUTUBE"] == 1
    assert seen["connections_to_reconnect", "TIKTOK"] == 1
    assert seen["connections_stale", "INSTAGRAM"] == 1
    assert seen["sync_runs", "", "ready", "INSTAGRAM", "5m"] == 1
    assert seen["sync_runs", "", "ready", "INSTAGRAM", "1h"] == 2
    assert seen["sync_runs", "NOT_FOUND", "error", "INSTAGRAM", "1h"] == 0
    assert seen["sync_runs", "NOT_FOUND", "error", "INSTAGRAM", "24h"] == 1
    assert seen["sync_duration_seconds", "INSTAGRAM", "0.5"] == 2
    assert seen["quota_used", "youtube.units", "YOUTUBE"] == 2310
    assert seen["quota_limit", "youtube.units", "YOUTUBE"] == 10_000
    assert seen["circuit_open", "TIKTOK", "apify"] == 1
    assert seen["circuit_open", "YOUTUBE", "youtube_data"] == 0
    assert seen["workers",] == 1
    assert 300 <= seen["worker_heartbeat_age_seconds", "box:2"] < 360
    assert seen["worker_busy", "box:1"] == 4
    assert seen["jobs_waiting",] >= 3
    assert seen["webhook_deliveries_pending",] == 1
    assert seen["webhook_deliveries_failed_24h",] == 1
    assert seen["webhooks_disabled",] == 1
    assert seen["photo_runs_24h", "EXPIRED", "failed"] == 1
    assert seen["call_seconds_bucket", "0.05", "2xx", "youtube"] == 1
    assert seen["call_seconds_bucket", "0.25", "2xx", "youtube"] == 3
    assert seen["call_seconds_bucket", "30.0", "2xx", "youtube"] == 4
    assert seen["call_seconds_bucket", "+Inf", "2xx", "youtube"] == 5
    assert seen["call_seconds_count", "2xx", "youtube"] == 5
    assert seen["call_seconds_sum", "2xx", "youtube"] == pytest.approx(70.74)
    assert seen["request_seconds_count", "page", "5xx"] == 1
    assert seen["drift_fields_24h", "TIKTOK", "apify"] == 1


def test_an_empty_house_is_told_too() -> None:
    seen = told()
    assert seen["workers",] == 0
    assert seen["connections_due", "YOUTUBE"] == 0
    assert seen["webhook_oldest_pending_seconds",] == 0


def test_a_scrape_costs_the_same_for_any_roster(busy_house: Connection, read_account: Read) -> None:
    with CaptureQueriesContext(database) as before:
        metrics.exposition()
    for number in range(5):
        read_account("YOUTUBE", f"more{number}")
    with CaptureQueriesContext(database) as after:
        metrics.exposition()
    assert len(after) == len(before) <= 12


@pytest.mark.parametrize("file", ["deploy/alerts.yml", "deploy/grafana.json"])
def test_alerts_and_dashboard_ask_only_for_what_is_told(busy_house: Connection, file: str) -> None:
    families = text_string_to_metric_families(metrics.exposition().decode())
    samples = [sample for family in families for sample in family.samples]
    text = (ROOT / file).read_text()
    asked = set(re.findall(r"greenroom_\w+", text))
    assert asked <= {sample.name for sample in samples}
    assert len(asked) >= 10
    labels = {(s.name, label, value) for s in samples for label, value in s.labels.items()}
    for name, wanted in re.findall(r"(greenroom_\w+)\{([^}]*)\}", text.replace('\\"', '"')):
        for label, value in re.findall(r'(\w+)="([^"]*)"', wanted):
            assert (name, label, value) in labels, (name, label, value)


def test_every_alert_says_what_happened_and_what_to_do_first() -> None:
    [group] = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(names) == len(set(names)) >= 12
    for rule in group["rules"]:
        assert re.fullmatch(r"\d+[mh]", rule["for"]), rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "action"}
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_every_metric_has_its_place_on_the_dashboard(busy_house: Connection) -> None:
    shown = json.loads((ROOT / "deploy/grafana.json").read_text())
    asked = str([target["expr"] for panel in shown["panels"] for target in panel["targets"]])
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        assert family.name in asked


def test_times_are_of_few_kinds_whatever_is_asked(client: Client, alice: User) -> None:
    stopwatch.take()
    client.force_login(alice, backend="talent.backends.RoleBackend")
    for path in (
        "/",
        "/talent/999",
        "/api/nothing",
        "/admin/",
        "/kit/x",
        "/callbacks/tiktok",
        "/no/such",
    ):
        client.get(path)
    client.get("/sync", headers={"HX-Request": "true"})
    seen = set(stopwatch.take())
    assert {kind for kind, _, _ in seen} == {"request"}
    assert seen >= {
        ("request", "page", "2xx"), ("request", "page", "4xx"), ("request", "api", "4xx"),
        ("request", "back office", "2xx"), ("request", "public", "4xx"), ("request", "poll", "2xx"),
    }  # fmt: skip
    assert {name for _, name, _ in seen} <= {*metrics.AREAS.values(), "page", "poll"}


def test_times_that_could_not_be_written_down_are_taken_along_later() -> None:
    stopwatch.take()
    stopwatch.note("request", "api", "2xx", 0.01)
    with CaptureQueriesContext(database), database.execute_wrapper(_away):
        assert not latencies.keep(now=True)
    stopwatch.note("request", "api", "2xx", 0.01)
    assert latencies.keep(now=True)
    assert told()["request_seconds_count", "api", "2xx"] == 2


def _away(*_: Any) -> None:
    raise OperationalError("the database is away")


# --- who may read it ---


def test_this_machine_may_read_it_and_others_may_not() -> None:
    assert told()
    for far in ({"REMOTE_ADDR": "203.0.113.7"}, {"REMOTE_ADDR": ""}):
        assert Client(**far).get("/metrics").status_code == 401


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-Ip", "Forwarded"])
def test_a_proxy_on_this_machine_lets_nobody_in(header: str) -> None:
    assert Client().get("/metrics", headers={header: "203.0.113.7"}).status_code == 401


def test_with_a_token_only_the_token_opens_it(settings: Any) -> None:
    settings.METRICS_TOKEN = "scrape-me"
    assert told(Client(REMOTE_ADDR="203.0.113.7"), Authorization="Bearer scrape-me")
    for wrong in ({}, {"Authorization": "Bearer scrape"}, {"Authorization": "scrape-me"}):
        answer = Client().get("/metrics", headers=wrong)
        assert answer.status_code == 401
        assert b"scrape-me" not in answer.content
    assert Client().post("/metrics").status_code == 405
