"""The Social Intelligence tab in each of its states, its export, and the roster since yesterday."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from socials.intelligence.types import Mark, Point
from socials.models import Connection, Profile
from socials.pages.charts import band
from talent.models import Talent
from tests.intelligence import stage
from tests.intelligence.stage import TODAY, point, post

Make = Callable[..., Connection]


@pytest.fixture
def account(db: None) -> Make:
    """An account that was read a minute ago."""

    def make(talent: Talent, platform: str = "INSTAGRAM", **fields: Any) -> Connection:
        now = timezone.now()
        row = stage.account(talent, platform, **{"last_synced_at": now} | fields)
        Profile.objects.filter(pk=row.pk).update(fetched_at=now)
        return row

    return make


def address(talent: Talent, more: str = "") -> str:
    return f"/talent/{talent.pk}/intelligence{more}"


def shown(browser: Client, talent: Talent, query: str = "") -> str:
    response = browser.get(address(talent, query))
    assert response.status_code == 200
    return response.content.decode()


def test_the_tab_shows_every_number_with_where_it_is_from(
    alice_browser: Client, jane: Talent, account: Make
) -> None:
    row = account(jane, handle="jane", followers=1000, source="instagram_business_discovery")
    now = timezone.now()
    post(row, posted_at=now - timedelta(days=2), likes=90, comments=10, views=2000, caption="Soup")
    post(row, posted_at=now - timedelta(days=3), likes=None, views=4000)
    for ago, followers in ((29, 800), (1, 990), (0, 1000)):
        point(row, now.date() - timedelta(days=ago), followers)
    told = shown(alice_browser, jane, "?days=30")
    assert "Sum over 1 account" in told
    assert "calculated by Greenroom" in told
    assert "1 of 2 posts, 1 with hidden likes, without shares and saves" in told
    assert "Instagram Graph API" in told
    assert "median 3.00K, 2 posts" in told
    assert "+200" in told
    assert "+25.0%" in told
    assert "with 1 gap" in told  # nothing was read between the month before and yesterday
    assert "Soup" in told
    assert "cdn" not in told
    assert "Unusual moves" in told


def test_engagement_is_never_one_number_for_two_platforms(
    alice_browser: Client, jane: Talent, account: Make
) -> None:
    for platform, likes in (("INSTAGRAM", 50), ("YOUTUBE", 90)):
        post(
            account(jane, platform),
            posted_at=timezone.now() - timedelta(days=1),
            likes=likes,
            comments=0,
            views=1000,
        )
    told = shown(alice_browser, jane)
    assert told.count('class="erow ') == 2
    assert ">5%<" in told
    assert ">9%<" in told


def test_no_account_offers_the_next_step(alice_browser: Client, jane: Talent) -> None:
    assert "No numbers yet" in shown(alice_browser, jane)
    assert "#add" in shown(alice_browser, jane)


def test_a_viewer_is_not_offered_what_only_managers_do(
    victor_browser: Client, jane: Talent
) -> None:
    assert "#add" not in shown(victor_browser, jane)


def test_the_first_sync_shows_boxes_and_polls_faster(
    alice_browser: Client, jane: Talent, account: Make
) -> None:
    account(jane, read=False, sync_status="PENDING", next_attempt_at=timezone.now(),
            last_synced_at=None)  # fmt: skip
    told = shown(alice_browser, jane)
    assert "Reading Instagram." in told
    assert 'data-poll="2"' in told
    assert 'class="sk v"' in told


def test_too_new_for_a_line(alice_browser: Client, jane: Talent, account: Make) -> None:
    point(account(jane), timezone.now().date(), 1000)
    assert "The first point is in" in shown(alice_browser, jane)


def test_partly_failed_wholly_failed_and_stale(
    alice_browser: Client, jane: Talent, account: Make
) -> None:
    fine = account(jane)
    account(jane, "TIKTOK", handle="gone", read=False, sync_status="ERROR",
            error_code="NOT_FOUND", last_synced_at=None)  # fmt: skip
    told = shown(alice_browser, jane)
    assert "Some numbers are behind or missing." in told
    assert "TikTok @gone: not found." in told
    Connection.objects.filter(pk=fine.pk).update(sync_status="ERROR", error_code="PRIVATE_ACCOUNT")
    assert "Every account fails." in shown(alice_browser, jane)
    Connection.objects.filter(pk=fine.pk).update(
        sync_status="READY", error_code="", last_synced_at=timezone.now() - timedelta(days=2)
    )
    Connection.objects.filter(handle="gone").delete()
    assert "No account was read within a day." in shown(alice_browser, jane)
    Connection.objects.filter(pk=fine.pk).delete()
    account(jane, "TIKTOK", handle="gone", read=False, sync_status="ERROR",
            error_code="NOT_FOUND", last_synced_at=None)  # fmt: skip
    assert "Nothing could be read" in shown(alice_browser, jane)


def test_a_poll_answers_204_until_something_moved(
    alice_browser: Client, jane: Talent, account: Make
) -> None:
    row = account(jane)
    page = alice_browser.get(address(jane))
    live = address(jane, f"/live?days=90&version={page.context['version']}")
    assert alice_browser.get(live).status_code == 204
    Profile.objects.filter(pk=row.pk).update(followers=4321)
    moved = alice_browser.get(live)
    assert moved.status_code == 200
    assert "4,321" in moved.content.decode()


@pytest.mark.parametrize("days", ["0", "731", "-3", "soon", "", "9999999999999999999"])
def test_a_senseless_range_is_the_usual_one(
    alice_browser: Client, jane: Talent, account: Make, days: str
) -> None:
    account(jane)
    assert alice_browser.get(address(jane), {"days": days}).context["days"] == 90


def test_the_chart_has_its_table(alice_browser: Client, jane: Talent, account: Make) -> None:
    row = account(jane, handle="jane")
    today = timezone.now().date()
    point(row, today, 1000)
    point(row, today - timedelta(days=1), 900)
    told = shown(alice_browser, jane, "?view=table")
    assert '<th scope="row">' in told
    assert "900" in told
    assert '<svg viewBox="0 0 1000 100"' not in told


def test_views_counted_anew_are_marked_on_the_chart_and_in_the_table(
    alice_browser: Client, jane: Talent, account: Make
) -> None:
    row = account(jane, "YOUTUBE")
    today = timezone.now().date()
    for ago in range(5):
        point(row, today - timedelta(days=ago), 1000)
    row.snapshots.filter(date=today - timedelta(days=2)).update(
        view_definition_before="old", view_definition="new"
    )
    chart = shown(alice_browser, jane)
    assert '<path class="mark"' in chart
    assert chart.count("they are read as new, before as old") == 2  # below the chart, and as flag
    table = shown(alice_browser, jane, "?view=table")
    assert '<td class="note" colspan="2">YouTube views are counted in another way' in table


def test_the_page_costs_the_same_for_any_number_of_posts(
    alice_browser: Client, jane: Talent, make_talent: Callable[..., Talent], account: Make
) -> None:
    other = make_talent("Other")
    post(account(other), posted_at=timezone.now() - timedelta(days=1))
    for platform in ("INSTAGRAM", "TIKTOK", "YOUTUBE"):
        row = account(jane, platform)
        for ago in range(30):
            post(row, posted_at=timezone.now() - timedelta(days=ago))
            point(row, timezone.now().date() - timedelta(days=ago), 1000 + ago)
    shown(alice_browser, jane)  # the roster's medians are kept from now on
    with CaptureQueriesContext(database) as few:
        shown(alice_browser, other, "?days=7")
    with CaptureQueriesContext(database) as many:
        shown(alice_browser, jane, "?days=7")
    assert len(many) == len(few)


# --- export ---


def test_metrics_and_posts_leave_as_csv_and_json_and_no_cell_is_a_formula(
    victor_browser: Client, jane: Talent, account: Make
) -> None:
    row = account(jane, handle="jane")
    post(row, posted_at=timezone.now() - timedelta(days=1), caption='=HYPERLINK("x")', likes=90,
         comments=10)  # fmt: skip
    table = victor_browser.get(address(jane, "/posts.csv?days=7"))
    assert table["Content-Disposition"] == 'attachment; filename="jane-smith-posts-7-days.csv"'
    (line,) = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))
    assert line["caption"] == '\'=HYPERLINK("x")'
    assert (line["likes"], line["shares"], line["engagement_rate"]) == ("90", "", "10.0")
    (told,) = json.loads(victor_browser.get(address(jane, "/metrics.json?days=7")).content)
    assert (told["platform"], told["handle"], told["followers"]) == ("INSTAGRAM", "jane", 1000)
    assert (told["engagement_rate_by_followers"], told["absent_parts"]) == (10.0, "shares saves")
    assert victor_browser.get(address(jane, "/metrics.csv")).status_code == 200
    assert victor_browser.get(address(jane, "/posts.json")).status_code == 200
    assert victor_browser.get(address(jane, "/tokens.csv")).status_code == 404


# --- the roster ---


def test_the_roster_since_yesterday(
    alice_browser: Client, jane: Talent, make_talent: Callable[..., Talent], account: Make
) -> None:
    today = timezone.now().date()
    archived = make_talent("Gone", status="archived")
    for talent, before, now in ((jane, 1000, 1300), (archived, 10, 999_999)):
        row = account(talent)
        point(row, today - timedelta(days=1), before)
        point(row, today, now)
        post(row, posted_at=timezone.now() - timedelta(hours=2))
    told = alice_browser.get("/changes")
    found = told.context["changes"]
    assert (found.accounts, found.up, found.down, found.gained) == (1, 1, 0, 300)
    assert found.new_posts == 1
    assert "Jane Smith" in told.content.decode()
    assert "Unusual" in told.content.decode()


# --- the line ---


def test_a_line_is_broken_at_gaps_and_ends_with_the_last_reading() -> None:
    points = [
        Point(TODAY - timedelta(days=ago), "YOUTUBE", 1, followers)
        for ago, followers in ((9, 100), (8, 110), (5, 120), (2, 130))
    ]
    marks = [Mark(TODAY - timedelta(days=5), "YOUTUBE", 1, "old", "new", "")]
    drawn = band(points, marks, days=10, today=TODAY)
    assert drawn is not None
    assert drawn.line.count("M") == 3
    assert [(gap.x, gap.width) for gap in drawn.gaps] == [("111.1", "333.3"), ("444.4", "333.3")]
    assert drawn.stale is not None
    assert (drawn.stale.x, drawn.stale.width) == ("777.8", "222.2")
    assert [mark.x for mark in drawn.marks] == ["444.4"]
    assert drawn.percent == 30.0


def test_a_flat_line_lies_in_the_middle_and_one_point_is_none() -> None:
    flat = [Point(TODAY - timedelta(days=ago), "TIKTOK", 1, 5) for ago in (1, 0)]
    drawn = band(flat, [], days=7, today=TODAY)
    assert drawn is not None
    assert drawn.line == "M0 50L1000 50"
    assert band(flat[:1], [], days=7, today=TODAY) is None
