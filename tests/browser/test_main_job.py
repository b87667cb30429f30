"""The main job as staff do it: sign in, add a talent, paste a link, watch its numbers arrive."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from socials.models import Connection
from talent.models import Talent, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def card(page: Page, name: str) -> Any:
    return page.get_by_role("article", name=name)


def test_from_sign_in_to_the_first_numbers(
    open_page: Callable[..., Page], worker: Any, alice: User
) -> None:
    page = open_page()
    page.goto("/")
    expect(page).to_have_url(re.compile(r"/login\?next=/$"))
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password", exact=True).fill("alice-password")
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("link", name="Add talent").first.click()
    page.get_by_label("Name").fill("Mila Okafor")
    page.get_by_label("Tags").fill("Food, Travel")
    page.get_by_role("button", name="Add talent").dblclick()
    expect(page.get_by_role("heading", name="Mila Okafor")).to_be_visible()
    assert Talent.objects.count() == 1
    expect(page.get_by_role("status")).to_contain_text("Mila Okafor is on the roster")

    page.get_by_label("Profile link").fill("https://www.youtube.com/@MilaOkafor/videos")
    expect(page.get_by_text("Recognised: YouTube, @MilaOkafor")).to_be_visible()
    expect(page.get_by_label("Platform")).to_have_value("YOUTUBE")
    expect(page.get_by_role("textbox", name="Handle")).to_have_value("@MilaOkafor")
    page.get_by_role("button", name="Add profile").click()

    account = card(page, "YouTube @MilaOkafor")
    expect(account).to_contain_text(re.compile("Pending|Syncing|Connected"))
    expect(account).to_contain_text("Connected", timeout=20_000)
    expect(account).to_contain_text(re.compile(r"\d,\d{3}"))
    expect(account).to_contain_text("Synced just now")
    expect(page.get_by_label("Profile link")).to_have_value("")

    page.get_by_role("link", name="Overview").click()
    posts = page.get_by_role("region", name="Latest posts")
    expect(posts.get_by_role("link", name=re.compile("views"))).not_to_have_count(0)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Talents").click()
    expect(page.get_by_role("row", name=re.compile("Mila Okafor"))).to_contain_text("Connected")


def test_an_account_that_does_not_exist_says_so_and_can_be_corrected(
    open_page: Callable[..., Page], worker: Any, alice: User, jane: Talent
) -> None:
    page = open_page(alice)
    page.goto(f"/talent/{jane.pk}/profiles")
    page.get_by_label("Profile link").fill("https://www.youtube.com/@nonexistentjane")
    expect(page.get_by_role("textbox", name="Handle")).to_have_value("@nonexistentjane")
    page.get_by_role("button", name="Add profile").click()

    account = card(page, "YouTube @nonexistentjane")
    expect(account).to_contain_text("We can't find this account.", timeout=20_000)
    expect(account).to_contain_text("YouTube says @nonexistentjane doesn't exist.")
    expect(account).to_contain_text("Error")
    expect(page.get_by_role("link", name=re.compile("Social profiles"))).to_contain_text("1")

    account.get_by_role("link", name="Correct the handle").click()
    expect(page.get_by_role("textbox", name="Handle")).to_have_value("@nonexistentjane")
    page.get_by_role("textbox", name="Handle").fill("@janesmith")
    page.get_by_role("button", name="Save the handle").click()
    expect(card(page, "YouTube @janesmith")).to_contain_text("Connected", timeout=20_000)
    expect(account).to_have_count(0)


def test_sync_now_shows_each_state_until_it_is_done(
    open_page: Callable[..., Page],
    start_worker: Callable[..., Any],
    alice: User,
    jane: Talent,
    account: Callable[..., Connection],
) -> None:
    account(jane, "YOUTUBE", "janesmith", followers=77_777)
    page = open_page(alice)
    page.goto(f"/talent/{jane.pk}/profiles")
    row = card(page, "YouTube @janesmith")
    row.get_by_role("button", name="Sync now").click()
    expect(row).to_contain_text("Pending")
    expect(row.get_by_role("button", name="Sync now")).to_be_disabled()
    expect(row).to_contain_text("77,777")
    expect(page.get_by_role("status")).to_contain_text("@janesmith queued for sync")
    start_worker()
    expect(row).to_contain_text("Connected", timeout=20_000)
    expect(row).not_to_contain_text("77,777")
    expect(row.get_by_role("button", name="Sync now")).to_be_enabled()


def test_deleting_asks_in_the_row_and_the_keyboard_can_change_its_mind(
    open_page: Callable[..., Page],
    alice: User,
    jane: Talent,
    account: Callable[..., Connection],
) -> None:
    account(jane, "INSTAGRAM", "janesmith")
    account(jane, "TIKTOK", "janesmith")
    page = open_page(alice)
    page.goto(f"/talent/{jane.pk}/profiles")
    row = card(page, "TikTok @janesmith")
    trash = row.get_by_role("button", name="Delete TikTok @janesmith")
    trash.focus()
    page.keyboard.press("Enter")
    expect(row.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row.get_by_role("form")).to_be_hidden()
    expect(trash).to_be_focused()
    trash.click()
    row.get_by_role("button", name="Delete profile").click()
    expect(row).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("@janesmith deleted")
    expect(page.get_by_role("heading", name="Connections")).to_be_focused()
    assert [row.platform for row in Connection.objects.all()] == ["INSTAGRAM"]


def test_a_viewer_watches_the_same_page_without_a_button(
    open_page: Callable[..., Page],
    victor: User,
    jane: Talent,
    account: Callable[..., Connection],
) -> None:
    row = account(jane)
    page = open_page(victor)
    page.goto(f"/talent/{jane.pk}/profiles")
    expect(card(page, "Instagram @janesmith")).to_contain_text("Connected")
    expect(page.get_by_role("article").get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Sync|Add|Delete"))).to_have_count(0)
    Connection.objects.filter(pk=row.pk).request(trigger="schedule", priority=5)
    page.evaluate("htmx.trigger('[data-poll]', 'refresh')")
    expect(card(page, "Instagram @janesmith")).to_contain_text("Pending")
    expect(page.get_by_role("article").get_by_role("button")).to_have_count(0)


def test_the_main_job_without_javascript(
    open_page: Callable[..., Page], alice: User, jane: Talent
) -> None:
    page = open_page(alice, scripts=False)
    page.goto(f"/talent/{jane.pk}/profiles")
    page.get_by_label("Profile link").fill("https://www.tiktok.com/@janesmith")
    page.get_by_role("button", name="Add profile").click()
    expect(card(page, "TikTok @janesmith")).to_contain_text("Pending")
    expect(page.get_by_role("status")).to_contain_text("@janesmith added")
    card(page, "TikTok @janesmith").get_by_role("button", name="Delete").first.click()
    page.get_by_role("button", name="Delete profile").click()
    expect(page.get_by_text("No profiles yet")).to_be_visible()
    page.get_by_role("textbox", name="Handle").fill("not a handle")
    page.get_by_role("button", name="Add profile").click()
    expect(page.get_by_role("textbox", name="Handle")).to_have_attribute("aria-invalid", "true")
