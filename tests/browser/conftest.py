"""A real browser on a real server, with the sandbox platforms behind it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from talent.models import User
from tests.pages.conftest import account, failing

__all__ = ["account", "failing"]

# Playwright keeps an event loop in this thread, which Django would take for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDE, PHONE = (1440, 900), (390, 844)
expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def open_page(
    browser: Browser, live_server: Any, platform_settings: dict[str, str]
) -> Iterator[Callable[..., Page]]:
    """Opens windows, signed in or not. A script fault or a refused policy in any fails the test."""
    faults: list[str] = []
    contexts = []

    def noted(message: ConsoleMessage) -> None:
        # a refused form or a page that is not there is an answer, not a fault
        answered = ("Failed to load resource", "Response Status Error Code")
        if message.type == "error" and not message.text.startswith(answered):
            faults.append(message.text)

    def opened(
        user: User | None = None,
        *,
        size: tuple[int, int] = WIDE,
        theme: Any = "light",
        scripts: bool = True,
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user, backend="talent.backends.RoleBackend")
            cookie = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", noted)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
