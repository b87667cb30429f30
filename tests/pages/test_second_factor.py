"""The second factor: set up, asked for at every door, thrown away, and required of everybody."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django_otp.oath import totp

from talent.models import Activity, ApiToken, RecoveryCode, SecondFactor, User

STEP = 30
PASSWORD = {"username": "alice", "password": "alice-password"}


@pytest.fixture(autouse=True)
def time() -> Iterator[Any]:
    """Time stands still, unless a test moves it."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


def app(person: User) -> str:
    """What the person's authenticator app shows now."""
    secret = base64.b32decode(SecondFactor.objects.get(user=person).secret)
    return f"{totp(secret):06d}"


def set_up(browser: Client, person: User) -> list[str]:
    """Through the pages: the recovery codes."""
    browser.post("/account/second-factor/begin")
    answer = browser.post(
        "/account/second-factor/confirm",
        {"code": app(person), "password": f"{person.username}-password"},
    )
    assert answer.status_code == 200, answer.content.decode()
    return re.findall(r"<li><code>([\w-]+)</code>", answer.content.decode())


def halfway(**further: str) -> Client:
    """A browser whose password was right."""
    browser = Client()
    answer = browser.post("/login", PASSWORD | further)
    assert answer["Location"] == "/login/code"
    return browser


@pytest.fixture
def codes(alice_browser: Client, alice: User, time: Any) -> list[str]:
    """Alice has a second factor; its last code was used a while ago."""
    found = set_up(alice_browser, alice)
    alice.refresh_from_db()
    time.shift(2 * STEP)
    return found


# --- setting up ---


def test_it_is_set_up_with_a_drawn_code_the_app_and_the_password(
    alice_browser: Client, alice: User
) -> None:
    assert "<svg" not in alice_browser.get("/account/second-factor").content.decode().split("h1")[1]
    begun = alice_browser.post("/account/second-factor/begin").content.decode()
    secret = SecondFactor.objects.get().secret
    assert " ".join(re.findall("....", secret)) in begun
    drawn = re.search(r'<svg [^>]*class="segno".*?</svg>', begun)
    assert drawn
    assert "style" not in drawn[0]
    for given in (
        {"code": "000000", "password": "alice-password"},
        {"code": app(alice), "password": "wrong"},
    ):
        answer = alice_browser.post("/account/second-factor/confirm", given)
        assert answer.status_code == 422
        assert secret[:4] in answer.content.decode()
    assert not User.objects.exclude(second_factor_at=None).exists()
    assert len(set_up(alice_browser, alice)) == 10
    assert "10 recovery codes left" in alice_browser.get("/account/second-factor").content.decode()
    actions = Activity.objects.filter(actor_id=alice.pk).values_list("action", flat=True)
    assert list(actions) == ["second_factor.added"]


def test_the_secret_rests_encrypted_and_the_codes_as_hashes(alice: User, codes: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM talent_second_factor")
        [kept] = cursor.fetchone()
    assert SecondFactor.objects.get().secret not in kept
    kept_codes = str(list(RecoveryCode.objects.values()))
    assert not [code for code in codes if code in kept_codes or code.replace("-", "") in kept_codes]
    told = str(list(Activity.objects.values())) + repr(SecondFactor.objects.get())
    assert SecondFactor.objects.get().secret not in told


def test_every_other_session_ends_when_it_is_turned_on_and_this_one_goes_on(
    alice_browser: Client, alice: User
) -> None:
    elsewhere = Client()
    elsewhere.post("/login", PASSWORD)
    assert elsewhere.get("/account").status_code == 200
    before = alice_browser.cookies["sessionid"].value
    set_up(alice_browser, alice)
    assert elsewhere.get("/account").status_code == 302
    assert alice_browser.get("/account").status_code == 200
    assert alice_browser.cookies["sessionid"].value != before


# --- signing in ---


def test_signing_in_asks_for_the_code_and_nothing_opens_before(
    alice: User, codes: list[str]
) -> None:
    browser = halfway()
    planted = browser.cookies["sessionid"].value
    for address in ("/", "/admin/", "/api/admin/talent", "/account"):
        assert browser.get(address).status_code in {302, 401}, address
    assert "One more step" in browser.get("/login/code").content.decode()
    assert browser.post("/login/code", {"code": "12345"}).status_code == 422
    answer = browser.post("/login/code", {"code": f" {app(alice)[:3]} {app(alice)[3:]} "})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert browser.cookies["sessionid"].value != planted
    for address in ("/", "/admin/", "/api/admin/talent", "/account"):
        assert browser.get(address).status_code == 200, address


def test_the_back_office_has_no_door_of_its_own(alice: User, codes: list[str]) -> None:
    browser = Client()
    assert browser.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    for answer in (
        browser.get("/admin/login/?next=/admin/talent/"),
        browser.post("/admin/login/?next=/admin/talent/", PASSWORD),
    ):
        assert answer["Location"] == "/login?next=/admin/talent/"
    assert browser.get("/admin/").status_code == 302


def test_the_way_back_is_kept_and_never_leads_to_another_site(
    alice: User, codes: list[str]
) -> None:
    browser = halfway(next="/sync")
    assert browser.post("/login/code", {"code": app(alice)})["Location"] == "/sync"
    browser = halfway(next="https://evil.example/")
    assert browser.post("/login/code", {"code": codes[0]})["Location"] == "/"


def test_a_code_is_taken_once(alice: User, codes: list[str], time: Any) -> None:
    seen = app(alice)
    assert halfway().post("/login/code", {"code": seen}).status_code == 302
    assert halfway().post("/login/code", {"code": seen}).status_code == 422
    time.shift(STEP)
    assert halfway().post("/login/code", {"code": app(alice)}).status_code == 302


def test_a_recovery_code_is_taken_once_and_that_is_told(alice: User, codes: list[str]) -> None:
    assert halfway().post("/login/code", {"code": codes[3].upper()}).status_code == 302
    assert halfway().post("/login/code", {"code": codes[3]}).status_code == 422
    assert Activity.objects.get(action="second_factor.recovered").details == {"left": 9}


def test_after_five_wrong_codes_nothing_is_taken_for_ten_minutes(
    alice: User, codes: list[str], time: Any
) -> None:
    browser = halfway()
    for _ in range(5):
        assert browser.post("/login/code", {"code": "000000"}).status_code == 422
    for right in (app(alice), codes[0]):
        assert halfway().post("/login/code", {"code": right}).status_code == 429
    assert Activity.objects.filter(action="second_factor.paused").count() == 1
    time.shift(601)
    assert halfway().post("/login/code", {"code": app(alice)}).status_code == 302


def test_halfway_lasts_ten_minutes_and_ends_with_another_password(
    alice: User, codes: list[str], time: Any
) -> None:
    late, changed = halfway(), halfway()
    assert Client().get("/login/code")["Location"] == "/login"
    time.shift(601)
    assert late.post("/login/code", {"code": app(alice)})["Location"] == "/login"
    changed = halfway()
    alice.set_password("another-password")
    alice.save()
    assert changed.post("/login/code", {"code": app(alice)})["Location"] == "/login"


def test_a_token_of_the_api_needs_none(alice: User, codes: list[str], settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    _, secret = ApiToken.issue(alice, name="report")
    asked = Client().get("/api/admin/talent", headers={"Authorization": f"Bearer {secret}"})
    assert asked.status_code == 200


# --- leaving it ---


def test_it_is_turned_off_and_codes_are_renewed_only_with_a_code(
    alice_browser: Client, alice: User, codes: list[str], time: Any
) -> None:
    for action in ("off", "codes"):
        answer = alice_browser.post(f"/account/second-factor/{action}", {"code": "000000"})
        assert answer.status_code == 422
        assert alice_browser.get(f"/account/second-factor/{action}").status_code == 405
    fresh = alice_browser.post("/account/second-factor/codes", {"code": app(alice)})
    assert codes[0] not in fresh.content.decode()
    assert halfway().post("/login/code", {"code": codes[0]}).status_code == 422
    time.shift(STEP)
    assert alice_browser.post("/account/second-factor/off", {"code": app(alice)}).status_code == 302
    assert alice_browser.get("/account").status_code == 200
    assert Client().post("/login", PASSWORD)["Location"] == "/"
    assert not RecoveryCode.objects.exists()


def test_a_superuser_takes_it_away_and_the_log_tells(
    ruth: User, alice: User, codes: list[str], alice_browser: Client
) -> None:
    chosen = {"action": "reset_second_factor", "_selected_action": [alice.pk]}
    alice_browser.post("/admin/talent/user/", chosen)
    assert SecondFactor.objects.exists()
    superuser = Client()
    superuser.force_login(ruth, backend="talent.backends.RoleBackend")
    superuser.post("/admin/talent/user/", chosen)
    assert not SecondFactor.objects.exists()
    told = Activity.objects.get(action="second_factor.reset")
    assert (told.actor_id, told.object) == (ruth.pk, "Alice Archer")
    assert Client().post("/login", PASSWORD)["Location"] == "/"
    assert alice_browser.get("/account").status_code == 302


def test_a_command_takes_it_away_from_the_last_superuser(
    alice: User, codes: list[str], capsys: Any
) -> None:
    call_command("reset_second_factor", "alice")
    assert not SecondFactor.objects.exists()
    assert Activity.objects.get(action="second_factor.reset").actor_id is None
    for name in ("alice", "nobody"):
        with pytest.raises(CommandError):
            call_command("reset_second_factor", name)


# --- required of everybody ---


def test_where_it_is_required_nothing_opens_until_it_is_set_up(
    alice_browser: Client, alice: User, settings: Any
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    for address in ("/", "/admin/", "/account", "/webhooks"):
        answer = alice_browser.get(address)
        assert (answer.status_code, answer["Location"]) == (302, "/account/second-factor")
    live = alice_browser.get("/talents/live?ids=1", headers={"HX-Request": "true"})
    assert live["HX-Redirect"] == "/account/second-factor"
    asked = alice_browser.get("/api/admin/talent")
    assert (asked.status_code, asked.json()["error"]) == (403, "PERMISSION_DENIED")
    assert "second factor" in asked.json()["message"]
    assert "Set one up to go on" in alice_browser.get("/account/second-factor").content.decode()
    set_up(alice_browser, alice)
    for address in ("/", "/admin/", "/account", "/api/admin/talent"):
        assert alice_browser.get(address).status_code == 200


def test_where_it_is_required_talents_and_strangers_are_not_asked(
    tilda_browser: Client, settings: Any
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    assert tilda_browser.get("/api/profile").status_code == 200
    assert Client().get("/login").status_code == 200


def test_nobody_is_asked_who_has_none(alice: User) -> None:
    assert Client().post("/login", PASSWORD)["Location"] == "/"
