"""Canary secrets are planted everywhere; then everything that leaves the process is searched."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client

from config import redaction
from socials import queries
from socials.models import Webhook
from talent.models import ApiToken, User

CANARIES = {
    "SECRET_KEY": "canary-secret-key-0123456789",
    "TOKEN_ENCRYPTION_KEYS": ["Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LTAwMDA="],
    "METRICS_TOKEN": "canary-metrics-token",
    "EMAIL_HOST_PASSWORD": "canary-mail-password",
}
PLATFORM = {
    "INSTAGRAM_CLIENT_SECRET": "canary-instagram-secret",
    "META_ACCESS_TOKEN": "EAAcanaryMeta0123456789",
    "META_APP_SECRET": "canary-meta-app-secret",
    "TIKTOK_CLIENT_SECRET": "canary-tiktok-secret",
    "YOUTUBE_API_KEY": "AIzaCanaryYoutube0123456789",
    "GOOGLE_CLIENT_SECRET": "canary-google-secret",
    "APIFY_TOKEN": "apify_api_canary0123456789",
}
OF_OTHERS = {
    "access_token": "canary-access-token-of-a-talent",
    "refresh_token": "canary-refresh-token",
    "password": "canary-password",
    "authorization": "Bearer canary-authorization",
    "code": "canary-oauth-code",
    "signed_request": "canary-signed-request",
    "state": "canary-oauth-state",
    "client_secret": "canary-client-secret",
    "cookie": "sessionid=canary-session",
}
KNOWN = [secret for secret in (*CANARIES.values(), *PLATFORM.values()) if isinstance(secret, str)]
KNOWN += CANARIES["TOKEN_ENCRYPTION_KEYS"]
Written = Callable[[], str]


@pytest.fixture(autouse=True)
def canaries(settings: Any) -> None:
    for name, secret in CANARIES.items():
        setattr(settings, name, secret)
    settings.PLATFORM_SETTINGS = {**settings.PLATFORM_SETTINGS, **PLATFORM}
    settings.ADMINS = [("", "ops@agency.example")]


@pytest.fixture(params=["json", "console"])
def written(request: pytest.FixtureRequest) -> Iterator[Written]:
    """What the root logger writes in this format."""
    shape = dict(django_settings.LOGGING["formatters"][request.param])
    formatter = shape.pop("()")(**shape)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    before = root.level
    root.setLevel(logging.DEBUG)
    yield stream.getvalue
    root.setLevel(before)
    root.removeHandler(handler)


def assert_silent(told: str, *more: str) -> None:
    assert told
    for secret in (*KNOWN, *OF_OTHERS.values(), *more):
        assert secret not in told
        assert secret.removeprefix("Bearer ") not in told


def test_a_log_line_shows_no_secret_by_name_or_by_looks(written: Written) -> None:
    log = structlog.get_logger("canary")
    log.info("by.name", **OF_OTHERS, nested={"deep": [OF_OTHERS]}, harmless="kept")
    for secret in KNOWN:
        log.warning(
            "by.looks", detail=f"refused {secret} at once", parts=[secret], raw=secret.encode()
        )
        logging.getLogger("plain").error("It said %s", secret)
        logging.getLogger("plain").error(f"and {secret} again", extra={"x": secret})  # noqa: G004
    told = written()
    assert_silent(told)
    assert "kept" in told
    assert "by.name" in told


def test_a_traceback_shows_no_secret(written: Written) -> None:
    for secret in KNOWN:
        try:
            raise RuntimeError(f"the platform refused {secret}")
        except RuntimeError:
            logging.getLogger("plain").exception("failed")
            structlog.get_logger("canary").exception("failed.too")
    told = written()
    assert_silent(told)
    assert "RuntimeError" in told


@pytest.mark.parametrize(
    "address",
    [
        "/oauth/tiktok/callback?code=canary-oauth-code&state=canary-oauth-state&scopes=a",
        "https://graph.example/me?fields=id&access_token=canary-access-token-of-a-talent",
        "https://user:canary-password@db.example/name",
        "/connect/canary-refresh-token",
        "/kit/canary-refresh-token?print=1",
    ],
)
def test_an_address_is_told_without_what_opens_it(address: str) -> None:
    told = redaction.text(f'GET {address} "from here"')
    assert_silent(told)
    assert redaction.MASK in told
    assert "from here" in told


def test_our_own_kinds_of_secret_are_known_by_their_looks(db: None, alice: User) -> None:
    _, token = ApiToken.issue(alice, name="x")
    secret = Webhook.new_secret()
    assert_silent(redaction.text(f"a {token} b {secret} c"), token, secret)


def test_causes_and_statuses_stay_readable(written: Written) -> None:
    structlog.get_logger("canary").info("sync.failed", code="NOT_FOUND", token_keys=None)
    structlog.get_logger("canary").info("request_finished", code=200, request="GET /connect")
    told = written()
    assert "NOT_FOUND" in told
    assert "200" in told
    assert redaction.MASK not in told


def test_json_stays_json(request: pytest.FixtureRequest) -> None:
    shape = dict(django_settings.LOGGING["formatters"]["json"])
    formatter = shape.pop("()")(**shape)
    record = logging.LogRecord("x", logging.INFO, "", 0, f'"{KNOWN[0]}"', None, None)
    assert json.loads(formatter.format(record))["event"] == f'"{redaction.MASK}"'


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
def test_a_page_that_breaks_tells_nobody_a_secret(
    alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch, written: Written, debug: bool
) -> None:
    settings.DEBUG = debug
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False

    def breaks(*_: Any) -> None:
        access_token = OF_OTHERS["access_token"]
        told = {"client_secret": OF_OTHERS["client_secret"], "code": OF_OTHERS["code"]}
        raise RuntimeError(
            f"refused {PLATFORM['META_ACCESS_TOKEN']} {len(access_token) + len(told)}"
        )

    monkeypatch.setattr(queries, "frame", breaks)
    browser = Client(raise_request_exception=False)
    browser.force_login(alice, backend="talent.backends.RoleBackend")
    session = browser.cookies["sessionid"].value
    answer = browser.post(
        "/talent/new?access_token=canary-access-token-of-a-talent&signed_request=canary-signed-request",
        {**OF_OTHERS, "name": ""},
        headers={"Authorization": OF_OTHERS["authorization"], "Cookie": f"sessionid={session}"},
    )
    assert answer.status_code == 500
    page = answer.content.decode()
    assert_silent(page, session)
    assert_silent(written(), session)
    if not debug:
        [letter] = mail.outbox
        assert letter.to == ["ops@agency.example"]
        assert "RuntimeError" in letter.body
        assert_silent(f"{letter.subject}\n{letter.body}\n{letter.alternatives}", session)


@pytest.mark.django_db
def test_the_api_tells_nobody_a_secret(
    alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch, written: Written
) -> None:
    settings.DEBUG = False

    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"refused {PLATFORM['APIFY_TOKEN']}")

    monkeypatch.setattr("socials.dashboard.queue_stats", breaks)
    _, token = ApiToken.issue(alice, name="x")
    client = Client(raise_request_exception=False)
    answer = client.get("/api/admin/queue-stats", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 500
    assert_silent(answer.content.decode(), token)
    assert_silent(written(), token)
