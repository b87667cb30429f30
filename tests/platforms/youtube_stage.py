"""A stand-in for Google's servers that says exactly what a test tells it, and what it was asked."""

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
from socials.platforms.youtube.data import YouTubeData
from socials.types import Ask, Context, Depth, Reading, Token

TESTS = Path(__file__).parent.parent
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = "AIzaSyTheAgencysOwnKeyOf39Characters000"
TOKEN = "ya29.a0TheTalentsOwnToken"

EVERY_PATH = re.compile(r".*")

Answer = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]
Script = Callable[[dict[str, str]], Answer]


def payload(name: str) -> Any:
    return json.loads((TESTS / "payloads" / "youtube" / f"{name}.json").read_text())


def channel(channel_id: str, *, videos: int = 3, **statistics: Any) -> dict[str, Any]:
    return {
        "kind": "youtube#channel",
        "id": channel_id,
        "snippet": {"title": channel_id, "customUrl": f"@{channel_id.lower()}"},
        "statistics": {"subscriberCount": "1500", "videoCount": str(videos), **statistics},
    }


def channels(*items: Any) -> dict[str, Any]:
    return {"kind": "youtube#channelListResponse", "items": list(items)}


def entry(video_id: str, published_at: str = "2026-11-01T00:00:00Z") -> dict[str, Any]:
    return {
        "snippet": {"title": video_id},
        "contentDetails": {"videoId": video_id, "videoPublishedAt": published_at},
    }


def page(*entries: Any, following: str = "") -> dict[str, Any]:
    return {"items": list(entries), **({"nextPageToken": following} if following else {})}


def video(video_id: str, published_at: str = "2026-11-01T00:00:00Z") -> dict[str, Any]:
    return {
        "id": video_id,
        "snippet": {"publishedAt": published_at, "title": video_id, "liveBroadcastContent": "none"},
        "contentDetails": {"duration": "PT10M"},
        "statistics": {"viewCount": "100", "likeCount": "10", "commentCount": "1"},
    }


def stat(video_id: str) -> dict[str, Any]:
    return {
        "id": video_id,
        "snippet": {"publishTime": "2026-11-01T00:00:00Z"},
        "contentDetails": {"duration": "600s"},
        "statistics": {"viewCount": "200", "likeCount": "20", "commentCount": "2"},
    }


def refusal(code: int, reason: str) -> tuple[int, Any]:
    return code, {"error": {"code": code, "message": "no", "errors": [{"reason": reason}]}}


class Stage:
    """Answers each method by its script (given the parameters) and keeps what was asked."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.tokens: list[str] = []
        self.meter = Meter()
        self.settings = {
            "YOUTUBE_API_URL": server.url_for("").rstrip("/"),
            "YOUTUBE_API_KEY": KEY,
        }
        self.scripts: dict[str, Script] = {
            "playlistItems": lambda asked: (404, payload("uploads_none")),
        }
        server.expect_request(EVERY_PATH).respond_with_handler(self._serve)

    def _serve(self, request: Request) -> Response:
        method = request.path.removeprefix("/youtube/v3/")
        asked = dict(request.args)
        self.asked.append((method, asked))
        self.tokens.append(request.headers.get("Authorization", ""))
        status, body, *headers = self.scripts[method](asked)
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return Response(text, status, dict(*headers))

    def answers(self, **scripts: Script) -> None:
        self.scripts |= {
            name.replace("stats", "videos:batchGetStats"): s for name, s in scripts.items()
        }

    def calls(self, method: str) -> list[dict[str, str]]:
        return [asked for name, asked in self.asked if name == method]

    @property
    def context(self) -> Context:
        return Context(Http(Limits.within(5)), self.settings, self.meter, clock=lambda: NOW)

    def read(self, *asks: Ask) -> dict[int, Reading | Failure]:
        outcomes = list(YouTubeData().read_many(asks, self.context))
        assert len(outcomes) == len(asks)
        return {ask.connection_id: outcome for ask, outcome in outcomes}

    def read_one(
        self, handle: str = "asked", *, token: bool = False, **ask: Any
    ) -> Reading | Failure:
        grant = Token(TOKEN) if token else None
        return self.read(Ask(1, "YOUTUBE", handle, token=grant, **ask))[1]

    def read_cheaply(self, channel_id: str, **ask: Any) -> Reading | Failure:
        return self.read_one("asked", external_id=channel_id, depth=Depth.CHEAP, **ask)
