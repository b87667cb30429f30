"""The engine's stage: a platform that a test steers, and a loop that runs in the test itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from socials import connections, platforms
from socials.models import Connection
from socials.platforms.kit.platform import Platform
from socials.sync.engine import Loop
from talent.models import Talent
from tests.engine.stage import STAGE


@pytest.fixture
def stage(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """The server behind the test's platform, which takes YouTube's place."""
    with HTTPServer() as server:
        settings.PLATFORM_SETTINGS = {
            **settings.PLATFORM_SETTINGS,
            "YOUTUBE_API_URL": server.url_for("").rstrip("/"),
            "YOUTUBE_API_KEY": "stage-key",
        }
        settings.YOUTUBE_SOURCES = []
        settings.SYNC_RETRY_DELAYS = (0.0, 0.0, 0.0)
        perform(monkeypatch, STAGE)
        yield server
        server.check_assertions()


def perform(monkeypatch: pytest.MonkeyPatch, platform: Platform) -> None:
    """Let this platform take YouTube's place for a test."""
    table = {"YOUTUBE": "", "TWITTER": "socials.platforms.links.TWITTER"}
    real = platforms.get
    monkeypatch.setattr(platforms, "PLATFORMS", table)
    monkeypatch.setattr(platforms, "get", lambda name: real(name) if table[name] else platform)


@pytest.fixture
def account(stage: HTTPServer, db: None) -> Callable[..., Connection]:
    """Connects accounts of one talent."""
    person = Talent.objects.create(name="Maya Lindqvist", slug="maya-stage")

    def connect(handle: str = "maya", **columns: Any) -> Connection:
        row, _ = connections.connect(person, "YOUTUBE", handle=handle)
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
