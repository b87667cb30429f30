"""What an attacker tries first, where no other room's tests already do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction
from django.test import Client

from socials import deliveries
from socials.models import Webhook
from talent.activity import record
from talent.models import Activity, Talent, User
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db


def test_signing_in_begins_another_session_and_signing_out_ends_it(alice: User) -> None:
    browser = Client()
    session = browser.session
    session["planted"] = "by somebody else"
    session.save()
    browser.cookies["sessionid"] = session.session_key
    browser.post("/login", {"username": "alice", "password": "alice-password"})
    fresh = browser.cookies["sessionid"].value
    assert fresh != session.session_key
    assert not Session.objects.filter(pk=session.session_key).exists()
    browser.post("/logout")
    assert not Session.objects.filter(pk=fresh).exists()


def test_a_new_password_ends_every_other_session(alice: User) -> None:
    browser = Client()
    browser.post("/login", {"username": "alice", "password": "alice-password"})
    alice.set_password("another-password")
    alice.save()
    assert browser.get("/").status_code == 302


def test_cookies_can_not_be_read_by_scripts_nor_sent_by_other_sites(alice: User) -> None:
    browser = Client()
    browser.post("/login", {"username": "alice", "password": "alice-password"})
    cookie = browser.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize("address", ["/login", "/api/docs", "/healthz-not", "/connect/unknown"])
def test_every_answer_forbids_framing_sniffing_and_foreign_scripts(address: str) -> None:
    answer = Client().get(address)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}


def test_fields_that_nobody_may_set_are_refused(alice_api: Any, jane: Talent, ruth: User) -> None:
    for field, told in (
        ("id", 1),
        ("profileImageUrl", "https://evil.example/x.png"),
        ("createdAt", "2020-01-01T00:00:00Z"),
        ("is_superuser", True),
    ):
        answer = alice_api.patch(f"/api/admin/talent/{jane.pk}", {field: told}, format="json")
        assert answer.status_code == 400, field
        assert field in answer.json()["details"]
    answer = alice_api.patch("/api/profile", {"role": "x", "is_staff": True}, format="json")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "evil", ["' OR 1=1 --", "%' OR '1'='1", "\\", "$(reboot)", "{{7*7}}", "a" * 200, "%00", "🦊"]
)
def test_what_is_searched_for_is_only_ever_a_text(
    alice_api: Any, alice: User, jane: Talent, evil: str
) -> None:
    answer = alice_api.get("/api/admin/talent", {"search": evil})
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:
        assert answer.json()["data"] == []
    browser = Client()
    browser.force_login(alice, backend="talent.backends.RoleBackend")
    page = browser.get("/", {"q": evil})
    assert page.status_code == 200
    assert "Jane Smith" not in page.content.decode().split('id="list"')[-1]
    if evil == "{{7*7}}":
        assert f'value="{evil}"' in page.content.decode()


def test_the_log_refuses_to_be_rewritten_or_shortened_even_in_sql(alice: User) -> None:
    _run("ALTER TABLE talent_activity ENABLE TRIGGER talent_activity_not_emptied")
    record("talent.updated", actor=alice, object="Jane Smith")
    _run("SET CONSTRAINTS ALL IMMEDIATE")
    for attempt in (
        lambda: Activity.objects.update(actor_name="somebody else"),
        lambda: Activity.objects.all().delete(),
        lambda: _run("DELETE FROM talent_activity"),
        lambda: _run("UPDATE talent_activity SET action = 'talent.added'"),
        lambda: _run("TRUNCATE talent_activity"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    assert Activity.objects.get().actor_name == "Alice Archer"


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_what_is_unchanged_is_told_only_to_those_who_may_see_it(
    alice_api: Any, tilda_api: Any, jane: Talent
) -> None:
    address = f"/api/admin/talent/{jane.pk}/social-connections"
    known = {"If-None-Match": alice_api.get(address)["ETag"]}
    assert alice_api.get(address, headers=known).status_code == 304
    assert tilda_api.get(address, headers=known).status_code == 403
    assert Client().get(address, headers=known).status_code == 401


def test_no_link_is_made_of_the_host_that_a_request_names(
    alice: User, jane: Talent, settings: Any, platform_settings: dict[str, str]
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    browser = Client()
    browser.force_login(alice, backend="talent.backends.RoleBackend")
    for address in ("invite", "kit"):
        answer = browser.post(f"/talent/{jane.pk}/{address}", headers=evil)
        assert answer["Location"].startswith("/talent/")
    for address in ("profiles", "settings", "intelligence"):
        page = browser.get(f"/talent/{jane.pk}/{address}", headers=evil).content.decode()
        assert "evil.example" not in page
    assert "evil.example" not in str(list(Activity.objects.values()))


@pytest.mark.parametrize(
    "name",
    ["0177.0.0.1", "127.1", "2130706433.", "0x7f.1", "127.0.0.1.", "[::ffff:7f00:1]", "[::1]"],
)
def test_no_spelling_of_a_private_address_is_sent_to(name: str, settings: Any) -> None:
    settings.SANDBOX_HOSTS = []
    message = deliveries.Message(
        1, 1, 1, f"https://{name}/hook", "{}", "msg_1", Webhook.new_secret()
    )
    answered = deliveries.send(message)
    assert answered.status is None
    assert "public address" in answered.words


# --- the page that says so ---


def test_every_line_of_the_threat_model_names_a_test_that_exists() -> None:
    text = (ROOT / "docs/security.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    threats = [row for row in rows if not row.startswith("| threat ")]
    assert len(threats) >= 25
    for row in threats:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert named, row
        for path, test in named:
            assert (ROOT / path).exists(), path
            assert f"def {test}(" in (ROOT / path).read_text(), f"{path}::{test}"
