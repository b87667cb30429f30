"""Inviting a talent from her page: the link, its post, its end; and reconnecting in one click."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client

from socials.models import Connection
from socials.models.invite import Invite
from talent.models import Talent

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def apps_are_set_up(platform_settings: dict[str, str]) -> None:
    """The three platforms' apps have credentials."""


def test_a_link_is_made_shown_and_turned_off(alice_browser: Client, jane: Talent) -> None:
    answer = alice_browser.post(
        f"/talent/{jane.pk}/invite", {"platforms": ["TIKTOK", "YOUTUBE"]}, headers=HTMX
    )
    invite = Invite.objects.get()
    part = answer.content.decode()
    assert (invite.platforms, invite.email) == (["TIKTOK", "YOUTUBE"], "")
    assert f'value="{invite.url}"' in part
    assert "For TikTok, YouTube." in part
    assert invite.url in alice_browser.get(f"/talent/{jane.pk}/profiles").content.decode()
    alice_browser.post(f"/talent/{jane.pk}/invite/off")
    assert not Invite.objects.open().exists()
    assert invite.url not in alice_browser.get(f"/talent/{jane.pk}/profiles").content.decode()


def test_a_link_is_sent_to_the_talent(alice_browser: Client, jane: Talent) -> None:
    answer = alice_browser.post(
        f"/talent/{jane.pk}/invite", {"platforms": ["TIKTOK"], "send": "1"}, headers=HTMX
    )
    assert json.loads(answer["HX-Trigger"])["toast"]["text"] == f"Invite sent to {jane.email}"
    assert Invite.objects.get().email == jane.email


def test_an_account_whose_access_ended_offers_the_link_instead_of_a_sync(
    alice_browser: Client, jane: Talent, failing: Callable[..., Connection]
) -> None:
    row = failing(jane, "REAUTH_REQUIRED", connection_type="OAUTH")
    page = alice_browser.get(f"/talent/{jane.pk}/profiles").content.decode()
    assert "Send reconnect link" in page
    assert f'action="/connection/{row.pk}/sync"' not in page
    alice_browser.post(f"/connection/{row.pk}/reconnect")
    assert Invite.objects.get().platforms == ["INSTAGRAM"]


def test_an_account_read_without_a_box_of_the_talents_says_so_and_offers_the_link(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    account(jane, "TIKTOK", connection_type="OAUTH", error_code="PERMISSION_MISSING",
            sync_error="TikTok didn't share everything.", partial=["grant"])  # fmt: skip
    card = alice_browser.get(f"/talent/{jane.pk}/profiles").content.decode()
    assert "TikTok didn&#x27;t share everything." in card
    assert "Until then its public numbers are read." in card
    assert "Send reconnect link" in card
    for query, there in (("reauth", True), ("attention", True), ("ready", False), ("error", False)):
        found = alice_browser.get(f"/?state={query}").content.decode()
        assert ('class="name"' in found) is there, query
    assert "1 must reconnect" in found
    told = alice_browser.get(f"/talent/{jane.pk}/intelligence").content.decode()
    assert "TikTok @janesmith: permission missing, so only its public numbers are read." in told


def test_a_refused_invite_says_why(
    alice_browser: Client, make_talent: Callable[..., Talent]
) -> None:
    gone = make_talent("Bo Blake", status="archived")
    answer = alice_browser.post(f"/talent/{gone.pk}/invite", headers=HTMX)
    told = json.loads(answer["HX-Trigger"])["toast"]
    assert told["kind"] == "error"
    assert "archived" in told["text"]


def test_a_viewer_neither_sees_nor_makes_links(
    alice_browser: Client, victor_browser: Client, jane: Talent
) -> None:
    alice_browser.post(f"/talent/{jane.pk}/invite", {"platforms": ["TIKTOK"]})
    assert "/connect/" not in victor_browser.get(f"/talent/{jane.pk}/profiles").content.decode()
    assert victor_browser.post(f"/talent/{jane.pk}/invite").status_code == 403
