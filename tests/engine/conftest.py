"""The engine's stage: a platform that a test steers, and a loop that runs in the test itself."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from socials import connections, platforms
from socials.models import Connection
from socials.platforms.kit.platform import Platform, Window
from socials.sync.engine import Loop
from talent.models import Talent
from tests.engine.stage import STAGE, StageSource, staged

Answer = Response | Callable[[], Response]


class Stage:
    """The server behind the test's platform: what it answers, and what it was asked."""

    def __init__(self, server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = server.url_for("").rstrip("/")
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self._answers: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        self._monkeypatch = monkeypatch
        server.expect_request(re.compile("/.*")).respond_with_handler(self._answer)

    def perform(self, *sources: StageSource, window: Window = Window.PACIFIC_DAY) -> None:
        """Let these sources take the place of YouTube's; their 1,000 units are of this window."""
        played = staged(*sources) if sources else STAGE
        buckets = tuple(replace(bucket, window=window) for bucket in played.buckets)
        self._play(replace(played, buckets=buckets))

    def says(self, asked: str = "maya", *, source: str = "youtube_data", **told: Any) -> None:
        """The next answer about a handle: an account. The last answer stays."""
        body = {"id": f"UC{asked}", "handle": asked, "followers": 1000, "posts": 1, **told}
        self.answers(asked, Response(json.dumps(body)), source=source)

    def refuses(
        self,
        status: int,
        handle: str = "maya",
        *,
        source: str = "youtube_data",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.answers(handle, Response("no", status, headers=headers), source=source)

    def answers(self, handle: str, answer: Answer, *, source: str = "youtube_data") -> None:
        self._answers[(source, handle)].append(answer)

    def forget(self) -> None:
        self._answers.clear()
        self.asked.clear()

    def _answer(self, request: Request) -> Response:
        _, source, handle = request.path.split("/")
        self.asked.append((source, handle, request.args.to_dict()))
        answers = self._answers[(source, handle)]
        if not answers:
            return Response("nobody of this name", 404)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer if isinstance(answer, Response) else answer()

    def _play(self, platform: Platform) -> None:
        table = {"YOUTUBE": "", "TWITTER": "socials.platforms.links.TWITTER"}
        real = _REAL_GET
        self._monkeypatch.setattr(platforms, "PLATFORMS", table)
        self._monkeypatch.setattr(
            platforms, "get", lambda name: real(name) if table[name] else platform
        )


_REAL_GET = platforms.get


@pytest.fixture(scope="session")
def stage_server() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def stage(
    settings: Any, quiet_settings: None, stage_server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> Stage:
    stage_server.clear()
    built = Stage(stage_server, monkeypatch)
    settings.PLATFORM_SETTINGS = {
        **settings.PLATFORM_SETTINGS,
        "YOUTUBE_API_URL": built.url,
        "YOUTUBE_API_KEY": "stage-key",
    }
    settings.YOUTUBE_SOURCES = []
    settings.SYNC_RETRY_DELAYS = (0.0, 0.0, 0.0)
    settings.CIRCUIT_FAILURES = 5
    built.perform()
    return built


@pytest.fixture
def maya(db: None) -> Talent:
    return Talent.objects.create(name="Maya Lindqvist", slug="maya-lindqvist")


@pytest.fixture
def account(stage: Stage, maya: Talent) -> Callable[..., Connection]:
    """Connects accounts of Maya's."""

    def connect(handle: str = "maya", **columns: Any) -> Connection:
        row, _ = connections.connect(maya, "YOUTUBE", handle=handle)
        if columns:
            Connection.objects.filter(pk=row.pk).update(**columns)
            row.refresh_from_db()
        return row

    return connect


@pytest.fixture
def loop() -> Callable[[], None]:
    """Works until nothing is due, in this very process."""

    def run() -> None:
        Loop().run()

    return run


@pytest.fixture
def sync(loop: Callable[[], None]) -> Callable[[Connection], Connection]:
    """A person asks for a sync, it runs, and this is the row afterwards."""

    def run(row: Connection) -> Connection:
        connections.request_sync(row.pk)
        loop()
        return Connection.objects.get(pk=row.pk)

    return run
