"""Our own faults reach Sentry, with what leads to them and without secrets."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from typing import Any

import brotli
import pytest
from pytest_httpserver import HTTPServer

from tests.conftest import ROOT

CANARY = "EAAcanaryMeta0123456789"
BREAKS = f"""
import logging, structlog
from structlog.contextvars import bind_contextvars
bind_contextvars(request_id="r-77", job="socials.tasks.sync_due")
access_token = "canary-local-variable"
try:
    raise RuntimeError("refused {CANARY}")
except RuntimeError:
    structlog.get_logger("socials").exception("sync.defect", connection=7, access_token="canary-field")
    logging.getLogger("django.request").error("Internal Server Error: /x", exc_info=True)
logging.getLogger("socials").error("%d of %s", "canary")
logging.getLogger("socials").error("It said %s", "{CANARY}")
logging.getLogger("socials").warning("a platform fails")
structlog.get_logger("socials").info("sync.failed", code="NOT_FOUND")
"""


def run(*command: str, dsn: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SENTRY_DSN": dsn, "META_ACCESS_TOKEN": CANARY}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def dsn(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/api/1/envelope/", method="POST").respond_with_json({})
    return f"http://key@127.0.0.1:{httpserver.port}/1"


def reports(server: HTTPServer) -> list[dict[str, Any]]:
    """The events of all envelopes: each is a line of headers, then lines of item headers and items."""
    found = []
    for request, _ in server.log:
        unpack = {"gzip": gzip.decompress, "br": brotli.decompress}
        told = unpack[request.headers["Content-Encoding"]](request.get_data()).decode()
        assert "canary" not in told.lower()
        lines = told.splitlines()
        found += [
            json.loads(item)
            for header, item in zip(lines[1::2], lines[2::2], strict=True)
            if json.loads(header)["type"] == "event"
        ]
    return found


@pytest.mark.django_db
def test_what_the_log_says_at_error_is_reported_without_secrets(
    httpserver: HTTPServer, dsn: str
) -> None:
    answer = run("manage.py", "shell", "-c", BREAKS, dsn=dsn)
    assert answer.returncode == 0, answer.stderr
    defect, said = reports(httpserver)  # the same exception once more is no second report
    assert defect["tags"]["event"] == "sync.defect"
    assert (defect["tags"]["request_id"], defect["tags"]["job"]) == (
        "r-77",
        "socials.tasks.sync_due",
    )
    assert defect["contexts"]["line"]["connection"] == 7
    [error] = defect["exception"]["values"]
    assert (error["type"], error["value"]) == ("RuntimeError", "refused [cut]")
    assert error["stacktrace"]["frames"]
    assert all("vars" not in frame for frame in error["stacktrace"]["frames"])
    assert said["message"] == "It said [cut]"
    assert "request" not in defect


@pytest.mark.django_db
def test_a_command_that_breaks_is_reported(httpserver: HTTPServer, dsn: str) -> None:
    answer = run("manage.py", "shell", "-c", f"raise ValueError('{CANARY}')", dsn=dsn)
    assert answer.returncode == 1
    [broke] = reports(httpserver)
    assert broke["exception"]["values"][-1]["type"] == "ValueError"


@pytest.mark.parametrize(
    "dsn", ["sentry.example/1", "https://key@sentry.example/our", "https://key@[::1/1"]
)
def test_a_mistyped_address_stops_the_start_with_one_line(dsn: str) -> None:
    answer = run("manage.py", "check", dsn=dsn)
    assert answer.returncode != 0
    assert answer.stderr.strip().splitlines() == [
        "greenroom: SENTRY_DSN must be like https://key@sentry.example/1. See .env.example."
    ]


@pytest.mark.django_db
def test_a_service_that_is_away_stops_nothing() -> None:
    answer = run("manage.py", "shell", "-c", BREAKS, dsn="http://key@127.0.0.1:9/1")
    assert answer.returncode == 0, answer.stderr
    assert "sync.defect" in answer.stderr
