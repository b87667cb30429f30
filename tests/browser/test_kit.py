"""The media kit in a real browser: open to read for everybody, and one page on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from socials import kits
from socials.models import Profile
from socials.models.kit_link import KitMetric
from talent.models import Talent, User
from tests.browser.conftest import PHONE, WIDE
from tests.intelligence import stage
from tests.intelligence.stage import point, post

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def kit(make_talent: Callable[..., Talent], alice: User) -> Callable[[int], str]:
    """The address of a kit that shows all there is of so many accounts."""

    def made(accounts: int) -> str:
        now = timezone.now()
        talent = make_talent(
            "Maximiliane Featherstonehaugh-Cholmondeley", slug="max", manager=alice,
            bio="Essays on type, slow mornings and long runs. " * 10,
            location="Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch, and the Algarve",
            tags=["Essays", "Typography", "Running", "Sustainability", "Slow travel", "Coffee"],
        )  # fmt: skip
        for platform in ("TWITTER", "LINKEDIN"):
            stage.account(talent, platform, handle="maximiliane-featherstonehaugh", read=False)
        platforms = ("INSTAGRAM", "TIKTOK", "YOUTUBE") * 2
        for number, platform in enumerate(platforms[:accounts]):
            row = stage.account(
                talent, platform, followers=120_000 + number, last_synced_at=now,
                source="instagram_business_discovery",
            )  # fmt: skip
            Profile.objects.filter(pk=row.pk).update(fetched_at=now)
            for ago in range(4):
                post(row, posted_at=now - timedelta(days=ago + 1), caption="A long caption. " * 9)
            for ago in (300, 200, 30, 7, 1, 0):
                point(row, now.date() - timedelta(days=ago), 120_000 - ago * 99)
        return f"/kit/{kits.create(talent, metrics=KitMetric.values).token}"

    return made


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@pytest.mark.parametrize("accounts", [1, 3, 6])
def test_the_kit_prints_on_one_page_of_a4_and_of_letter(
    open_page: Callable[..., Page], kit: Callable[[int], str], accounts: int
) -> None:
    page = open_page(theme="dark")
    page.goto(kit(accounts))
    for paper in ("A4", "Letter"):
        printed = page.pdf(format=paper, print_background=True)
        assert printed.startswith(b"%PDF")
        assert pages_of(printed) == 1, f"{accounts} accounts on {paper}"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_kit_has_no_accessibility_violation_and_needs_no_script(
    open_page: Callable[..., Page], kit: Callable[[int], str], size: Any, theme: str
) -> None:
    page = open_page(size=size, theme=theme)
    page.goto(kit(3))
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(sideways) <= 0
    assert page.locator(".plot .line").count() == 3
    page.evaluate("() => { window.print = () => { document.title = 'printed' } }")
    page.get_by_role("button", name="Save as PDF").click()
    assert page.title() == "printed"
