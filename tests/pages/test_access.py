"""Who gets in, who may do what, and what everybody else is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from socials.models import Connection
from talent.models import Talent, User

PAGES = ["/", "/sync", "/talent/new", "/talents/live?ids=1", "/activity", "/account"]


@pytest.mark.parametrize("address", PAGES)
def test_a_stranger_is_asked_to_sign_in_and_comes_back(db: None, address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login?next=/")


def test_a_fragment_takes_its_whole_page_to_the_sign_in(jane: Talent) -> None:
    answer = Client().get(
        f"/talent/{jane.pk}/profiles/live",
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver/talent/{jane.pk}"},
    )
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == f"/login?next=%2Ftalent%2F{jane.pk}"


def test_the_way_back_never_leads_to_another_site(jane: Talent, alice: User) -> None:
    answer = Client().post(
        "/login?next=https://evil.example/",
        {"username": "alice", "password": "alice-password", "next": "https://evil.example/"},
    )
    assert answer["Location"] == "/"


def test_a_talent_with_a_sign_in_is_told_that_these_pages_are_for_staff(
    tilda_browser: Client,
) -> None:
    answer = tilda_browser.get("/")
    assert answer.status_code == 403
    assert "These pages are for staff" in answer.content.decode()


def test_signing_in_and_out(alice: User) -> None:
    browser = Client()
    answer = browser.post("/login", {"username": "alice", "password": "alice-password"})
    assert answer["Location"] == "/"
    assert browser.get("/").status_code == 200
    assert browser.get("/logout").status_code == 405
    assert browser.post("/logout").status_code == 302
    assert browser.get("/").status_code == 302


def test_a_wrong_password_and_an_unknown_name_get_the_same_words(alice: User) -> None:
    said = []
    for name in ("alice", "nobody"):
        answer = Client().post("/login", {"username": name, "password": "wrong"})
        said.append(answer.content.decode().count("That username and password don&#x27;t match."))
    assert said == [1, 1]


def test_after_five_wrong_tries_signing_in_is_paused(alice: User) -> None:
    browser = Client()
    for _ in range(5):
        answer = browser.post("/login", {"username": "alice", "password": "wrong"})
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()
    right = browser.post("/login", {"username": "alice", "password": "alice-password"})
    assert right.status_code == 429


def tries(browser: Client, far: str, *, name: str = "alice", password: str = "wrong") -> int:
    """The answer to a sign-in from an address, as our one proxy tells it."""
    told = {"username": name, "password": password}
    return browser.post("/login", told, headers={"X-Forwarded-For": far}).status_code


def test_an_address_that_a_client_makes_up_ends_no_pause(alice: User) -> None:
    for number in range(5):
        tries(Client(), f"198.51.100.{number}")
    assert tries(Client(), "198.51.100.9", password="alice-password") == 429


def test_behind_a_proxy_a_stranger_can_not_pause_the_sign_in_of_somebody_else(
    alice: User, settings: Any
) -> None:
    settings.PROXY_COUNT = 1
    for number in range(5):
        tries(Client(), f"198.51.100.{number}, 203.0.113.66")
    assert tries(Client(), "203.0.113.66", password="alice-password") == 429
    assert tries(Client(), "203.0.113.7", password="alice-password") == 302


def test_ever_other_names_from_one_address_are_paused_too(alice: User, settings: Any) -> None:
    settings.SIGN_INS_PER_MINUTE = 3
    answers = [tries(Client(), "203.0.113.66", name=f"name-{number}") for number in range(4)]
    assert answers == [200, 200, 200, 429]


def test_a_viewer_sees_everything_and_no_button_that_she_may_not_press(
    victor_browser: Client, jane: Talent, failing: Callable[..., Connection]
) -> None:
    failing(jane, "NOT_FOUND")
    for address in ("/", f"/talent/{jane.pk}", f"/talent/{jane.pk}/profiles", "/sync"):
        page = victor_browser.get(address).content.decode().replace("Correct the handle.", "")
        for word in ("Sync now", "Add profile", "Add talent", "Delete", "Correct the handle"):
            assert word not in page, f"{word} on {address}"
        assert "Jane" in page


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("connection-sync", "account"),
        ("connection-delete", "account"),
        ("talent-sync", "talent"),
        ("talent-archive", "talent"),
        ("talent-restore", "talent"),
        ("talent-delete", "talent"),
        ("talent-profiles", "talent"),
        ("talent-settings", "talent"),
    ],
)
def test_a_viewer_who_posts_anyway_is_refused_and_nothing_changes(
    victor_browser: Client, jane: Talent, account: Callable[..., Connection], name: str, of: str
) -> None:
    row = account(jane)
    address = reverse(name, args=[row.pk if of == "account" else jane.pk])
    answer = victor_browser.post(address, {"confirm": jane.name, "name": "Changed"})
    assert answer.status_code == 403
    assert "Your role can look, not change" in answer.content.decode()
    jane.refresh_from_db()
    row.refresh_from_db()
    assert (jane.name, jane.status, row.sync_status) == ("Jane Smith", "active", "READY")


def test_a_manager_is_told_what_administrators_alone_may(alice_browser: Client) -> None:
    answer = alice_browser.get("/account/tokens")
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "This is for administrators" in page
    assert "Alice Archer, a manager." in page


def test_a_change_is_never_made_by_following_a_link(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane)
    for name, pk in (("connection-delete", row.pk), ("talent-delete", jane.pk)):
        assert alice_browser.get(reverse(name, args=[pk])).status_code == 405
    assert Connection.objects.filter(pk=row.pk).exists()


def test_a_form_without_its_token_is_refused_with_words(alice: User, jane: Talent) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="talent.backends.RoleBackend")
    answer = browser.post(f"/talent/{jane.pk}/archive")
    assert answer.status_code == 403
    assert "This form is no longer valid" in answer.content.decode()
    part = {"HX-Request": "true", "HX-Current-URL": f"http://testserver/talent/{jane.pk}"}
    answer = browser.post(f"/talent/{jane.pk}/archive", headers=part)
    assert answer.status_code == 403
    assert "You signed in again since" in json.loads(answer["HX-Trigger"])["toast"]["text"]
    browser.logout()
    answer = browser.post(f"/talent/{jane.pk}/archive", headers=part)
    assert answer["HX-Redirect"] == f"/login?next=%2Ftalent%2F{jane.pk}"


@pytest.mark.parametrize(
    "address",
    ["/nope", "/talent/999", "/talent/999/profiles", "/talent/999/activity", "/talent/999/settings",
     "/talent/999/profiles/live", f"/talent/{2**70}"],
)  # fmt: skip
def test_what_is_not_there_says_so(alice_browser: Client, address: str) -> None:
    answer = alice_browser.get(address)
    assert answer.status_code == 404
    assert "This page isn't here" in answer.content.decode()


def test_our_own_fault_needs_no_database(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the database is gone")

    browser = Client(raise_request_exception=False)
    browser.force_login(alice, backend="talent.backends.RoleBackend")
    with monkeypatch.context() as moment:
        moment.setattr("django.db.backends.utils.CursorWrapper.execute", broken)
        answer = browser.get("/")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
    assert "send this reference" in answer.content.decode()


def test_every_page_forbids_inline_scripts_and_styles(alice_browser: Client, jane: Talent) -> None:
    for address in ("/", f"/talent/{jane.pk}", f"/talent/{jane.pk}/profiles", "/sync", "/login"):
        answer = alice_browser.get(address, follow=True)
        policy = answer["Content-Security-Policy"]
        page = answer.content.decode()
        assert "script-src 'self';" in policy + ";"
        assert "unsafe" not in policy
        assert " style=" not in page
        assert " onclick=" not in page
        assert "<script>" not in page


def test_the_theme_is_remembered_by_the_browser_alone(db: None) -> None:
    browser = Client()
    seen = []
    for _ in range(3):
        browser.post("/theme", headers={"Referer": "http://testserver/login"})
        page = browser.get("/login").content.decode()
        seen.append(
            "data-theme=" + page.split('data-theme="')[1][:4] if 'data-theme="' in page else ""
        )
    assert seen == ["data-theme=ligh", "data-theme=dark", ""]


def test_no_page_is_kept_after_signing_out(alice_browser: Client) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        answer = alice_browser.get("/", headers=headers)
        assert "no-store" in answer["Cache-Control"]
        assert "HX-Request" in answer["Vary"]


def test_a_name_that_no_column_could_hold_is_a_wrong_name(db: None) -> None:
    answer = Client().post("/login", {"username": "a" * 5000, "password": "x"})
    assert answer.status_code == 200
