"""What Meta and TikTok tell us: signed messages are obeyed, all others change nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from socials import connections, tasks
from socials.models import Connection, DeletionRequest, Grant, Heard, Post, Profile, Snapshot
from socials.platforms.instagram import callbacks as meta
from socials.platforms.kit.callbacks import Forged
from talent.models import Activity, Talent
from tests.socials.grant_stage import granted
from tests.socials.oauth_stage import go, invited, say

pytestmark = pytest.mark.django_db

SECRET = "0123456789abcdef0123456789abcdef"
DOCUMENTED = (
    "MHdo0Jew_becV_adp9g0KkhIq9Sv8AjxL8u3zKkYiVc.eyJ1c2VyX2lkIjoiMjE4NDcxIiwiYWxnb3JpdGhtIjoiSE1B"
    "Qy1TSEEyNTYiLCJpc3N1ZWRfYXQiOjEyOTE4MzY4MDAsImV4cGlyZXMiOjEyOTE4NDA0MDB9"
)
TIKTOK_SECRET = "tiktok-client-secret"


@pytest.fixture(autouse=True)
def secrets(settings: Any, quiet_settings: None) -> None:
    settings.PLATFORM_SETTINGS = {
        **settings.PLATFORM_SETTINGS,
        "META_APP_SECRET": "the meta app's",
        "INSTAGRAM_CLIENT_SECRET": SECRET,
        "TIKTOK_CLIENT_KEY": "bwo2m45353a6k85",
        "TIKTOK_CLIENT_SECRET": TIKTOK_SECRET,
    }


def signed(payload: dict[str, Any] | bytes, secret: str = SECRET) -> str:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    text = base64.urlsafe_b64encode(body).rstrip(b"=")
    digest = hmac.new(secret.encode(), text, hashlib.sha256).digest()
    return f"{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}.{text.decode()}"


def wish(user_id: Any, **more: Any) -> dict[str, Any]:
    return {"user_id": user_id, "algorithm": "HMAC-SHA256", "issued_at": 1634206592, **more}


def instagram(
    talent: Talent, person: str = "2718", own_id: str = "17841400000000000"
) -> Connection:
    row, _ = connections.connect(talent, "INSTAGRAM", handle="jane.smith")
    Connection.objects.filter(pk=row.pk).update(connection_type="OAUTH", external_id=own_id)
    Grant.objects.create(
        connection=row, access_token="IGAA", app_user_id=person, granted_at=timezone.now()
    )
    return row


def deauthorize(client: Client, value: str) -> Any:
    return client.post("/callbacks/meta/deauthorize", {"signed_request": value})


# --- Meta --------------------------------------------------------------------------------------


def test_the_documented_vector_is_read() -> None:
    assert meta.person(DOCUMENTED, [SECRET]) == "218471"
    assert meta.person(DOCUMENTED, ["another", SECRET]) == "218471"
    with pytest.raises(Forged):
        meta.person(DOCUMENTED, ["another"])
    with pytest.raises(Forged):
        meta.person(DOCUMENTED, [])


@pytest.mark.parametrize("secret", [SECRET, "the meta app's"])
@pytest.mark.parametrize("person", ["2718", 2718, "17841400000000000"])
def test_a_deauthorisation_ends_the_grant_at_once(
    client: Client, jane: Talent, person: Any, secret: str
) -> None:
    instagram(jane)
    assert deauthorize(client, signed(wish(person), secret)).status_code == 200
    assert not Grant.objects.exists()
    row = Connection.objects.get()
    assert row.connected is False
    told = Activity.objects.get(action="connection.reauth_required").details
    assert "took the permission back" in told["reason"]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        ".",
        "a.b",
        "é.ü",
        signed(wish("2718"), "wrong secret"),
        signed(wish("2718"))[:-2],
        "AAAA." + signed(wish("2718")).partition(".")[2],
        signed(wish("2718", algorithm="none")),
        signed(wish(None)),
        signed(wish("")),
        signed(wish({"$ne": 1})),
        signed(b"not json"),
        signed(b"[1]"),
        signed(b"\xff\xfe"),
    ],
)
def test_what_is_not_metas_changes_nothing(client: Client, jane: Talent, value: str) -> None:
    instagram(jane)
    for path in ("deauthorize", "data-deletion"):
        answer = client.post(f"/callbacks/meta/{path}", {"signed_request": value})
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("Refused: ")
    assert Grant.objects.exists()
    assert not DeletionRequest.objects.exists()


def test_a_repeated_message_is_answered_and_not_acted_on_twice(
    client: Client, jane: Talent
) -> None:
    row = instagram(jane)
    value = signed(wish("2718"))
    deauthorize(client, value)
    Grant.objects.create(
        connection=row, access_token="new", app_user_id="2718", granted_at=timezone.now()
    )
    assert deauthorize(client, value).status_code == 200
    assert Grant.objects.exists()


def test_a_wish_to_be_deleted_is_done_and_can_be_looked_up(
    client: Client, jane: Talent, settings: Any
) -> None:
    row = instagram(jane)
    now = timezone.now()
    Profile.objects.create(connection=row, fetched_at=now)
    Post.objects.create(connection=row, external_id="1", fetched_at=now)
    Snapshot.objects.create(connection=row, date="2026-01-01", taken_at=now)
    answer = client.post("/callbacks/meta/data-deletion", {"signed_request": signed(wish("2718"))})
    told = answer.json()
    assert answer.status_code == 200
    assert set(told) == {"url", "confirmation_code"}
    for model in (Connection, Grant, Profile, Post, Snapshot):
        assert not model.objects.exists()
    assert told["url"].startswith(settings.PUBLIC_URL)
    page = client.get(told["url"].removeprefix(settings.PUBLIC_URL))
    assert page.status_code == 200
    assert told["confirmation_code"] in page.content.decode()
    assert "Your data is deleted" in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"


def test_the_dashboards_test_is_answered_too(client: Client) -> None:
    answer = client.post("/callbacks/meta/data-deletion", {"signed_request": signed(wish("0"))})
    page = client.get(answer.json()["url"].partition("8000")[2])
    assert "nothing to delete" in page.content.decode()
    assert client.get("/callbacks/meta/deletion/UNKNOWN").status_code == 404


@pytest.mark.usefixtures("platform_settings")
def test_who_took_the_permission_back_can_still_be_deleted(client: Client, jane: Talent) -> None:
    say(client, go(client, "instagram", invited(jane)), "yes")
    person = Grant.objects.get().app_user_id
    assert person
    deauthorize(client, signed(wish(person), "sandbox-instagram-secret"))
    assert Connection.objects.exists()
    client.post(
        "/callbacks/meta/data-deletion",
        {"signed_request": signed(wish(person), "sandbox-instagram-secret")},
    )
    assert not Connection.objects.exists()


# --- TikTok ------------------------------------------------------------------------------------


def event(open_id: str = "open-1", name: str = "authorization.removed", **more: Any) -> bytes:
    return json.dumps(
        {
            "client_key": "bwo2m45353a6k85",
            "event": name,
            "create_time": 1615338610,
            "user_openid": open_id,
            "content": '{"reason": 1 }',
            **more,
        }
    ).encode()


def send(
    client: Client, body: bytes, *, age: int = 0, secret: str = TIKTOK_SECRET, header: str = ""
) -> Any:
    stamp = int(time.time()) - age
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return client.post(
        "/callbacks/tiktok",
        body,
        content_type="application/json",
        headers={"Tiktok-Signature": header or f"t={stamp},s={digest}"},
    )


def test_a_removal_ends_the_grant_and_names_its_reason(client: Client, jane: Talent) -> None:
    granted(jane)
    assert send(client, event()).status_code == 200
    assert not Grant.objects.exists()
    assert Connection.objects.get().connected is False
    told = Activity.objects.get(action="connection.reauth_required").details
    assert "because the talent disconnected us there" in told["reason"]


def test_a_repeated_removal_is_answered_and_not_acted_on_twice(
    client: Client, jane: Talent
) -> None:
    grant = granted(jane)
    send(client, event())
    grant.save(force_insert=True)
    assert send(client, event(), age=60).status_code == 200
    assert Grant.objects.exists()
    assert Heard.objects.count() == 1


def test_a_removal_from_before_the_grant_is_not_about_it(client: Client, jane: Talent) -> None:
    granted(jane, granted_at=timezone.now())
    earlier = int(time.time()) - 3600
    assert send(client, event(create_time=earlier)).status_code == 200
    assert Grant.objects.exists()


def test_a_removal_of_this_moment_ends_the_grant_of_this_moment(
    client: Client, jane: Talent
) -> None:
    granted(jane, granted_at=timezone.now())
    send(client, event(create_time=int(time.time())))
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "somebody else's"},
        {"age": 301},
        {"age": -301},
        {"header": "nonsense"},
        {"header": "t=,s="},
        {"header": "t=99999999999999999999,s=aa"},
        {"header": "t=1,s=é"},
        {"header": "s=aa"},
    ],
)
def test_a_wrong_or_a_stale_signature_changes_nothing(
    client: Client, jane: Talent, wrong: dict[str, Any]
) -> None:
    granted(jane)
    assert send(client, event(), **wrong).status_code == 400
    assert Grant.objects.exists()
    assert not Heard.objects.exists()


def test_the_raw_body_is_what_is_signed(client: Client, jane: Talent) -> None:
    granted(jane)
    spaced = json.dumps(json.loads(event()), indent=3).encode()
    assert send(client, spaced).status_code == 200
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nonsense", b'{"event": 1}', event(client_key="another app's")]
)
def test_a_signed_body_that_is_no_message_is_refused(client: Client, body: bytes) -> None:
    assert send(client, body).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        event(name="video.publish.completed"),
        event(name="brand.new", content="not json"),
        event(user_openid=None),
        event(content={"reason": 99}),
        event("nobody"),
    ],
)
def test_what_does_not_concern_us_is_answered_at_once(
    client: Client, jane: Talent, body: bytes
) -> None:
    grant = granted(jane, open_id="open-7")
    assert send(client, body).status_code == 200
    assert Grant.objects.filter(pk=grant.pk).exists()


# --- both --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/callbacks/meta/deauthorize", "/callbacks/meta/data-deletion", "/callbacks/tiktok"]
)
def test_only_small_posts_are_read(path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get(path).status_code == 405
    assert client.post(path, {"signed_request": "x" * 70_000}).status_code == 413
    assert client.post(path, {"signed_request": "x"}).status_code == 400


def test_old_hashes_are_forgotten(client: Client, jane: Talent) -> None:
    granted(jane)
    send(client, event())
    Heard.objects.update(heard_at=timezone.now() - timezone.timedelta(days=8))
    tasks.forget_unanswered()
    assert not Heard.objects.exists()
