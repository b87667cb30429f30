"""A stand-in for TikTok's servers that is strict about requests and says what a test tells it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraping.errors import Failure
from scraping.http import Http, Limits
from scraping.meter import Meter
from socials.platforms.tiktok.display import TikTokDisplay
from socials.types import Ask, Context, Reading, Token

PAYLOADS = Path(__file__).parent.parent / "payloads" / "tiktok"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOKEN = "act.secretsecretsecret"
EVERYTHING = ("user.info.basic", "user.info.profile", "user.info.stats", "video.list")
PATHS = {"/v2/user/info/": "GET", "/v2/video/list/": "POST", "/v2/video/query/": "POST"}

Answer = Callable[[Request], Response]


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def reply(value: Any, status: int = 200, **headers: str) -> Response:
    text = value if isinstance(value, (str, bytes)) else json.dumps(value)
    return Response(text, status, headers, content_type="application/json")


def refuse(status: int, code: str, **headers: str) -> Answer:
    error = {"code": code, "message": "…", "log_id": "20250625133420FE910721C437F9AB7B4D"}
    return lambda _: reply({"error": error}, status, **headers)


def ok(data: Any) -> Response:
    return reply({"data": data, "error": {"code": "ok", "message": "", "log_id": "2022"}})


def some_video(number: int, **fields: Any) -> dict[str, Any]:
    """Video ``number``: a higher one is newer, an hour each."""
    row = copy.deepcopy(payload("video_list")["data"]["videos"][0])
    moment = 1_700_000_000 + number * 3600
    changes = {"id": str(7080213458555730000 + number), "create_time": moment}
    return dict(row | changes | fields)


class Stage:
    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.asked: list[Request] = []
        self.meter = Meter()
        self.answers: dict[str, Answer] = {
            "/v2/user/info/": lambda _: reply(payload("user_info")),
            "/v2/video/list/": lambda _: reply(payload("video_list")),
            "/v2/video/query/": lambda _: ok({"videos": []}),
        }
        self.settings = {
            "TIKTOK_API_URL": self.url,
            "TIKTOK_AUTHORIZE_URL": "https://www.tiktok.com/v2/auth/authorize/",
            "TIKTOK_CLIENT_KEY": "aw1key",
            "TIKTOK_CLIENT_SECRET": "client-secret",
        }
        server.expect_request(re.compile(".*")).respond_with_handler(self._serve)

    def _serve(self, request: Request) -> Response:
        request.get_data()
        self.asked.append(request)
        if request.path in PATHS:
            assert request.method == PATHS[request.path]
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            assert request.args.get("fields")
            assert set(request.args) == {"fields"}
            if request.method == "POST":
                assert request.content_type == "application/json"
            else:
                assert request.data == b""
        return self.answers[request.path](request)

    def sent(self, path: str) -> list[Request]:
        return [request for request in self.asked if request.path == path]

    def fields(self, path: str) -> set[str]:
        return set(self.sent(path)[0].args["fields"].split(","))

    @property
    def context(self) -> Context:
        return Context(Http(Limits.within(1)), self.settings, self.meter, clock=lambda: NOW)

    def read(self, *, scopes: tuple[str, ...] = EVERYTHING, **ask: Any) -> Reading | Failure:
        asks = [Ask(1, "TIKTOK", "asked", token=Token(TOKEN, scopes), **ask)]
        [(_, outcome)] = TikTokDisplay().read_many(asks, self.context)
        return outcome

    def lists(self, numbers: list[int], *, times: bool = True) -> None:
        """Video list in pages as TikTok makes them: what was posted before the cursor."""

        def page(request: Request) -> Response:
            body = request.get_json()
            assert 1 <= body["max_count"] <= 20
            cursor = body.get("cursor", 10**15)
            assert isinstance(cursor, int)
            assert "cursor" not in body or cursor > 10**12, "milliseconds, please"
            older = [n for n in numbers if some_video(n)["create_time"] * 1000 < cursor]
            shown = [some_video(n) for n in older[: body["max_count"]]]
            return ok(
                {
                    "videos": shown,
                    "cursor": shown[-1]["create_time"] * 1000 if shown else cursor,
                    "has_more": len(older) > body["max_count"],
                }
            )

        self.answers["/v2/video/list/"] = page
