"""The talent list: what it finds, how it is asked again, and that it never costs more."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from socials import exports, rosters
from socials.intelligence.summary import intelligence
from socials.models import Connection, Snapshot
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
    offered = re.findall(r'<a class="btn num" href="([^"]*)".*?<span class="muted">([^<]*)<', page)
    assert offered == [("/?platform=TIKTOK", "1 talent"), ("/?q=zzz", "0 talents")]


def test_a_view_of_troubles_that_is_empty_is_good_news(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    account(jane)
    assert "Nobody needs attention" in alice_browser.get("/?state=attention").content.decode()
    assert "Nobody is out of date" in alice_browser.get("/?stale=24").content.decode()
    assert "No talent matches" in alice_browser.get("/?state=attention&q=x").content.decode()


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


def test_an_account_that_waits_for_long_does_not_hurry_the_list(
    alice_browser: Client, make_talent: Callable[..., Talent], account: Callable[..., Connection]
) -> None:
    soon, late = (timezone.now() + timedelta(seconds=seconds) for seconds in (5, 600))
    row = account(make_talent("Waits"), sync_status="PENDING", next_attempt_at=late)
    assert 'hx-trigger="every 10s, refresh"' in alice_browser.get("/").content.decode()
    Connection.objects.filter(pk=row.pk).update(next_attempt_at=soon)
    assert 'hx-trigger="every 2s, refresh"' in alice_browser.get("/").content.decode()


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
    assert one <= 17


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


# --- growth, and the rate of the largest account -------------------------------------------------


@pytest.fixture
def past() -> Callable[..., None]:
    """Gives an account a point for so many days back: ``past(row, {30: 1_000, 0: 1_100})``."""

    def give(row: Connection, followers: dict[int, int], rate: float | None = None) -> None:
        now = timezone.now()
        for days, number in followers.items():
            Snapshot.objects.create(
                connection=row, date=(now - timedelta(days=days)).date(), followers=number,
                engagement_rate=rate, source="test", taken_at=now,
            )  # fmt: skip

    return give


@pytest.fixture
def grown(
    make_talent: Callable[..., Talent],
    account: Callable[..., Connection],
    past: Callable[..., None],
) -> dict[str, Talent]:
    """Ada grew by 10 % over two accounts, a third is new; Bo shrank by half; Cy is unknown."""
    ada, bo, cy = (make_talent(name) for name in ("Ada", "Bo", "Cy"))
    past(account(ada, "INSTAGRAM", "ada", followers=2_150), {30: 2_000, 1: 2_140, 0: 2_150}, 4.5)
    past(account(ada, "TIKTOK", "ada", followers=1_150), {31: 1_000, 0: 1_150}, 9.9)
    past(account(ada, "YOUTUBE", "ada", followers=500), {3: 400, 0: 500}, 1.1)
    past(account(bo, "YOUTUBE", "bo", followers=50), {30: 100, 0: 50})
    account(cy, "INSTAGRAM", "cy", followers=9)
    return {"ada": ada, "bo": bo, "cy": cy}


def cells(page: str, talent: Talent) -> str:
    row = page.split(f'<tr id="t-{talent.pk}">')[1].split("</tr>")[0]
    return " ".join(row.split())


def test_growth_is_told_as_on_the_talents_own_page_and_only_over_accounts_known_then(
    alice_browser: Client, grown: dict[str, Talent]
) -> None:
    page = alice_browser.get("/").content.decode()
    assert '<span class="pct up">+10.0%</span>' in cells(page, grown["ada"])
    assert '<span class="pct down">−50.0%</span>' in cells(page, grown["bo"])  # noqa: RUF001
    assert '<span class="pct ">—</span>' in cells(page, grown["cy"])
    own = intelligence(grown["ada"].pk).totals.growth["d30"]
    assert own is not None
    assert own.percent == 10.0


def test_a_day_on_which_an_account_was_not_read_is_a_gap_in_the_line(
    alice_browser: Client, grown: dict[str, Talent]
) -> None:
    lines = {row.name: row.trend.line for row in rosters.roster_page(rosters.RosterFilter()).rows}
    assert lines["Ada"][-1] == 3_300
    assert set(lines["Ada"][:-1]) == {None}  # on each other day one of the two is missing
    assert (lines["Bo"][0], lines["Bo"][-1]) == (100, 50)
    page = alice_browser.get("/").content.decode()
    assert 'd="M2.0 4.0M70.0 19.0"' in cells(page, grown["bo"])


def test_engagement_is_the_largest_accounts_and_says_which(
    alice_browser: Client, grown: dict[str, Talent]
) -> None:
    row = cells(alice_browser.get("/").content.decode(), grown["ada"])
    assert 'aria-label="Instagram"><use href="#g-instagram"/></svg>4.5%' in row
    assert "9.9%" not in row


def test_the_list_can_be_sorted_by_growth(alice_browser: Client, grown: dict[str, Talent]) -> None:
    assert found(alice_browser, "sort=-growth") == ["Ada", "Bo", "Cy"]


# --- from one talent to the next -----------------------------------------------------------------


def test_a_talents_page_leads_on_in_the_order_and_filter_of_the_list(
    alice_browser: Client, cast: None, grown: dict[str, Talent]
) -> None:
    alice_browser.get("/?q=a&sort=-growth&size=25&page=1")
    pages = {talent.name: talent.pk for talent in Talent.objects.all()}
    first = alice_browser.get(f"/talent/{pages['Ada']}/profiles").content.decode()
    assert f'href="/talent/{pages["Ada"]}/next?tab=profiles"' in first
    assert 'href="/?q=a&amp;sort=-growth&amp;size=25">Talents</a>' in first
    following = alice_browser.get(f"/talent/{pages['Ada']}/next?tab=profiles")
    assert following["Location"] == f"/talent/{pages['Ada Arden']}/profiles"
    back = alice_browser.get(f"/talent/{pages['Ada Arden']}/previous?tab=evil")
    assert back["Location"] == f"/talent/{pages['Ada']}"
    end = alice_browser.get(f"/talent/{pages['Ada']}/previous", follow=True)
    assert "This is the first of the list" in end.content.decode()


def test_beside_a_talent_that_the_filter_hides_the_whole_roster_counts(
    alice_browser: Client, cast: None
) -> None:
    alice_browser.get("/?q=dev")
    cleo = Talent.objects.get(name="Cleo Castell")
    after = alice_browser.get(f"/talent/{cleo.pk}/next")
    assert after["Location"] == f"/talent/{Talent.objects.get(name='Dev Drummond').pk}"


@pytest.mark.parametrize(
    "cookie", ["", "sort=nonsense&page=x&manager=%00", "%ff" * 900, "q=" + "x" * 5_000]
)
def test_whatever_the_browser_remembers_breaks_no_page(
    alice_browser: Client, jane: Talent, cookie: str
) -> None:
    alice_browser.cookies["roster"] = cookie
    assert alice_browser.get(f"/talent/{jane.pk}").status_code == 200
    assert alice_browser.get(f"/talent/{jane.pk}/next").status_code == 302
    assert alice_browser.get("/talent/99999999/next").status_code in {302, 404}


# --- export --------------------------------------------------------------------------------------


def exported(answer: Any) -> list[dict[str, str]]:
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


def test_what_the_filter_finds_goes_out_in_the_lists_order(
    alice_browser: Client, victor_browser: Client, cast: None
) -> None:
    page = alice_browser.get("/?status=all&sort=-followers").content.decode()
    address = "/talents/export.csv?status=all&sort=-followers"
    assert f'href="{address.replace("&", "&amp;")}"' in page
    rows = exported(alice_browser.get(address))
    assert [row["name"] for row in rows] == ["Bo Blake", "Ada Arden", "Cleo Castell", "Dev Drummond"]  # fmt: skip
    assert rows[1]["total_followers"] == "5100"
    assert [row["name"] for row in exported(victor_browser.get("/talents/export.csv?q=arden"))] == ["Ada Arden"]  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(alice_browser.get("/talents/export.xlsx").content))
    assert [row[0] for row in book.active.iter_rows(values_only=True)] == ["name", "Ada Arden", "Bo Blake", "Dev Drummond"]  # fmt: skip


def test_a_new_filter_brings_its_own_export(alice_browser: Client, cast: None) -> None:
    part = alice_browser.get("/?q=ada", headers=HTMX).content.decode()
    assert '<div id="export" hx-swap-oob="true">' in part
    assert 'href="/talents/export.csv?q=ada"' in part
    assert "1 talent as CSV" in part


def test_an_export_is_read_in_parts(
    alice_browser: Client, make_talent: Callable[..., Talent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "A_PART", 2)
    for number in range(5):
        make_talent(f"Talent {number}")
    answer = alice_browser.get("/talents/export.csv")
    with CaptureQueriesContext(database) as asked:
        assert len(exported(answer)) == 5
    assert len(asked) == 1 + 3 * 2
