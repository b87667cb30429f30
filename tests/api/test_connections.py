"""Accounts over HTTP: connect, poll, refresh, delete."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone
from rest_framework.test import APIClient

from socials.models import Connection, Grant, Post, SyncStatus
from talent.models import Activity, ApiToken, Talent, User

CONNECT = "/api/admin/socials/connect-manual"
KEYS = {
    "id", "talentId", "platform", "handle", "profileUrl", "connected", "connectionType",
    "syncStatus", "errorCode", "syncError", "attempt", "maxAttempts", "nextAttemptAt",
    "lastSyncedAt", "nextRefreshAt", "expiresAt", "scopes", "externalId", "source", "profile",
    "partial", "postsStored", "createdAt", "updatedAt",
}  # fmt: skip
PROFILE_KEYS = {
    "displayName", "bio", "avatarUrl", "followers", "following", "posts", "likes", "views",
    "verified", "private", "fetchedAt", "quality",
}  # fmt: skip


def test_a_new_account_is_queued_and_connecting_it_again_finds_it(
    manager: APIClient, jane: Talent, alice: User
) -> None:
    body = {"talentId": jane.pk, "platform": "INSTAGRAM", "handle": "@JaneSmith"}
    first = manager.post(CONNECT, body, format="json")
    assert first.status_code == 201
    made = first.json()["data"]
    assert set(made) == KEYS
    assert made["talentId"] == jane.pk
    assert made["handle"] == "janesmith"
    assert made["profileUrl"] == "https://www.instagram.com/janesmith/"
    assert made["syncStatus"] == "PENDING"
    assert (made["attempt"], made["maxAttempts"]) == (0, 3)
    assert made["nextAttemptAt"].endswith("Z")
    assert (made["connected"], made["connectionType"]) == (True, "MANUAL")
    for empty in ("profile", "errorCode", "syncError", "lastSyncedAt", "externalId", "source"):
        assert made[empty] is None
    assert (made["scopes"], made["partial"], made["postsStored"]) == ([], [], 0)

    link = {
        "talentId": jane.pk,
        "platform": "instagram",
        "profileUrl": "https://instagram.com/janesmith?hl=en",
    }
    again = manager.post(CONNECT, link, format="json")
    assert again.status_code == 200
    assert again.json()["data"]["id"] == made["id"]
    assert Connection.objects.count() == 1
    event = Activity.objects.get(action="connection.connected")
    assert (event.actor_id, event.talent_id) == (alice.pk, jane.pk)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"platform": "INSTAGRAM"}, "handle"),
        ({"platform": "INSTAGRAM", "handle": "jane smith!"}, "handle"),
        ({"platform": "INSTAGRAM", "handle": "x" * 2001}, "handle"),
        ({"platform": "INSTAGRAM", "handle": 7}, "handle"),
        ({"platform": "INSTAGRAM", "handle": "jane\u0000"}, "handle"),
        ({"platform": "YOUTUBE", "profileUrl": "https://www.tiktok.com/@jane"}, "profileUrl"),
        ({"platform": "TIKTOK", "profileUrl": "not a link at all"}, "profileUrl"),
        ({"platform": "MYSPACE", "handle": "jane"}, "platform"),
        ({"handle": "jane"}, "platform"),
        ({"platform": "INSTAGRAM", "handle": "jane", "syncStatus": "READY"}, "syncStatus"),
        ({"platform": "INSTAGRAM", "handle": "jane", "talentId": None}, "talentId"),
        ({"platform": "INSTAGRAM", "handle": "jane", "talentId": [1]}, "talentId"),
    ],
)
def test_a_refused_account_names_the_field(
    manager: APIClient, jane: Talent, body: dict[str, Any], field: str
) -> None:
    answer = manager.post(CONNECT, {"talentId": jane.pk, **body}, format="json")
    assert answer.status_code == 400, answer.json()
    assert answer.json()["error"] == "VALIDATION_ERROR"
    assert answer.json()["details"][field]
    assert not Connection.objects.exists()


@pytest.mark.parametrize(("platform", "example"), [("INSTAGRAM", "janesmith"), ("TIKTOK", "jane")])
def test_a_wrong_handle_is_answered_with_a_right_example(
    manager: APIClient, jane: Talent, platform: str, example: str
) -> None:
    body = {"talentId": jane.pk, "platform": platform, "handle": "no way!"}
    told = manager.post(CONNECT, body, format="json").json()
    assert example in told["details"]["handle"][0].lower()


@pytest.mark.parametrize("unknown", [987654, "987654", "talent_123", -1, 10**40, "१"])
def test_an_unknown_talent_is_404_whatever_its_id_looks_like(
    manager: APIClient, unknown: Any
) -> None:
    body = {"talentId": unknown, "platform": "INSTAGRAM", "handle": "janesmith"}
    answer = manager.post(CONNECT, body, format="json")
    assert answer.status_code == 404
    assert answer.json()["error"] == "NOT_FOUND"


def test_a_read_account_shows_its_profile_and_hides_its_secrets(
    manager: APIClient, read_account: Callable[..., Connection]
) -> None:
    row = read_account()
    Grant.objects.create(
        connection=row,
        access_token="canary-access",
        refresh_token="canary-refresh",
        scopes=["user.info.basic"],
        expires_at=timezone.now() + timedelta(days=30),
        granted_at=timezone.now(),
    )
    answer = manager.get(f"/api/admin/socials/{row.pk}")
    told = answer.json()["data"]
    assert set(told) == KEYS
    assert set(told["profile"]) == PROFILE_KEYS
    assert told["profile"]["followers"] == 1000
    assert told["profile"]["likes"] is None
    assert told["profile"]["quality"] == {
        "followers": "exact",
        "following": "exact",
        "posts": "exact",
    }
    assert told["profile"]["fetchedAt"] == "2026-01-10T12:00:00Z"
    assert (told["postsStored"], told["externalId"]) == (3, "id-janesmith")
    assert told["scopes"] == ["user.info.basic"]
    assert told["expiresAt"].endswith("Z")
    assert b"canary" not in answer.content


def test_a_poll_gets_304_until_something_changes(
    viewer: APIClient, read_account: Callable[..., Connection], django_assert_num_queries: Any
) -> None:
    row = read_account()
    for url in (
        f"/api/admin/socials/{row.pk}",
        f"/api/admin/talent/{row.talent_id}/social-connections",
    ):
        first = viewer.get(url)
        assert first.status_code == 200
        seen = {"HTTP_IF_NONE_MATCH": first["ETag"]}
        with django_assert_num_queries(2):  # the token, the version
            again = viewer.get(url, **seen)
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]
        assert "private" in again["Cache-Control"]

        changes: list[Callable[[], Any]] = [
            # set-based writes do not move updated_at: the ETag must see them all the same
            lambda: Connection.objects.filter(pk=row.pk).update(attempt=2),
            lambda: type(row.profile).objects.filter(pk=row.pk).update(followers=1001),
            lambda: Post.objects.filter(connection=row).first().delete(),
        ]
        for change in changes:
            change()
            moved = viewer.get(url, **seen)
            assert moved.status_code == 200
            assert moved["ETag"] != seen["HTTP_IF_NONE_MATCH"]
            seen = {"HTTP_IF_NONE_MATCH": moved["ETag"]}
            assert viewer.get(url, **seen).status_code == 304


def test_an_empty_list_has_an_etag_that_the_first_account_changes(
    manager: APIClient, jane: Talent, connect: Callable[..., Connection]
) -> None:
    url = f"/api/admin/talent/{jane.pk}/social-connections"
    empty = manager.get(url)
    assert empty.json() == {"success": True, "data": [], "page": {"next": None, "count": 0}}
    assert manager.get(url, HTTP_IF_NONE_MATCH=f'"other", {empty["ETag"]}').status_code == 304
    connect()
    assert len(manager.get(url, HTTP_IF_NONE_MATCH=empty["ETag"]).json()["data"]) == 1
    assert manager.get("/api/admin/talent/987654/social-connections").status_code == 404


def test_refresh_queues_one_sync_from_every_state(
    manager: APIClient, read_account: Callable[..., Connection]
) -> None:
    row = read_account()
    url = f"/api/admin/socials/{row.pk}/sync"
    answer = manager.post(url)
    assert answer.status_code == 202
    assert answer.json()["data"]["syncStatus"] == "PENDING"
    assert answer.json()["data"]["attempt"] == 0
    Connection.objects.filter(pk=row.pk).update(
        sync_status=SyncStatus.ERROR, error_code="NOT_FOUND", next_attempt_at=None
    )
    assert manager.post(url, {}, format="json").json()["data"]["syncStatus"] == "PENDING"
    assert manager.post("/api/admin/socials/987654/sync").status_code == 404
    refused = manager.post(url, {"force": True}, format="json")
    assert (refused.status_code, list(refused.json()["details"])) == (400, ["force"])


def test_a_deleted_account_is_gone_with_all_that_was_read(
    manager: APIClient, read_account: Callable[..., Connection]
) -> None:
    row = read_account()
    url = f"/api/admin/socials/{row.pk}"
    answer = manager.delete(url)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not Post.objects.exists()
    for path in ("", "/posts", "/history", "/runs"):
        assert manager.get(url + path).status_code == 404
    assert manager.delete(url).status_code == 404


def test_a_list_of_twenty_accounts_costs_as_many_queries_as_one(
    viewer: APIClient,
    jane: Talent,
    read_account: Callable[..., Connection],
    django_assert_num_queries: Any,
) -> None:
    url = f"/api/admin/talent/{jane.pk}/social-connections"
    read_account("INSTAGRAM", "jane0")
    viewer.get(url)
    with django_assert_num_queries(3):
        assert len(viewer.get(url).json()["data"]) == 1
    for number in range(1, 20):
        read_account("INSTAGRAM", f"jane{number}")
    with django_assert_num_queries(3):
        assert len(viewer.get(url).json()["data"]) == 20


@pytest.mark.django_db(transaction=True)
def test_ten_people_who_connect_the_same_account_at_once_make_one(
    live_server: Any, jane: Talent, alice: User
) -> None:
    _, secret = ApiToken.issue(alice, name="ten")

    def ask(handle: str) -> int:
        return requests.post(
            live_server.url + CONNECT,
            json={"talentId": jane.pk, "platform": "INSTAGRAM", "handle": handle},
            headers={"Authorization": f"Bearer {secret}"},
            timeout=30,
        ).status_code

    spellings = ["janesmith", "@JaneSmith", "JANESMITH", "@janesmith", " janesmith "] * 2
    with ThreadPoolExecutor(10) as people:
        statuses = sorted(people.map(ask, spellings))
    assert statuses == [200] * 9 + [201]
    assert Connection.objects.count() == 1
