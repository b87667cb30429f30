"""The talent's way from her link through a platform's consent to a connected account, and every
way in which it can go wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from socials import connections, invites
from socials.authorisation import forget_unanswered
from socials.models import Connection, Grant, Invite, PendingGrant, Revocation
from talent.models import Activity, Talent, User
from tests.socials.oauth_stage import (
    consented,
    go,
    invited,
    query_of,
    refused,
    say,
    start,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("platform_settings")]

PLATFORMS = ["instagram", "tiktok", "youtube"]


@pytest.fixture
def link(jane: Talent, alice: User, platform_settings: Any) -> Invite:
    return invited(jane, by=alice)


def nothing_stored() -> bool:
    return not (Grant.objects.exists() or Connection.objects.exists())


# --- the way that goes well --------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_yes_connects_the_account_and_queues_its_first_sync(
    client: Client, jane: Talent, link: Invite, platform: str
) -> None:
    page = go(client, platform, link)
    assert page.status_code == 200
    text = page.content.decode()
    assert "Is this the right account?" in text
    assert "jane.smith" in text
    assert 'src="data:image/webp;base64,' in text
    assert nothing_stored()
    done = say(client, page, "yes")
    assert "is connected." in done.content.decode()
    row = Connection.objects.get()
    assert (row.talent_id, row.platform) == (jane.pk, platform.upper())
    assert (row.connection_type, row.sync_status, row.connected) == ("OAUTH", "PENDING", True)
    grant = Grant.objects.get()
    assert grant.expires_at is not None
    assert grant.expires_at > timezone.now()
    assert not PendingGrant.objects.exists()
    link.refresh_from_db()
    assert link.used_at is not None


def test_the_address_is_exact_and_nothing_of_ours_is_in_it(
    client: Client, link: Invite, settings: Any
) -> None:
    url = start(client, "youtube", link)
    query = query_of(url)
    assert query["redirect_uri"] == f"{settings.PUBLIC_URL}/oauth/youtube/callback"
    assert query["code_challenge_method"] == "S256"
    assert query["prompt"] == "select_account consent"
    assert link.token not in url
    assert len(query["state"]) >= 32


def test_pages_of_one_person_are_neither_kept_nor_listed_nor_told(
    client: Client, link: Invite
) -> None:
    for page in (
        client.get(f"/connect/{link.token}"),
        client.get("/connect/unknown"),
        client.get("/oauth/tiktok/start", {"link": link.token}),
        client.get("/oauth/tiktok/callback"),
    ):
        assert page["Referrer-Policy"] == "no-referrer"
        assert "noindex" in page["X-Robots-Tag"]
        assert "no-store" in page["Cache-Control"]
    question = go(client, "instagram", link)
    assert question["Referrer-Policy"] == "same-origin"  # its form needs to say where it is from
    assert "no-store" in question["Cache-Control"]


def test_a_manual_account_keeps_its_row(client: Client, jane: Talent, link: Invite) -> None:
    row, _ = connections.connect(jane, "TIKTOK", handle="jane.smith")
    say(client, go(client, "tiktok", link), "yes")
    assert Connection.objects.get().pk == row.pk
    assert Connection.objects.get().connection_type == "OAUTH"


@pytest.mark.parametrize(
    ("platform", "kept_back", "loss"),
    [
        ("tiktok", "video.list", "Videos and their views can't be read."),
        (
            "instagram",
            "instagram_business_manage_insights",
            "Views, reach, saves and shares of posts can't be read.",
        ),
    ],
)
def test_boxes_left_unticked_are_named_with_what_they_cost(
    client: Client, link: Invite, platform: str, kept_back: str, loss: str
) -> None:
    page = go(client, platform, link, **{f"without.{kept_back}": "on"})
    assert loss in page.content.decode().replace("&#x27;", "'")
    say(client, page, "yes")
    scopes = Grant.objects.get().scopes
    assert scopes
    assert kept_back not in scopes


def test_a_channel_that_was_not_shared_can_not_be_connected(client: Client, link: Invite) -> None:
    scope = "https://www.googleapis.com/auth/youtube.readonly"
    page = go(client, "youtube", link, **{f"without.{scope}": "on"})
    text = page.content.decode().replace("&#x27;", "'")
    assert "You didn't allow access on YouTube." in text
    assert nothing_stored()


# --- no, and other answers ---------------------------------------------------------------------


def test_another_account_is_not_kept_and_its_permission_is_given_back(
    client: Client, link: Invite
) -> None:
    done = say(client, go(client, "tiktok", link, "somebody"), "other")
    text = done.content.decode()
    assert "@somebody is not connected." in text
    assert "Choose another TikTok account" in text
    assert nothing_stored()
    assert not PendingGrant.objects.exists()
    assert Revocation.objects.get().platform == "TIKTOK"


def test_a_no_at_the_platform_stores_nothing_and_says_what_to_do(
    client: Client, link: Invite
) -> None:
    for platform in PLATFORMS:
        page = client.get(refused(start(client, platform, link)), follow=True)
        assert page.status_code == 200
        assert "allow access on" in page.content.decode()
        assert "try again whenever you like" in page.content.decode()
    assert nothing_stored()
    assert not PendingGrant.objects.exists()


def test_a_reconnect_with_another_account_is_refused_with_both_names(
    client: Client, jane: Talent, link: Invite
) -> None:
    say(client, go(client, "tiktok", link), "yes")
    Connection.objects.update(connected=False)
    before = Grant.objects.get().access_token
    page = go(client, "tiktok", link, "somebody")
    text = page.content.decode()
    assert "@somebody" in text
    assert "@jane.smith" in text
    assert 'value="yes"' not in text
    done = say(client, page, "yes")  # a form that our page did not offer
    assert "@jane.smith was to be connected again" in done.content.decode()
    assert Connection.objects.count() == 1
    assert Grant.objects.get().access_token == before
    assert Revocation.objects.count() == 1


def test_a_reconnect_with_the_same_account_keeps_the_row(client: Client, link: Invite) -> None:
    say(client, go(client, "instagram", link), "yes")
    row = Connection.objects.get()
    Connection.objects.update(connected=False, sync_status="ERROR", error_code="REAUTH_REQUIRED", next_attempt_at=None)  # fmt: skip
    page = client.get(f"/connect/{link.token}")
    assert "Reconnect Instagram" in page.content.decode()
    say(client, go(client, "instagram", link), "yes")
    again = Connection.objects.get()
    assert (again.pk, again.connected, again.sync_status) == (row.pk, True, "PENDING")


def test_an_account_that_lacks_a_box_is_asked_for_again_with_its_boxes_shown(
    client: Client, link: Invite
) -> None:
    say(client, go(client, "tiktok", link), "yes")
    lacking = {"sync_status": "READY", "error_code": "PERMISSION_MISSING", "next_attempt_at": None}
    Connection.objects.update(**lacking)
    page = client.get(f"/connect/{link.token}").content.decode()
    assert "Reconnect TikTok" in page
    assert "please leave every box on this time" in page
    assert "Disconnect TikTok" in page
    assert "again=1" in page
    assert "3 more to go" in page
    say(client, go(client, "tiktok", link), "yes")
    assert "Reconnect TikTok" not in client.get(f"/connect/{link.token}").content.decode()


def test_a_failing_platform_is_named_and_nothing_is_stored(
    client: Client, link: Invite, settings: Any
) -> None:
    back = consented(start(client, "tiktok", link))
    settings.PLATFORM_SETTINGS = {
        **settings.PLATFORM_SETTINGS,
        "TIKTOK_API_URL": "http://127.0.0.1:9",
    }
    page = client.get(back, follow=True)
    text = page.content.decode().replace("&#x27;", "'")
    assert "TikTok isn't answering." in text
    assert "Try TikTok again" in text
    assert nothing_stored()


def test_a_platform_that_is_not_set_up_says_so(client: Client, link: Invite, settings: Any) -> None:
    settings.PLATFORM_SETTINGS = {**settings.PLATFORM_SETTINGS, "TIKTOK_CLIENT_SECRET": ""}
    page = client.get("/oauth/tiktok/start", {"link": link.token}, follow=True)
    assert "set up here yet" in page.content.decode()


# --- attacks -----------------------------------------------------------------------------------


def test_a_replayed_callback_is_refused(client: Client, link: Invite) -> None:
    back = consented(start(client, "tiktok", link))
    assert client.get(back).status_code == 302
    again = client.get(back)
    assert again.status_code == 400
    assert "start over" in again.content.decode()
    assert PendingGrant.objects.count() == 1


def test_a_state_of_another_browser_is_refused(client: Client, link: Invite) -> None:
    back = consented(start(client, "tiktok", link))
    stranger = Client()
    assert stranger.get(back).status_code == 400
    assert not PendingGrant.objects.exists()
    assert client.get(back).status_code == 302  # it is still good where it began


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x&code=x", "?state=&code=", "?error=x"])
def test_a_callback_without_a_state_of_ours_is_refused(client: Client, query: str) -> None:
    for platform in PLATFORMS:
        assert client.get(f"/oauth/{platform}/callback{query}").status_code == 400


def test_a_state_of_another_platform_is_refused(client: Client, link: Invite) -> None:
    query = consented(start(client, "tiktok", link)).partition("?")[2]
    assert client.get(f"/oauth/instagram/callback?{query}").status_code == 400


def test_a_state_that_is_too_old_is_refused(
    client: Client, link: Invite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socials.authorisation.STATE_SECONDS", -1)
    assert client.get(consented(start(client, "tiktok", link))).status_code == 400


def test_a_link_that_ended_meanwhile_stores_nothing(
    client: Client, jane: Talent, link: Invite
) -> None:
    back = consented(start(client, "tiktok", link))
    invites.revoke(jane)
    assert client.get(back).status_code == 410
    assert not PendingGrant.objects.exists()


def test_a_link_that_was_turned_off_before_the_yes_stores_nothing(
    client: Client, jane: Talent, link: Invite
) -> None:
    page = go(client, "tiktok", link)
    invites.revoke(jane)
    say(client, page, "yes")
    assert nothing_stored()


def test_a_forged_code_is_refused_in_words(client: Client, link: Invite) -> None:
    for platform in PLATFORMS:
        state = query_of(start(client, platform, link))["state"]
        answer = client.get(
            f"/oauth/{platform}/callback", {"state": state, "code": "forged"}, follow=True
        )
        assert "accept the sign-in" in answer.content.decode()
    assert nothing_stored()


def test_another_browser_can_not_answer_the_question(client: Client, link: Invite) -> None:
    page = go(client, "tiktok", link)
    stranger = Client()
    url = page.redirect_chain[-1][0]
    assert stranger.get(url).status_code == 410
    assert stranger.post(url, {"answer": "yes"}).status_code == 410
    assert nothing_stored()


def test_the_answer_needs_its_form(link: Invite) -> None:
    strict = Client(enforce_csrf_checks=True)
    page = go(strict, "tiktok", link)
    assert strict.post(page.redirect_chain[-1][0], {"answer": "yes"}).status_code == 403
    assert nothing_stored()


def test_a_second_yes_and_the_back_button_lead_to_what_is_connected(
    client: Client, link: Invite
) -> None:
    page = go(client, "tiktok", link)
    say(client, page, "yes")
    question = page.redirect_chain[-1][0]
    for answer in (client.post(question, {"answer": "yes"}), client.get(question)):
        assert answer["Location"] == f"/connect/{link.token}"
    assert Client().get(question).status_code == 410
    assert Grant.objects.count() == 1


def test_a_question_that_waited_too_long_is_given_back(client: Client, link: Invite) -> None:
    page = go(client, "tiktok", link)
    PendingGrant.objects.update(created_at=timezone.now() - timedelta(minutes=16))
    url = page.redirect_chain[-1][0]
    assert client.post(url, {"answer": "yes"}).status_code == 410
    assert forget_unanswered() == 1
    assert not PendingGrant.objects.exists()
    assert Revocation.objects.exists()
    assert nothing_stored()


def test_nothing_that_comes_in_decides_where_the_browser_goes(client: Client, link: Invite) -> None:
    evil = "https://evil.example/"
    for name in ("next", "redirect_uri", "return", "url", "state"):
        url = start(client, "tiktok", link, **{name: evil})
        assert "evil.example" not in url
        assert url.startswith("http://127.0.0.1:")
    for path in ("/oauth/evil.example/start", "/oauth/TIKTOK/start", "/oauth/twitter/start"):
        assert client.get(path, {"link": link.token}).status_code == 404
    answer = client.get("/oauth/tiktok/callback", {"state": evil, "code": evil, "next": evil})
    assert answer.status_code == 400


def test_a_platform_that_the_link_does_not_name_can_not_be_begun(
    client: Client, jane: Talent
) -> None:
    link = invited(jane, "INSTAGRAM")
    answer = client.get("/oauth/tiktok/start", {"link": link.token})
    assert answer.status_code == 410
    assert "work for this platform" in answer.content.decode()


def test_five_beginnings_at_once_are_enough_for_a_browser(client: Client, link: Invite) -> None:
    urls = [start(client, "tiktok", link) for _ in range(6)]
    assert client.get(consented(urls[0])).status_code == 400
    assert client.get(consented(urls[5])).status_code == 302


# --- the link's page ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "status", "words"),
    [
        ({"expires_at": timezone.now() - timedelta(1)}, 410, "run out"),
        ({"revoked_at": timezone.now()}, 410, "turned off"),
        (None, 404, "one of ours"),
    ],
)
def test_a_dead_link_says_so_and_what_to_do(
    client: Client, link: Invite, end: Any, status: int, words: str
) -> None:
    if end:
        Invite.objects.update(**end)
    token = link.token if end else "nonsense"
    for page in (
        client.get(f"/connect/{token}"),
        client.get("/oauth/tiktok/start", {"link": token}),
        client.post(f"/connect/{token}/disconnect/1"),
    ):
        assert page.status_code == status
        assert words in page.content.decode()
        assert "for a new one" in page.content.decode()


def test_an_archived_talents_link_is_dead(client: Client, jane: Talent, link: Invite) -> None:
    Talent.objects.update(status="archived")
    assert client.get(f"/connect/{link.token}").status_code == 410


def test_the_page_tells_what_is_read_and_who_sent_it(client: Client, link: Invite) -> None:
    text = client.get(f"/connect/{link.token}").content.decode()
    for words in ("Hi Jane", "What we never do", "Professional account needed", "Alice Archer"):
        assert words in text
    link.refresh_from_db()
    assert link.opened_at is not None


def test_staff_who_look_at_a_link_have_not_opened_it(
    client: Client, alice: User, link: Invite
) -> None:
    client.force_login(alice, backend="talent.backends.RoleBackend")
    assert client.get(f"/connect/{link.token}").status_code == 200
    link.refresh_from_db()
    assert link.opened_at is None


def test_she_can_disconnect_with_the_same_link(client: Client, link: Invite) -> None:
    say(client, go(client, "tiktok", link), "yes")
    url = f"/connect/{link.token}/disconnect/{Connection.objects.get().pk}"
    assert url in client.get(f"/connect/{link.token}").content.decode()
    assert "Keep it connected" in client.get(url).content.decode()
    assert Connection.objects.exists()
    done = client.post(url, follow=True)
    assert "TikTok is disconnected." in done.content.decode()
    assert nothing_stored()
    assert Revocation.objects.exists()


def test_a_link_can_not_disconnect_other_peoples_accounts(
    client: Client, link: Invite, make_talent: Any
) -> None:
    other, _ = connections.connect(make_talent("Mila Okafor"), "TIKTOK", handle="mila")
    Connection.objects.update(connection_type="OAUTH")
    client.post(f"/connect/{link.token}/disconnect/{other.pk}")
    assert Connection.objects.exists()


def test_what_happened_stands_in_the_activity_log(client: Client, link: Invite) -> None:
    say(client, go(client, "tiktok", link), "yes")
    actions = list(Activity.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["invite.created", "connection.connected", "grant.given"]
