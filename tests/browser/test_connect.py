"""A talent on her phone: from the link in a message to an account whose numbers are there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from socials import invites
from socials.models import Connection, Grant, Invite
from talent.models import Talent, User
from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PLATFORMS = [("INSTAGRAM", "Instagram"), ("TIKTOK", "TikTok"), ("YOUTUBE", "YouTube")]
SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture
def link(
    jane: Talent, alice: User, settings: Any, live_server: Any, platform_settings: Any
) -> Invite:
    settings.PUBLIC_URL = live_server.url
    return invites.create(jane, actor=alice)


def check(page: Page, name: str) -> None:
    """No violation, nothing cut off, nothing too small for a thumb."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    found = Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(sideways) <= 0, name
    small = """[...document.querySelectorAll("main a, main button, main summary")]
        .filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.textContent)"""
    assert page.evaluate(small) == [], name


@pytest.mark.parametrize(
    ("theme", "scripts"),
    [("light", True), ("dark", True), ("light", False)],
    ids=["light", "dark", "no-scripts"],
)
def test_every_page_of_the_way_fits_a_phone(
    open_page: Callable[..., Page], link: Invite, theme: str, scripts: bool
) -> None:
    page = open_page(size=PHONE, theme=theme, scripts=scripts)
    seen = check if scripts else lambda page, name: None
    page.goto(link.url)
    expect(page.get_by_role("heading", name="Hi Jane, connect your accounts")).to_be_visible()
    seen(page, f"connect-{theme}")
    page.get_by_role("link", name="Connect TikTok").click()
    expect(page.get_by_role("heading", name="TikTok sandbox")).to_be_visible()
    page.get_by_role("checkbox", name="keep video.list to myself").check()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Is this the right account?")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Videos and their views can't be read.")
    seen(page, f"confirm-fewer-{theme}")
    page.get_by_role("button", name="Try again or choose another").click()
    expect(page.get_by_role("alert")).to_contain_text("@jane.smith is not connected.")
    seen(page, f"other-{theme}")
    page.get_by_role("link", name="Choose another TikTok account").click()
    page.get_by_role("button", name="Allow").click()
    seen(page, f"confirm-{theme}")
    page.get_by_role("button", name="Yes, connect @jane.smith").click()
    expect(page.get_by_text("TikTok is connected.")).to_be_visible()
    expect(page.get_by_role("heading", name="2 more to go, Jane")).to_be_visible()
    page.get_by_role("link", name="Connect Instagram").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("You didn't allow access on Instagram.")
    seen(page, f"denied-{theme}")
    page.get_by_role("link", name="Disconnect TikTok").click()
    expect(page.get_by_role("heading", name="Disconnect TikTok?")).to_be_visible()
    seen(page, f"disconnect-{theme}")
    page.get_by_role("button", name="Disconnect TikTok").click()
    expect(page.get_by_text("TikTok is disconnected.")).to_be_visible()
    assert not Grant.objects.exists()
    page.goto(f"{link.url}x")
    expect(page.get_by_role("heading", name="This link isn't one of ours")).to_be_visible()
    seen(page, f"dead-{theme}")


def test_from_the_link_to_the_numbers_on_every_platform(
    open_page: Callable[..., Page], worker: Any, link: Invite, alice: User
) -> None:
    page = open_page(size=PHONE)
    page.goto(link.url)
    for platform, name in PLATFORMS:
        page.get_by_role("link", name=f"Connect {name}").click()
        expect(page.get_by_role("heading", name=re.compile("sandbox"))).to_be_visible()
        page.get_by_role("button", name="Allow").click()
        page.get_by_role("button", name="Yes, connect @jane.smith").click()
        expect(page.get_by_text(f"{name} is connected.")).to_be_visible()
        assert Connection.objects.filter(platform=platform, connection_type="OAUTH").exists()
    expect(page.get_by_role("heading", name="All set, Jane")).to_be_visible()
    check(page, "all-set")

    staff = open_page(alice)
    staff.goto(f"/talent/{link.talent_id}/profiles")
    for _, name in PLATFORMS:
        account = staff.get_by_role("article", name=f"{name} @jane.smith")
        expect(account).to_contain_text("Connected", timeout=20_000)
        expect(account).to_contain_text("OAuth")
    staff.goto("/invites?show=permissions")
    expect(staff.get_by_role("row")).to_have_count(4)
    if SHOTS:
        staff.screenshot(path=Path(SHOTS) / "permissions.png", full_page=True)
        staff.goto("/invites")
        staff.screenshot(path=Path(SHOTS) / "invites.png", full_page=True)


def test_the_wrong_account_is_named_when_another_is_awaited(
    open_page: Callable[..., Page], link: Invite
) -> None:
    page = open_page(size=PHONE)
    page.goto(link.url)
    page.get_by_role("link", name="Connect YouTube").click()
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("button", name="Yes, connect @jane.smith").click()
    expect(page.get_by_text("YouTube is connected.")).to_be_visible()
    Connection.objects.update(connected=False)
    page.goto(link.url)
    page.get_by_role("link", name="Reconnect YouTube").click()
    page.get_by_label("Channel").fill("somebody")
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="This is another account")).to_be_visible()
    expect(page.get_by_text("You chose @somebody, but @jane.smith needs")).to_be_visible()
    check(page, "wrong-account")
    page.get_by_role("button", name="No, choose another account").click()
    expect(page.get_by_role("link", name="Choose another YouTube account")).to_be_visible()
    assert Connection.objects.count() == 1
