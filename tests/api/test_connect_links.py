"""Connect links over HTTP, and the end of a flow for clients that take the redirect themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from rest_framework.test import APIClient

from socials import tasks
from socials.models import Connection, Grant, Invite, PendingGrant
from talent.models import Talent
from tests.socials.oauth_stage import consented, invited, query_of, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("platform_settings")]


def url_of(talent: Talent) -> str:
    return f"/api/admin/talent/{talent.pk}/connect-link"


def test_a_link_is_made_for_a_week_and_all_platforms(manager: APIClient, jane: Talent) -> None:
    answer = manager.post(url_of(jane), {}, format="json")
    assert answer.status_code == 201
    told = answer.json()["data"]
    assert set(told) == {"url", "expiresAt"}
    ends = datetime.strptime(told["expiresAt"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(hours=167) < ends - datetime.now(UTC) < timedelta(hours=169)
    assert Client().get(told["url"]).status_code == 200
    assert Invite.objects.get().platforms == ["INSTAGRAM", "TIKTOK", "YOUTUBE"]


def test_platforms_life_and_mail_are_chosen(manager: APIClient, jane: Talent) -> None:
    body = {"platforms": ["tiktok"], "expiresInHours": 2, "email": "jane@talent.example"}
    assert manager.post(url_of(jane), body, format="json").status_code == 201
    invite = Invite.objects.get()
    assert invite.platforms == ["TIKTOK"]
    tasks.send_invite(invite.pk)
    tasks.send_invite(invite.pk)
    [sent] = mail.outbox
    assert sent.to == ["jane@talent.example"]
    assert invite.url in sent.body
    assert "TikTok" in sent.body
    assert "Instagram" not in sent.body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"platforms": ["TWITTER"]}, "platforms"),
        ({"platforms": ["MYSPACE"]}, "platforms.0"),
        ({"platforms": "TIKTOK"}, "platforms"),
        ({"expiresInHours": 0}, "expiresInHours"),
        ({"expiresInHours": 100000}, "expiresInHours"),
        ({"expiresInHours": "soon"}, "expiresInHours"),
        ({"email": "nobody"}, "email"),
        ({"until": "tomorrow"}, "until"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(
    manager: APIClient, jane: Talent, body: dict[str, Any], field: str
) -> None:
    answer = manager.post(url_of(jane), body, format="json")
    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")
    assert list(answer.json()["details"]) == [field]
    assert not Invite.objects.exists()


def test_a_platform_that_is_not_set_up_names_its_settings(
    manager: APIClient, jane: Talent, settings: Any
) -> None:
    settings.PLATFORM_SETTINGS = {**settings.PLATFORM_SETTINGS, "GOOGLE_CLIENT_ID": ""}
    answer = manager.post(url_of(jane), {"platforms": ["YOUTUBE"]}, format="json")
    assert "GOOGLE_CLIENT_ID" in answer.json()["details"]["platforms"][0]


def test_all_open_links_are_turned_off_at_once(manager: APIClient, jane: Talent) -> None:
    links = [manager.post(url_of(jane), {}, format="json").json()["data"]["url"] for _ in range(2)]
    assert manager.delete(url_of(jane)).status_code == 204
    for link in links:
        assert Client().get(link).status_code == 410
    assert manager.delete(url_of(jane)).status_code == 204


def test_an_archived_talent_gets_no_link(manager: APIClient, jane: Talent) -> None:
    Talent.objects.update(status="archived")
    assert manager.post(url_of(jane), {}, format="json").status_code == 400
    assert (
        manager.post("/api/admin/talent/99999/connect-link", {}, format="json").status_code == 404
    )


# --- the callback ------------------------------------------------------------------------------


def callback(browser: Client, platform: str, query: dict[str, str], **more: str) -> Any:
    body = {"platform": platform, "code": query["code"], "state": query["state"], **more}
    return browser.post("/api/socials/oauth/callback", body, content_type="application/json")


@pytest.mark.parametrize("platform", ["INSTAGRAM", "tiktok", "Youtube"])
def test_the_session_that_began_saves_at_once(client: Client, jane: Talent, platform: str) -> None:
    invite = invited(jane)
    query = query_of(consented(start(client, platform.lower(), invite)))
    answer = callback(client, platform, query)
    assert answer.status_code == 200, answer.content
    told = answer.json()["data"]
    assert (told["platform"], told["connectionType"]) == (platform.upper(), "OAUTH")
    assert (told["talentId"], told["connected"]) == (jane.pk, True)
    assert told["expiresAt"]
    assert told["scopes"]
    assert Grant.objects.count() == 1
    assert not PendingGrant.objects.exists()


def test_a_used_a_foreign_and_an_invented_state_are_refused(client: Client, jane: Talent) -> None:
    query = query_of(consented(start(client, "tiktok", invited(jane))))
    answers = [
        callback(Client(), "tiktok", query),
        callback(client, "instagram", query),
        callback(client, "tiktok", query),
        callback(client, "tiktok", {"code": "x", "state": "invented"}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_STATE")
        assert answer.json()["message"]
    assert not Connection.objects.exists()


def test_a_code_that_the_platform_refuses_is_502(client: Client, jane: Talent) -> None:
    query = query_of(start(client, "youtube", invited(jane)))
    answer = callback(client, "YOUTUBE", {"code": "forged", "state": query["state"]})
    assert (answer.status_code, answer.json()["error"]) == (502, "OAUTH_FAILED")
    assert not Connection.objects.exists()


def test_a_staff_token_opens_no_flow_of_somebody_else(
    client: Client, manager: APIClient, jane: Talent
) -> None:
    query = query_of(consented(start(client, "tiktok", invited(jane))))
    answer = manager.post(
        "/api/socials/oauth/callback",
        {"platform": "TIKTOK", "code": query["code"], "state": query["state"]},
        format="json",
    )
    assert answer.json()["error"] == "INVALID_STATE"


def test_another_account_than_the_awaited_one_is_a_conflict(client: Client, jane: Talent) -> None:
    invite = invited(jane)
    callback(client, "tiktok", query_of(consented(start(client, "tiktok", invite))))
    Connection.objects.update(connected=False)
    query = query_of(consented(start(client, "tiktok", invite), "somebody"))
    answer = callback(client, "tiktok", query)
    assert answer.status_code == 409
    assert "@somebody" in answer.json()["message"]
    assert "@jane.smith" in answer.json()["message"]
    assert Connection.objects.count() == 1
