"""A platform's token endpoint whose answers a test sets, and grants that need it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from socials import connections
from socials.models import Connection, Grant
from socials.types import Profile, TokenGrant
from talent.models import Talent

SCOPES = ["user.info.basic", "user.info.profile", "user.info.stats", "video.list"]


class TokenEndpoint:
    """TikTok's: rotates the refresh token, and takes each one once."""

    def __init__(self, server: HTTPServer, settings: Any) -> None:
        self.asked: list[dict[str, str]] = []
        self.revoked: list[str] = []
        self.answer: Callable[[Request], Response] | None = None
        self.seconds = 0.0
        self.spent: set[str] = set()
        server.expect_request("/v2/oauth/token/").respond_with_handler(self._token)
        server.expect_request("/v2/oauth/revoke/").respond_with_handler(self._revoke)
        settings.PLATFORM_SETTINGS = {
            **settings.PLATFORM_SETTINGS,
            "TIKTOK_API_URL": server.url_for("").rstrip("/"),
            "TIKTOK_CLIENT_KEY": "key",
            "TIKTOK_CLIENT_SECRET": "client-secret",
        }

    def says(self, status: int, body: Any) -> None:
        self.answer = lambda _: reply(body, status)

    def recovers(self) -> None:
        self.answer = None

    def _token(self, request: Request) -> Response:
        form = request.form.to_dict()
        self.asked.append(form)
        time.sleep(self.seconds)
        if self.answer is not None:
            return self.answer(request)
        if form["refresh_token"] in self.spent:
            return reply({"error": "invalid_grant", "error_description": "used"}, 400)
        self.spent.add(form["refresh_token"])
        number = len(self.asked)
        return reply(
            {
                "access_token": f"act.{number}",
                "expires_in": 7200,
                "open_id": "open-1",
                "refresh_expires_in": 15552000,
                "refresh_token": f"rft.{number}",
                "scope": ",".join(SCOPES),
                "token_type": "Bearer",
            }
        )

    def _revoke(self, request: Request) -> Response:
        if self.answer is not None:
            return self.answer(request)
        self.revoked.append(request.form["token"])
        return reply({})


def reply(body: Any, status: int = 200) -> Response:
    import json

    text = body if isinstance(body, str) else json.dumps(body)
    return Response(text, status, content_type="application/json")


def granted(
    talent: Talent,
    *,
    ends_in: timedelta = timedelta(minutes=10),
    handle: str = "jane.smith",
    open_id: str = "open-1",
    **fields: Any,
) -> Grant:
    """A TikTok account with a grant whose access token ends soon, at rest."""
    row, _ = connections.connect(talent, "TIKTOK", handle=handle)
    Connection.objects.filter(pk=row.pk).update(
        connection_type="OAUTH", sync_status="READY", next_attempt_at=None, external_id=open_id,
        metadata={"ids": {"tiktok_display": open_id}},
    )  # fmt: skip
    now = timezone.now()
    return Grant.objects.create(
        **{
            "connection_id": row.pk,
            "access_token": "act.0",
            "refresh_token": "rft.0",
            "scopes": SCOPES,
            "expires_at": now + ends_in,
            "refresh_expires_at": now + timedelta(days=100),
            "app_user_id": open_id,
            "granted_at": now - timedelta(days=10),
            "refreshed_at": now - timedelta(hours=2),
            **fields,
        }
    )


def given(number: int = 1, **fields: Any) -> TokenGrant:
    """What an authorisation gave."""
    now = timezone.now()
    return TokenGrant(
        **{
            "access_token": f"act.given{number}",
            "refresh_token": f"rft.given{number}",
            "scopes": tuple(SCOPES),
            "expires_at": now + timedelta(hours=2),
            "refresh_expires_at": now + timedelta(days=180),
            "external_id": "open-1",
            "app_user_id": "open-1",
            **fields,
        }
    )


def account(open_id: str = "open-1", handle: str = "jane.smith", **fields: Any) -> Profile:
    return Profile(external_id=open_id, handle=handle, display_name="Jane Smith", **fields)
