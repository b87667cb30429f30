"""Live parts: they come by themselves, disturb nobody, and wait when they should."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from socials.models import Connection
from talent.models import Talent, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

POLL = "htmx.trigger('[data-poll]', 'refresh')"


def polls(page: Page) -> list[str]:
    """The addresses of all polls that the page makes from now on."""
    seen: list[str] = []

    def noted(request: Request) -> None:
        if "/live" in request.url:
            seen.append(request.url)

    page.on("request", noted)
    return seen


def queue(row: Connection) -> None:
    Connection.objects.filter(pk=row.pk).request(trigger="manual", priority=0)


@pytest.fixture
def watched(
    open_page: Callable[..., Page], alice: User, jane: Talent, account: Callable[..., Connection]
) -> tuple[Page, Connection]:
    row = account(jane)
    page = open_page(alice)
    page.goto(f"/talent/{jane.pk}/profiles")
    return page, row


def test_a_poll_keeps_the_focus_the_half_typed_form_and_what_is_open(
    watched: tuple[Page, Connection],
) -> None:
    page, row = watched
    page.get_by_role("textbox", name="Handle").fill("half a ha")
    page.locator(".hero details.menu summary").click()
    page.get_by_role("button", name="Sync now").nth(1).focus()
    queue(row)
    page.evaluate(POLL)
    expect(page.get_by_role("article")).to_contain_text("Pending")
    expect(page.get_by_role("article").get_by_role("button", name="Sync now")).to_be_focused()
    expect(page.get_by_role("textbox", name="Handle")).to_have_value("half a ha")
    assert page.locator(".hero details.menu").evaluate("menu => menu.open")


def test_a_poll_keeps_an_open_confirmation(watched: tuple[Page, Connection]) -> None:
    page, row = watched
    page.get_by_role("button", name="Delete Instagram @janesmith").click()
    queue(row)
    page.evaluate(POLL)
    expect(page.get_by_role("article")).to_contain_text("Pending")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()


def test_no_state_moves_the_rows_below(
    watched: tuple[Page, Connection], jane: Talent, account: Callable[..., Connection]
) -> None:
    page, row = watched
    account(jane, "TIKTOK", "below")
    page.reload()
    below = page.get_by_role("article", name="TikTok @below")
    before = below.bounding_box()
    queue(row)
    page.evaluate(POLL)
    expect(page.get_by_role("article", name="Instagram @janesmith")).to_contain_text("Pending")
    assert below.bounding_box() == before


def test_what_moves_is_asked_for_every_two_seconds(watched: tuple[Page, Connection]) -> None:
    page, row = watched
    expect(page.locator("[data-poll]")).to_have_attribute("data-poll", "10")
    queue(row)
    page.evaluate(POLL)
    expect(page.get_by_text("Live, every 2 s")).to_be_visible()
    with page.expect_request(lambda request: "/live" in request.url, timeout=5_000):
        pass


def test_pause_stops_the_polls_and_is_remembered(watched: tuple[Page, Connection]) -> None:
    page, row = watched
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Updates paused")).to_be_visible()
    seen = polls(page)
    page.evaluate(POLL)
    page.reload()
    expect(page.get_by_text("Updates paused")).to_be_visible()
    page.evaluate(POLL)
    assert seen == []
    queue(row)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("article")).to_contain_text("Pending")
    assert len(seen) == 1


def test_a_hidden_tab_does_not_poll(watched: tuple[Page, Connection]) -> None:
    page, row = watched
    seen = polls(page)
    hide = "hidden => Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden})"
    page.evaluate(hide, True)
    page.evaluate(POLL)
    assert seen == []
    queue(row)
    page.evaluate(hide, False)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("article")).to_contain_text("Pending")


def test_an_unreachable_server_is_said_and_forgotten(watched: tuple[Page, Connection]) -> None:
    page, _ = watched
    page.route("**/live?*", lambda route: route.fulfill(status=503))
    page.evaluate(POLL)
    expect(page.get_by_text("Can't reach Greenroom, trying again")).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("Connected")
    page.unroute("**/live?*")
    page.evaluate(POLL)
    expect(page.get_by_text("Live, every 10 s")).to_be_visible()


def test_a_session_that_ended_leads_to_the_sign_in(
    watched: tuple[Page, Connection], jane: Talent
) -> None:
    page, _ = watched
    page.context.clear_cookies()
    page.evaluate(POLL)
    expect(page).to_have_url(
        f"{page.url.split('/talent')[0]}/login?next=%2Ftalent%2F{jane.pk}%2Fprofiles"
    )


def test_the_list_follows_all_its_rows_with_one_poll(
    open_page: Callable[..., Page],
    alice: User,
    make_talent: Callable[..., Talent],
    account: Callable[..., Connection],
) -> None:
    rows = [account(make_talent(f"Talent {n}"), "TIKTOK", f"talent{n}") for n in range(5)]
    page = open_page(alice)
    page.goto("/")
    seen = polls(page)
    page.get_by_role("row", name="Talent 3").locator("summary").click()
    queue(rows[3])
    page.evaluate(POLL)
    expect(page.get_by_role("row", name="Talent 3")).to_contain_text("Pending")
    assert page.get_by_role("row", name="Talent 3").locator("details").evaluate("menu => menu.open")
    assert len(seen) == 1


def test_a_search_swaps_the_list_and_keeps_the_typing_going(
    open_page: Callable[..., Page], alice: User, make_talent: Callable[..., Talent]
) -> None:
    make_talent("Ada Arden")
    make_talent("Bo Blake")
    page = open_page(alice)
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("blak")
    expect(page.get_by_text("Ada Arden")).to_have_count(0)
    expect(page.get_by_label("Search talents")).to_be_focused()
    expect(page).to_have_url(re.compile("q=blak"))
    page.keyboard.type("zzz")
    expect(page.get_by_text("No talent matches")).to_be_visible()
    page.get_by_role("link", name="“blakzzz”").click()
    expect(page.get_by_text("Ada Arden")).to_be_visible()


def test_what_was_opened_on_the_dashboard_stays_open(
    open_page: Callable[..., Page],
    alice: User,
    jane: Talent,
    failing: Callable[..., Connection],
) -> None:
    failing(jane, "PRIVATE_ACCOUNT")
    failing(jane, "NOT_FOUND", platform="TIKTOK")
    page = open_page(alice)
    page.goto("/sync")
    page.locator("#cause-private_account summary").click()
    page.locator("#cause-not_found summary").click()
    opened = "() => [...document.querySelectorAll('details.cause')].map(one => [one.id, one.open])"
    before = page.evaluate(opened)
    with page.expect_response("**/sync"):
        page.evaluate(POLL)
    page.wait_for_function("() => !document.querySelector('.htmx-settling, .htmx-swapping')")
    assert page.evaluate(opened) == before


def test_the_theme_goes_round_and_stays(open_page: Callable[..., Page], alice: User) -> None:
    page = open_page(alice)
    page.goto("/")
    root = page.locator("html")
    seen: list[Any] = []
    for _ in range(3):
        page.get_by_role("button", name="Theme").click()
        seen.append(root.get_attribute("data-theme"))
        page.reload()
        assert root.get_attribute("data-theme") == seen[-1]
    assert seen == ["light", "dark", None]
