"""A stand-in for Meta's servers that says exactly what a test tells it, and what it was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraping.errors import Failure
from scraping.http import Http, Limits
from scraping.meter import Meter
from socials.platforms.instagram.business_discovery import BusinessDiscovery
from socials.platforms.instagram.login import InstagramLogin
from socials.types import Ask, Context, Reading, Token

PAYLOADS = Path(__file__).parent.parent / "payloads" / "instagram"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWN_ID = "17841405309211844"
AGENCY_TOKEN = "EAAagencyagencyagencyagency"
TALENT_TOKEN = "IGAAtalenttalenttalenttalent"

EVERY_PATH = re.compile(r".*")

Answer = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


class Stage:
    """Answers every request by ``script`` (path, parameters) and keeps what was asked."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.meter = Meter()
        self.settings = {
            "META_GRAPH_URL": server.url_for("").rstrip("/"),
            "META_GRAPH_VERSION": "v26.0",
            "META_ACCESS_TOKEN": AGENCY_TOKEN,
            "META_IG_USER_ID": OWN_ID,
            "META_APP_SECRET": "",
            "INSTAGRAM_CLIENT_ID": "990602627938098",
            "INSTAGRAM_CLIENT_SECRET": "a1b2C3D4a1b2C3D4",
            "INSTAGRAM_AUTHORIZE_URL": "https://www.instagram.com/oauth/authorize",
            "INSTAGRAM_TOKEN_URL": server.url_for("/oauth/access_token"),
            "INSTAGRAM_GRAPH_URL": server.url_for("").rstrip("/"),
        }

    def answers(self, script: Callable[[str, dict[str, str]], Answer]) -> None:
        def serve(request: Request) -> Response:
            asked = dict(request.form or request.args)
            self.asked.append((request.path, asked))
            status, body, *headers = script(request.path, asked)
            text = body if isinstance(body, (str, bytes)) else json.dumps(body)
            return Response(text, status, dict(*headers))

        self.server.expect_request(EVERY_PATH).respond_with_handler(serve)

    def answers_always(
        self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.answers(lambda path, asked: (status, body, headers or {}))

    @property
    def context(self) -> Context:
        return Context(Http(Limits.within(5)), self.settings, self.meter, clock=lambda: NOW)

    def discover(self, handle: str = "bluebottle", **ask: Any) -> Reading | Failure:
        [(_, outcome)] = BusinessDiscovery().read_many(
            [Ask(1, "INSTAGRAM", handle, **ask)], self.context
        )
        return outcome

    def log_in(self, *, scopes: tuple[str, ...] = (), **ask: Any) -> Reading | Failure:
        token = Token(TALENT_TOKEN, scopes)
        [(_, outcome)] = InstagramLogin().read_many(
            [Ask(1, "INSTAGRAM", "x", token=token, **ask)], self.context
        )
        return outcome


def refusal(code: int, subcode: int = 0, message: str = "no", **more: Any) -> dict[str, Any]:
    error = {"message": message, "type": "OAuthException", "code": code, **more}
    return {"error": {**error, "error_subcode": subcode} if subcode else error}
