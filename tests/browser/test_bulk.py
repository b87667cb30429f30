"""Ticking rows of the talent list: the bar changes in place, keeps the ticks, and goes through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from socials.models import Connection
from talent.models import Talent, User
from tests.browser.conftest import PHONE, WIDE
from tests.browser.test_accessible import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def thirty(make_talent: Callable[..., Talent], account: Callable[..., Connection]) -> None:
    for number in range(30):
        account(make_talent(f"Talent {number:02}"), "INSTAGRAM", f"talent{number:02}")


def test_ticks_survive_the_poll_and_shift_nothing(
    open_page: Callable[..., Page], alice: User, thirty: None
) -> None:
    page = open_page(alice)
    page.goto("/?size=25")
    heading = page.get_by_role("checkbox", name="Select all talents on this page")
    before = page.locator(".talents").bounding_box()
    page.get_by_role("checkbox", name="Select Talent 03").focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-count]")).to_have_text("1 selected")
    assert page.locator(".talents").bounding_box() == before
    assert heading.evaluate("box => box.indeterminate")

    row = Connection.objects.get(handle="talent05")
    row.sync_status, row.error_code, row.attempt = "ERROR", "NOT_FOUND", 3
    row.save()
    page.evaluate("htmx.trigger(document.querySelector('[data-poll]'), 'refresh')")
    expect(page.get_by_text("Instagram, not found")).to_be_visible()
    expect(page.locator("[data-count]")).to_have_text("1 selected")
    expect(page.get_by_role("checkbox", name="Select Talent 03")).to_be_checked()

    heading.check()
    expect(page.locator("[data-count]")).to_have_text("25 selected")
    page.get_by_role("checkbox", name="Select all 30").check()
    expect(page.locator("[data-count]")).to_have_text("30 selected")
    page.get_by_role("button", name="Sync now").first.click()
    expect(page.get_by_text("30 profiles queued for sync")).to_be_visible()
    expect(page.get_by_text("Syncing: 0 of 30 done")).to_be_visible()
    Connection.objects.update(sync_status="READY", error_code="", attempt=0, next_attempt_at=None)
    expect(page.get_by_text("Syncing: 30 of 30 done")).to_be_visible()
    expect(page.locator("[data-batch]")).to_have_count(0)


def test_it_works_without_scripts(
    open_page: Callable[..., Page], alice: User, thirty: None
) -> None:
    page = open_page(alice, scripts=False)
    page.goto("/")
    expect(page.locator("#bulk")).to_be_hidden()
    page.get_by_role("checkbox", name="Select Talent 03").check()
    page.get_by_role("combobox", name="Manager to assign").select_option(str(alice.pk))
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("1 talent assigned to")).to_be_visible()
    assert Talent.objects.get(manager=alice).name == "Talent 03"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_bar_is_accessible(
    open_page: Callable[..., Page], alice: User, thirty: None, size: Any, theme: str
) -> None:
    page = open_page(alice, size=size, theme=theme)
    page.goto("/?size=25")
    before = page.locator(".talents").bounding_box()
    page.get_by_role("checkbox", name="Select Talent 00").check()
    page.get_by_role("checkbox", name="Select Talent 02").check()
    assert page.locator(".talents").bounding_box() == before
    check(page, "the list with a selection")
    page.get_by_role("button", name="Sync now").first.click()
    expect(page.get_by_text("Syncing: 0 of 2 done")).to_be_visible()
    check(page, "the list with work going on")
