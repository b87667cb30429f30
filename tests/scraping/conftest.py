"""A scripted Apify, which keeps every request it was sent."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraping.errors import Failure
from scraping.http import Http, Limits
from scraping.meter import Meter
from scraping.providers import get
from scraping.providers.base import ScrapeContext
from scraping.types import ScrapedAccount

RUN = {
    "id": "HG7ML7M8z78YcAPEB", "actId": "HDSasDasz78YcAPEB", "userId": "7sT5jcggjjA9fNcxF",
    "startedAt": "2026-11-21T07:34:24.202Z", "finishedAt": None, "status": "RUNNING",
    "statusMessage": "Actor is running", "meta": {"origin": "API"}, "stats": {"runTimeSecs": 1.2},
    "options": {"build": "latest", "timeoutSecs": 300}, "buildId": "7sT5jcggjjA9fNcxF",
    "buildNumber": "0.0.36", "exitCode": None, "generalAccess": "RESTRICTED",
    "defaultKeyValueStoreId": "eJNzqsbPiopwJcgGQ", "defaultDatasetId": "wmKPijuyDnPZAPRMk",
    "defaultRequestQueueId": "FL35cSF7jrxr3BY39", "usageTotalUsd": 0.2654,
}  # fmt: skip
"""The documentation's own example."""

TOKEN = "apify_api_secret"


class ScriptedApify:
    """Answers start, poll, items, abort and look-up; each may be replaced."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("")
        self.requests: list[Request] = []
        self.items: list[Any] = []
        self.end = "SUCCEEDED"
        self.runs: list[dict[str, Any]] = []
        self.run = dict(RUN)
        self.answers: dict[str, Callable[[Request], Response]] = {
            "start": lambda _: reply({"data": self.run}, 201),
            "poll": lambda _: reply({"data": self.run | {"status": self.end}}),
            "items": self.page,
            "abort": lambda _: reply({"data": self.run | {"status": "ABORTING"}}),
            "list": lambda _: reply({"data": {"items": self.runs, "total": len(self.runs)}}),
            "input": lambda _: reply({"error": {"type": "record-not-found", "message": ""}}, 404),
        }
        server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        request.get_data()
        self.requests.append(request)
        return self.answers[kind(request)](request)

    def page(self, request: Request) -> Response:
        offset, limit = int(request.args["offset"]), int(request.args["limit"])
        return reply(
            self.items[offset : offset + limit],
            headers={"X-Apify-Pagination-Total": str(len(self.items))},
        )

    def sent(self, name: str) -> list[Request]:
        return [request for request in self.requests if kind(request) == name]


def kind(request: Request) -> str:
    """What a request asks for, by the documented path and method. Raises when it has none."""
    for name, method, pattern in (
        ("start", "POST", r"/v2/acts/[\w.-]+~[\w-]+/runs"),
        ("list", "GET", r"/v2/acts/[\w.-]+~[\w-]+/runs"),
        ("poll", "GET", r"/v2/actor-runs/\w+"),
        ("abort", "POST", r"/v2/actor-runs/\w+/abort"),
        ("items", "GET", r"/v2/datasets/\w+/items"),
        ("input", "GET", r"/v2/key-value-stores/\w+/records/INPUT"),
    ):
        if request.method == method and re.fullmatch(pattern, request.path):
            return name
    raise AssertionError(f"{request.method} {request.path} is not documented")


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        json.dumps(value), status, content_type="application/json", headers=headers or {}
    )


def refuse(status: int, type_: str) -> Callable[[Request], Response]:
    return lambda _: reply({"error": {"type": type_, "message": "…"}}, status)


def broken(_: Request) -> Response:
    return Response("<html>502</html>", 502, content_type="text/html")


def stalls(_: Request) -> Response:
    time.sleep(0.6)
    return reply({})


@pytest.fixture
def apify(httpserver: HTTPServer) -> ScriptedApify:
    return ScriptedApify(httpserver)


class Scrape:
    """One scrape's outcomes by handle, and its meter."""

    def __init__(self, apify: ScriptedApify, settings: Any) -> None:
        self.apify = apify
        self.meter = Meter()
        self.values = {
            **settings.PLATFORM_SETTINGS,
            "APIFY_API_URL": apify.url.rstrip("/"),
            "APIFY_TOKEN": TOKEN,
        }

    def __call__(
        self, *handles: str, platform: str = "TIKTOK", post_limit: int = 3, **values: str
    ) -> dict[str, ScrapedAccount | Failure]:
        context = ScrapeContext(Http(Limits.within(0.5)), self.values | values, self.meter)
        outcomes = list(
            get("apify").scrape(platform, handles, post_limit=post_limit, context=context)
        )
        assert len(outcomes) == len({handle for handle, _ in outcomes})
        return dict(outcomes)


@pytest.fixture
def scrape(apify: ScriptedApify, settings: Any) -> Scrape:
    return Scrape(apify, settings)
