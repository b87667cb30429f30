"""The recipe of docs/adding-a-platform.md, followed: a folder, a line, a handle rule, no migration."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_httpserver import HTTPServer
from rest_framework.test import APIClient

from socials import connections, handles, kits, platforms
from socials.handles.rule import Rule
from socials.models import Connection
from socials.sync.engine import Loop
from talent.models import Talent, User
from talent.templatetags import marks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def loopreel(settings: Any, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer) -> HTTPServer:
    rule = Rule(
        platform="LOOPREEL",
        name="LoopReel",
        domains=("loopreel.example",),
        example="@janesmith",
        url_example="https://loopreel.example/janesmith",
        in_link=lambda found: found.segments[0],
        check=lambda name: name.removeprefix("@").lower(),
        key=str,
        url=lambda handle: f"https://loopreel.example/{handle}",
    )
    monkeypatch.setitem(platforms.PLATFORMS, "LOOPREEL", "tests.platforms.newcomer.PLATFORM")
    monkeypatch.setitem(handles.RULES, "LOOPREEL", rule)
    monkeypatch.setitem(marks.PLATFORM_NAMES, "LOOPREEL", "LoopReel")
    settings.PLATFORM_SETTINGS = {
        **settings.PLATFORM_SETTINGS,
        "LOOPREEL_API_URL": httpserver.url_for("").rstrip("/"),
    }
    return httpserver


def synced(talent: Talent, handle: str) -> Connection:
    row, _ = connections.connect(talent, "LOOPREEL", handle=handle)
    Loop().run()
    return Connection.objects.select_related("profile").get(pk=row.pk)


def test_a_new_platform_is_connected_and_read_by_the_same_engine(
    loopreel: HTTPServer, jane: Talent
) -> None:
    loops = [{"id": "l1", "at": "2026-11-01T10:00:00Z"}, {"id": "l2", "at": None}]
    loopreel.expect_request("/accounts/jane").respond_with_json(
        {"id": 7, "name": "jane", "fans": 1234, "loops": loops, "mood": "new"}
    )
    row = synced(jane, "@Jane")
    assert (row.sync_status, row.source, row.external_id) == ("READY", "loopreel_api", "7")
    assert row.profile.followers == 1234
    assert sorted(row.posts.values_list("external_id", flat=True)) == ["l1", "l2"]


def test_every_page_and_the_api_show_it_beside_the_others(
    loopreel: HTTPServer, jane: Talent, alice: User, alice_api: APIClient
) -> None:
    loops = [{"id": "l1", "at": "2026-11-01T10:00:00Z"}]
    told = {"id": 7, "name": "jane", "fans": 1234, "loops": loops}
    loopreel.expect_request("/accounts/jane").respond_with_json(told)
    row = synced(jane, "jane")
    token = kits.create(jane, actor=alice).token
    browser = Client()
    browser.force_login(alice, backend="talent.backends.RoleBackend")
    of_jane = [f"/talent/{jane.pk}{page}" for page in ("", "/profiles", "/intelligence?days=365")]
    for page in ("/", "/?platform=LOOPREEL", *of_jane, "/sync", f"/kit/{token}"):
        answer = browser.get(page)
        assert (page, answer.status_code) == (page, 200)
        assert (page, "LoopReel" in answer.content.decode()) == (page, True)
    one = alice_api.get(f"/api/admin/socials/{row.pk}").json()["data"]
    figures = alice_api.get(f"/api/admin/talent/{jane.pk}/social-intelligence").json()["data"]
    assert one["platform"] == figures["platforms"][0]["platform"] == "LOOPREEL"


def test_its_failures_are_told_like_everybody_elses(loopreel: HTTPServer, jane: Talent) -> None:
    loopreel.expect_request("/accounts/nobody").respond_with_data("", 404)
    row = synced(jane, "nobody")
    assert (row.sync_status, row.error_code) == ("ERROR", "NOT_FOUND")


def test_it_asks_for_no_migration(loopreel: HTTPServer) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
