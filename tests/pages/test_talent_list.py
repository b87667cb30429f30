"""The talent list: what it finds, how it is asked again, and that it never costs more."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from socials.models import Connection
from talent.models import Talent, User

HTMX = {"HX-Request": "true"}


def names(page: str) -> list[str]:
    return re.findall(r'<a class="name"[^>]*>([^<]+)</a>', page)


def found(browser: Client, query: str = "") -> list[str]:
    return names(browser.get(f"/?{query}").content.decode())


@pytest.fixture
def cast(
    make_talent: Callable[..., Talent], account: Callable[..., Connection], alice: User
) -> None:
    ada = make_talent("Ada Arden", tags=["food"], manager=alice)
    bo = make_talent("Bo Blake", email="bo@blake.example")
    cleo = make_talent("Cleo Castell", status="archived")
    account(ada, "INSTAGRAM", "ada.cooks", followers=5_000)
    account(ada, "YOUTUBE", "AdaCooks", followers=100)
    account(bo, "TIKTOK", "bodances", followers=9_000_000,
            last_synced_at=timezone.now() - timedelta(days=2),
            sync_status="ERROR", error_code="NOT_FOUND", attempt=3)  # fmt: skip
    account(cleo, "INSTAGRAM", "cleo", followers=1)
    make_talent("Dev Drummond")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Ada Arden", "Bo Blake", "Dev Drummond"]),
        ("q=arden", ["Ada Arden"]),
        ("q=%40BODANCES", ["Bo Blake"]),
        ("q=food", ["Ada Arden"]),
        ("q=bo@blake.example", ["Bo Blake"]),
        ("q=blake+bo", ["Bo Blake"]),
        ("q=%25", []),
        ("q=%00", ["Ada Arden", "Bo Blake", "Dev Drummond"]),
        ("platform=YOUTUBE", ["Ada Arden"]),
        ("state=error", ["Bo Blake"]),
        ("state=attention", ["Bo Blake"]),
        ("state=ready", ["Ada Arden"]),
        ("manager=me", ["Ada Arden"]),
        ("stale=24", ["Bo Blake"]),
        ("status=archived", ["Cleo Castell"]),
        ("status=all&sort=-followers", ["Bo Blake", "Ada Arden", "Cleo Castell", "Dev Drummond"]),
        ("sort=synced", ["Dev Drummond", "Bo Blake", "Ada Arden"]),
        ("platform=MYSPACE&sort=nonsense&page=-3&size=7", ["Ada Arden", "Bo Blake", "Dev Drummond"]),
        ("page=99999999999999999999999", ["Ada Arden", "Bo Blake", "Dev Drummond"]),
    ],
)  # fmt: skip
def test_filters(alice_browser: Client, cast: None, query: str, expected: list[str]) -> None:
    assert found(alice_browser, query) == expected


def test_a_page_shows_its_rows_and_leads_on(
    alice_browser: Client, make_talent: Callable[..., Talent]
) -> None:
    for number in range(60):
        make_talent(f"Talent {number:02}")
    first = alice_browser.get("/?size=25").content.decode()
    assert names(first)[0] == "Talent 00"
    assert "25</b>" in first
    assert 'href="/?size=25&amp;page=2"' in first
    last = alice_browser.get("/?size=25&page=3").content.decode()
    assert names(last) == [f"Talent {number}" for number in range(50, 60)]
    assert found(alice_browser, "size=25&page=12") == names(last)


def test_a_row_tells_platforms_followers_and_the_worst_state(
    alice_browser: Client, cast: None
) -> None:
    page = alice_browser.get("/?q=bo").content.decode()
    assert "9.00M" in page
    assert "TikTok, not found" in page
    assert 'title="TikTok @bodances: Error"' in page
    assert "1 talent needs attention" in page


def test_no_match_offers_to_take_each_filter_away(alice_browser: Client, cast: None) -> None:
    page = alice_browser.get("/?q=zzz&platform=TIKTOK").content.decode()
    assert "No talent matches" in page
    assert 'href="/?platform=TIKTOK"' in page
    assert 'href="/?q=zzz"' in page


def test_an_empty_roster_says_how_to_begin(alice_browser: Client, victor_browser: Client) -> None:
    assert "No talents yet" in alice_browser.get("/").content.decode()
    assert "Add talent" in alice_browser.get("/").content.decode()
    assert "Add talent" not in victor_browser.get("/").content.decode()


def test_a_search_gets_the_list_alone(alice_browser: Client, cast: None) -> None:
    part = alice_browser.get("/?q=ada", headers=HTMX).content.decode()
    assert part.lstrip().startswith('<section class="card listcard" id="list"')
    assert "<html" not in part


def live_address(page: str) -> str:
    match = re.search(r'hx-get="(/talents/live[^"]*)"', page)
    assert match is not None
    return match[1].replace("&amp;", "&")


def test_one_poll_for_all_rows_and_nothing_when_nothing_changed(
    alice_browser: Client, cast: None
) -> None:
    page = alice_browser.get("/").content.decode()
    assert page.count('hx-get="/talents/live') == 1
    unchanged = alice_browser.get(live_address(page), headers=HTMX)
    assert (unchanged.status_code, unchanged.content) == (204, b"")


def test_a_change_comes_as_cells_out_of_band(alice_browser: Client, cast: None) -> None:
    address = live_address(alice_browser.get("/").content.decode())
    row = Connection.objects.get(handle="ada.cooks")
    Connection.objects.filter(pk=row.pk).request(trigger="manual", priority=0)
    answer = alice_browser.get(address, headers=HTMX)
    part = answer.content.decode()
    assert f'<div id="t-{row.talent_id}-state" hx-swap-oob="true">' in part
    assert "Pending" in part
    assert 'hx-trigger="every 2s, refresh"' in part
    assert "<td" not in part


def test_a_list_at_rest_asks_every_ten_seconds(alice_browser: Client, cast: None) -> None:
    assert 'hx-trigger="every 10s, refresh"' in alice_browser.get("/").content.decode()


@pytest.mark.parametrize("address", ["/", "/?size=500&sort=-followers", "/?q=t&state=ready"])
def test_fifty_talents_cost_as_many_queries_as_one(
    alice_browser: Client,
    make_talent: Callable[..., Talent],
    account: Callable[..., Connection],
    address: str,
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            database,
        ) as asked:
            alice_browser.get(address)
        return len(asked)

    account(make_talent("Talent 0"), "INSTAGRAM", "talent0")
    one = queries()
    for number in range(1, 50):
        talent = make_talent(f"Talent {number}")
        account(talent, "INSTAGRAM", f"talent{number}")
        account(talent, "TIKTOK", f"talent{number}")
    assert queries() == one
    assert one <= 14


def test_the_poll_of_fifty_talents_is_three_queries(
    alice_browser: Client,
    make_talent: Callable[..., Talent],
    account: Callable[..., Connection],
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(50):
        account(make_talent(f"Talent {number}"), "INSTAGRAM", f"talent{number}")
    address = live_address(alice_browser.get("/").content.decode())
    with django_assert_max_num_queries(3):  # session, user, version
        assert alice_browser.get(address, headers=HTMX).status_code == 204
