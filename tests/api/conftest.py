"""Clients that bring a token, as programs do, and accounts that have been read already."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from socials import connections, outbox, webhooks
from socials.models import (
    Connection,
    Delivery,
    Event,
    Outcome,
    Post,
    Profile,
    Snapshot,
    SyncRun,
    SyncStatus,
)
from talent.models import ApiToken, Talent, User

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.fixture
def client_of() -> Callable[[User], APIClient]:
    """A client with a token of this user."""

    def client(user: User) -> APIClient:
        _, secret = ApiToken.issue(user, name="test")
        api = APIClient()
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return api

    return client


@pytest.fixture
def manager(client_of: Callable[[User], APIClient], alice: User) -> APIClient:
    return client_of(alice)


@pytest.fixture
def viewer(client_of: Callable[[User], APIClient], victor: User) -> APIClient:
    return client_of(victor)


@pytest.fixture
def connect(jane: Talent) -> Callable[..., Connection]:
    """Connects an account: ``connect("YOUTUBE", "janesmith")``."""

    def connected(platform: str = "INSTAGRAM", handle: str = "janesmith", to: Talent = jane) -> Any:
        return connections.connect(to, platform, handle=handle)[0]

    return connected


@pytest.fixture
def read_account(connect: Callable[..., Connection]) -> Callable[..., Connection]:
    """An account whose sync has succeeded, with posts, a history and a run."""

    def read(
        platform: str = "INSTAGRAM", handle: str = "janesmith", posts: int = 3, **more: Any
    ) -> Connection:
        row = connect(platform, handle, **more)
        Connection.objects.filter(pk=row.pk).update(
            sync_status=SyncStatus.READY,
            next_attempt_at=None,
            attempt=1,
            source="instagram_business_discovery",
            external_id=f"id-{handle}",
            last_synced_at=NOON,
            next_refresh_at=NOON + timedelta(hours=1),
        )
        Profile.objects.create(
            connection=row,
            display_name="Jane Smith",
            bio="Food & travel",
            avatar_url="https://cdn.example/jane.jpg",
            followers=1000,
            following=321,
            posts=posts,
            verified=True,
            private=False,
            quality={"followers": "exact", "following": "exact", "posts": "exact"},
            source="instagram_business_discovery",
            fetched_at=NOON,
        )
        Post.objects.bulk_create(a_post(row, number) for number in range(posts))
        Snapshot.objects.create(
            connection=row, date=datetime.now(UTC).date(), followers=1000, source="x", taken_at=NOON
        )
        SyncRun.objects.create(**a_run(row))
        return Connection.objects.get(pk=row.pk)

    return read


def a_post(row: Connection, number: int, **fields: Any) -> Post:
    told = {
        "caption": f"Post {number}",
        "posted_at": NOON - timedelta(days=number),
        "likes": 40,
        "comments": 10,
        "views": 500,
    }
    return Post(
        connection=row,
        external_id=f"post-{number}",
        kind="IMAGE",
        source="instagram_business_discovery",
        fetched_at=NOON,
        **told | fields,
    )


def a_run(row: Connection, **fields: Any) -> dict[str, Any]:
    return {
        "connection": row,
        "platform": row.platform,
        "trigger": "connect",
        "sync_version": 1,
        "attempt": 1,
        "started_at": NOON,
        "finished_at": NOON + timedelta(seconds=1),
        "duration_ms": 1000,
        "outcome": Outcome.READY,
        "source": "instagram_business_discovery",
        "calls": 2,
        "posts_delivered": 3,
        "posts_new": 3,
    } | fields


def a_message(event: Event = Event.TALENT_MILESTONE) -> Delivery:
    """A webhook for an event, and the message that waits for it."""
    webhook = webhooks.create(url="https://crm.example/greenroom", events=[event])
    outbox.emit(event, 1, {"milestone": 10_000})
    return Delivery.objects.get(webhook=webhook)
