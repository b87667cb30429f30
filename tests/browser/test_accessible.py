"""Every page and state, in both themes and at both widths: no violation, nothing cut off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from socials import outbox, webhooks
from socials.models import Connection, Event, QuotaWindow, Worker
from talent.models import Talent, User
from tests.browser.conftest import PHONE, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "Maximiliane Ottoline Featherstonehaugh-Cholmondeley von und zu Wolkenstein"


@pytest.fixture
def roster(
    make_talent: Callable[..., Talent], account: Callable[..., Connection], alice: User
) -> Talent:
    """One talent with an account in every state, a worker, a quota."""
    now = timezone.now()
    talent = make_talent(LONG, slug="max", tags=["Essays", "Typography"], manager=alice)
    later = now + timedelta(minutes=5)
    account(talent, "INSTAGRAM", "ready")
    account(talent, "INSTAGRAM", "gone", sync_status="ERROR", error_code="NOT_FOUND")
    account(talent, "TIKTOK", "access", sync_status="ERROR", error_code="REAUTH_REQUIRED")
    account(
        talent, "TIKTOK", "busy", sync_status="SYNCING", lease_owner="w", lease_expires_at=later
    )
    account(talent, "YOUTUBE", "waits", sync_status="PENDING", next_attempt_at=later, attempt=2,
            error_code="RATE_LIMITED", followers=None)  # fmt: skip
    account(talent, "TWITTER", "link", followers=None, last_synced_at=None)
    make_talent("Nobody Yet")
    Worker.objects.create(id="w", host="host", pid=1, started_at=now, heartbeat_at=now)
    QuotaWindow.objects.create(bucket="youtube.units", starts_at=now - timedelta(hours=1),
                               ends_at=later, used=85, cap=100)  # fmt: skip
    return talent


def check(page: Page, what: str) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, f"{what}: {found.generate_report()}"
    sideways = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert sideways <= 0, f"{what} scrolls sideways by {sideways} px"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_no_page_has_an_accessibility_violation(
    open_page: Callable[..., Page], alice: User, roster: Talent, size: Any, theme: str
) -> None:
    page = open_page(alice, size=size, theme=theme)
    talent = f"/talent/{roster.pk}"
    failing = webhooks.create(url=f"https://crm.example/{'long' * 40}", events=list(Event))
    outbox.emit(Event.TALENT_MILESTONE, roster.pk, {})
    failing.deliveries.all().abandon("The receiver answered HTTP 503.")
    for address in (
        "/", "/?q=nothing", talent, f"{talent}/profiles", f"{talent}/activity",
        f"{talent}/settings", f"{talent}/intelligence", "/changes", "/talent/new", "/sync",
        "/sync?refresh=all", "/invites", "/activity", "/account", "/talents/import", "/webhooks",
        "/webhooks/new", f"/webhooks/{failing.pk}", "/nope",
    ):  # fmt: skip
        page.goto(address)
        check(page, address)

    page.goto("/talents/import")
    page.get_by_role("button", name="Check the file").click()
    check(page, "an import without a file")
    file = {"name": "r.csv", "mimeType": "text/csv", "buffer": b"name,email\nA,a@x.example\nB,b\n"}
    page.set_input_files("#file", file)  # as Playwright documents it
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("1 talent would be added")).to_be_visible()
    check(page, "what would become of a file's rows")

    page.goto("/account/second-factor")
    check(page, "no second factor yet")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    check(page, "a second factor to be set up")

    page.goto(f"{talent}/profiles")
    page.get_by_role("button", name="Delete Instagram @gone").click()
    page.get_by_role("button", name="Add profile").click()
    expect(page.get_by_role("textbox", name="Handle")).to_have_attribute("aria-invalid", "true")
    page.locator(".hero details.menu summary").click()
    check(page, "a confirmation, a refused form and a menu, open")

    stranger = open_page(size=size, theme=theme)
    stranger.goto("/login")
    check(stranger, "sign-in")
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_role("alert")).to_be_visible()
    check(stranger, "a refused sign-in")


def test_a_narrow_window_and_large_text_cut_nothing_off(
    open_page: Callable[..., Page], alice: User, roster: Talent
) -> None:
    page = open_page(alice, size=(320, 640))
    for address in ("/", f"/talent/{roster.pk}", f"/talent/{roster.pk}/profiles", "/sync"):
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, f"{address} is {wide} px wide"
    webhooks.create(url=f"https://crm.example/{'long' * 40}", events=list(Event))
    page.goto("/webhooks")
    table = page.get_by_role("group", name="Webhooks table")
    assert table.evaluate("part => part.scrollWidth <= part.clientWidth"), "its rows fold"


def test_the_phone_has_the_same_way_around(
    open_page: Callable[..., Page], alice: User, roster: Talent
) -> None:
    page = open_page(alice, size=PHONE)
    page.goto("/")
    page.get_by_label("Menu").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Sync").click()
    expect(page.get_by_role("heading", name="Sync", exact=True)).to_be_visible()
    page.get_by_label("Menu").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Needs attention")).to_be_hidden()
    expect(page.get_by_label("Menu")).to_be_focused()


def test_the_keyboard_begins_with_the_way_to_the_content(
    open_page: Callable[..., Page], alice: User
) -> None:
    page = open_page(alice)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
