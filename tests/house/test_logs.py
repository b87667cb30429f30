"""What the logs tell: one thread of fields from the request to the platform's answer, as JSON."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from rest_framework.test import APIClient

from socials.models import Connection, Latency, SyncRun, SyncStatus
from talent.models import Talent, User
from tests.conftest import ROOT, Cluster, until
from tests.test_house import OURS, called_name, calls

MOODS = ("nonexistent", "private", "down", "ratelimited", "garbled", "expired", "placeholder")


@pytest.fixture
def written() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines that this process writes meanwhile, as production writes them."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    options = dict(django_settings.LOGGING["formatters"]["json"])
    handler.setFormatter(options.pop("()")(**options))
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)


def lines_of(worker: Cluster) -> list[dict[str, Any]]:
    """A worker's log. Fails where a line is no JSON, or one that holds a traceback."""
    found = [json.loads(line) for line in worker.log.read_text().splitlines()]
    assert not [line for line in found if "exception" in line or "Traceback" in str(line)]
    return found


@pytest.mark.engine
def test_a_request_its_sync_and_the_platforms_calls_carry_one_thread_of_ids(
    start_worker: Callable[..., Cluster],
    alice_api: APIClient,
    jane: Talent,
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    worker = start_worker(LOG_FORMAT="json")
    body = {"talentId": jane.pk, "platform": "YOUTUBE", "handle": "janesmith"}
    answer = alice_api.post("/api/admin/socials/connect-manual", body, format="json")
    row = Connection.objects.get(pk=answer.json()["data"]["id"])
    until(lambda: SyncRun.objects.filter(connection=row).exists(), seconds=20, what="a sync")
    finished = next(line for line in written() if line["event"] == "request_finished")
    until(lambda: "sync.ready" in worker.log.read_text(), what="its line")
    told = lines_of(worker)
    thread = [line for line in told if line.get("request_id") == finished["request_id"]]
    run = SyncRun.objects.get(connection=row)
    assert {line["event"] for line in thread} == {"sync.claimed", "call.answered", "sync.ready"}
    assert {line["sync_id"] for line in thread} == {f"{row.pk}.{run.sync_version}"}
    timed = Latency.objects.filter(kind="call", name="youtube", outcome="2xx")
    until(lambda: sum(timed.values_list("answers", flat=True)) == run.calls, what="their times")
    asked = [line for line in thread if line["event"] == "call.answered"]
    assert len(asked) == run.calls
    assert {line["job"] for line in thread} == {"socials.tasks.sync_due"}
    for line in asked:
        assert (line["platform"], line["source"], line["status"]) == (
            "YOUTUBE",
            "youtube_data",
            200,
        )
        assert "?" not in line["path"]


@pytest.mark.engine
def test_what_may_be_expected_to_fail_writes_no_traceback(
    start_worker: Callable[..., Cluster], jane: Talent
) -> None:
    worker = start_worker(LOG_FORMAT="json", SYNC_RETRY_DELAYS="0,0.1,0.1")
    from socials import connections

    for mood in MOODS:
        for platform in ("INSTAGRAM", "TIKTOK", "YOUTUBE"):
            connections.connect(jane, platform, handle=f"{mood}.jane")
    at_rest = [SyncStatus.READY, SyncStatus.ERROR]

    def ended() -> bool:
        waiting = Connection.objects.exclude(sync_status__in=at_rest)
        return not waiting.exclude(error_code="RATE_LIMITED").exists()

    until(ended, seconds=40, what="the end of every sync")
    until(lambda: "sync.failed" in worker.log.read_text(), what="its line")
    told = lines_of(worker)
    failed = [line for line in told if line["event"] in ("sync.failed", "sync.retry")]
    assert {"NOT_FOUND", "PLATFORM_UNAVAILABLE", "BAD_RESPONSE"} <= {
        line["code"] for line in failed
    }
    assert all(line["sync_id"] and line["connection_id"] for line in failed)


def test_a_page_that_is_refused_writes_a_line_and_no_traceback(
    client: Client, victor: User, written: Callable[[], list[dict[str, Any]]]
) -> None:
    client.force_login(victor)
    assert client.get("/webhooks").status_code == 403
    refused = [line for line in written() if line["logger"] == "django.request"]
    assert [line["level"] for line in refused] == ["warning"]
    assert "exception" not in refused[0]


# --- the page about them ---


def events() -> set[str]:
    """Names that the code logs under."""
    levels = {"debug", "info", "warning", "error", "exception", "critical"}
    named: set[str] = set()
    for path in OURS:
        for call in calls(path):
            owner, _, level = called_name(call).rpartition(".")
            if owner == "log" and level in levels:
                named |= {
                    node.value
                    for node in ast.walk(call.args[0])
                    if isinstance(node, ast.Constant) and isinstance(node.value, str)
                    and re.fullmatch(r"[a-z_]+\.[a-z_]+", node.value)
                }  # fmt: skip
    return named


def test_every_event_is_on_the_page_about_the_logs_and_no_other() -> None:
    page = (ROOT / "docs" / "logs.md").read_text()
    told = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)`", page, re.MULTILINE))
    assert len(told) > 40
    assert told - events() == set()
    assert events() - told == set()
