"""Signed-in browsers without a screen, and accounts in every state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from socials.models import Connection, Profile
from talent.models import Talent, User

HTMX = {"HX-Request": "true"}


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="talent.backends.RoleBackend")
    return client


@pytest.fixture
def alice_browser(alice: User) -> Client:
    return _signed_in(alice)


@pytest.fixture
def victor_browser(victor: User) -> Client:
    return _signed_in(victor)


@pytest.fixture
def tilda_browser(tilda: User) -> Client:
    return _signed_in(tilda)


@pytest.fixture
def account(db: None) -> Callable[..., Connection]:
    """An account that was read ten minutes ago: ``account(jane, "YOUTUBE", followers=5)``."""

    def make(
        talent: Talent, platform: str = "INSTAGRAM", handle: str = "janesmith", **fields: Any
    ) -> Connection:
        followers = fields.pop("followers", 120_345)
        now = timezone.now()
        known: dict[str, Any] = {
            "handle_key": handle.lower(),
            "profile_url": f"https://platform.example/{handle}",
            "sync_status": "READY",
            "attempt": 1,
            "last_synced_at": now - timedelta(minutes=10),
            "next_refresh_at": now + timedelta(minutes=50),
        }
        row = Connection.objects.create(
            talent=talent, platform=platform, handle=handle, **{**known, **fields}
        )
        if followers is not None:
            Profile.objects.create(
                connection=row, followers=followers, source="test", fetched_at=now
            )
        return row

    return make


@pytest.fixture
def failing(account: Callable[..., Connection]) -> Callable[..., Connection]:
    """An account in ERROR for a cause."""

    def make(talent: Talent, code: str, **fields: Any) -> Connection:
        return account(
            talent,
            **{
                "sync_status": "ERROR",
                "error_code": code,
                "attempt": 3,
                "followers": None,
                **fields,
            },
        )

    return make
