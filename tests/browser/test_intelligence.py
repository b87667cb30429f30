"""The Social Intelligence tab with all that it can show, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from socials import kits
from socials.models import Profile
from talent.models import Talent, User
from tests.browser.conftest import PHONE, WIDE
from tests.browser.test_accessible import check
from tests.intelligence import stage
from tests.intelligence.stage import point, post

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def full(make_talent: Callable[..., Talent], alice: User) -> Talent:
    """Three platforms with gaps, a jump, posts at many hours, an account that fails, and a kit."""
    now = timezone.now()
    talent = make_talent("Mila Okafor", timezone="Europe/London", manager=alice)
    for platform in ("INSTAGRAM", "TIKTOK", "YOUTUBE"):
        row = stage.account(talent, platform, followers=60_000, last_synced_at=now)
        Profile.objects.filter(pk=row.pk).update(fetched_at=now)
        for ago in range(12):
            post(row, posted_at=now - timedelta(days=ago, hours=ago % 5 + 1), likes=40 + ago)
        for ago in [*range(20), 30, 31, 60]:
            point(row, now.date() - timedelta(days=ago), 60_000 if ago < 3 else 50_000 - ago)
    stage.account(talent, "TIKTOK", handle="gone", read=False, sync_status="ERROR",
                  error_code="NOT_FOUND")  # fmt: skip
    kits.create(talent)
    return talent


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_full_tab_has_no_accessibility_violation(
    open_page: Callable[..., Page], alice: User, full: Talent, size: Any, theme: str
) -> None:
    page = open_page(alice, size=size, theme=theme)
    page.goto(f"/talent/{full.pk}/intelligence")
    page.get_by_text("How these numbers are made").click()
    page.get_by_text("Make a new link").click()
    check(page, "the tab, all open")
    page.goto(f"/talent/{full.pk}/intelligence?view=table")
    check(page, "the table")


def test_the_tab_needs_no_script_and_its_links_keep_the_range(
    open_page: Callable[..., Page], alice: User, full: Talent
) -> None:
    page = open_page(alice, scripts=False)
    page.goto(f"/talent/{full.pk}/intelligence")
    page.get_by_role("navigation", name="Range").get_by_role("link", name="30").click()
    expect(page.get_by_text("Growth, 30 days").first).to_be_visible()
    page.get_by_role("link", name="Table").click()
    expect(page.get_by_role("rowheader").first).to_be_visible()
    expect(page.get_by_text("Growth, 30 days").first).to_be_visible()
    expect(page.get_by_text("gained 10,003").first).to_be_visible()
    expect(page.get_by_text("TikTok @gone: not found.")).to_be_visible()


def test_the_tab_notices_by_itself_what_a_sync_brought(
    open_page: Callable[..., Page], alice: User, full: Talent
) -> None:
    page = open_page(alice)
    page.goto(f"/talent/{full.pk}/intelligence")
    expect(page.locator(".kpi .v").first).to_have_text("180,000")
    Profile.objects.filter(connection__platform="YOUTUBE").update(followers=61_000)
    page.evaluate("document.querySelector('[data-poll]').dispatchEvent(new Event('refresh'))")
    expect(page.locator(".kpi .v").first).to_have_text("181,000")
