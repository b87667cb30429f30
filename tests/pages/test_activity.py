"""Who did what over the whole house: filters, pages, and the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from django.test import Client

from socials import connections
from talent import roster
from talent.activity import record
from talent.models import Talent, User


def exported(browser: Client, query: str = "") -> list[dict[str, str]]:
    answer: Any = browser.get(f"/activity.csv{query}")
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_page_tells_who_did_what_to_whom(
    victor_browser: Client, alice: User, jane: Talent
) -> None:
    connections.connect(jane, "INSTAGRAM", handle="janesmith", actor=alice)
    roster.update(jane.pk, actor=alice, bio="Cooks")
    record("grant.ended", talent_id=jane.pk, object="YouTube jane")
    page = victor_browser.get("/activity").content.decode()
    assert "<b>Alice Archer</b> added Instagram janesmith" in page
    assert "<ins>Cooks</ins>" in page
    assert "<b>Greenroom</b>" in page
    assert page.count(f'href="/talent/{jane.pk}/activity">Jane Smith</a>') == 3


def test_filters_narrow_the_page_and_the_file_alike(
    alice_browser: Client, alice: User, ruth: User, make_talent: Callable[..., Talent]
) -> None:
    jane, omar = make_talent("Jane Smith"), make_talent("Omar Haddad")
    record("talent.updated", actor=alice, talent_id=jane.pk, object="Jane Smith")
    record("talent.updated", actor=ruth, talent_id=omar.pk, object="Omar Haddad")
    record("batch.started", object="sync batch")
    for query, found in (
        ("", 3),
        ("?talent=omar", 1),
        (f"?actor={alice.pk}", 1),
        ("?actor=system", 1),
        ("?action=talent", 2),
        (f"?action=talent&actor={ruth.pk}&talent=jane", 0),
        ("?actor=nonsense&action=%00&talent=%00", 3),
    ):
        assert len(exported(alice_browser, query)) == found, query
        page = alice_browser.get(f"/activity{query}").content.decode()
        assert page.count('<div class="ev') == found, query
    assert "No entry fits" in alice_browser.get("/activity?talent=nobody").content.decode()


def test_no_cell_of_the_file_is_a_formula(alice_browser: Client, alice: User) -> None:
    evil = '=HYPERLINK("https://evil.example","x")'
    alice.first_name = "@SUM(1)"
    alice.save()
    record("talent.updated", actor=alice, object=evil, details={"a": evil})
    [row] = exported(alice_browser)
    assert row["object"] == f"'{evil}"
    assert row["actor"].startswith("'@SUM(1)")
    assert not any(cell[:1] in set("=+-@\t\r") for cell in row.values())


def test_older_entries_are_a_page_away_and_cost_the_same(
    alice_browser: Client, alice: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(130):
        record("talent.updated", actor=alice, object=f"Number {number}")
    seen = 0
    url: str | None = "/activity"
    while url:
        with django_assert_max_num_queries(16):
            page = alice_browser.get(url).content.decode()
        seen += page.count('<div class="ev')
        url = None
        if "Older<" in page:
            query = page.split('">Older')[0].rpartition('href="')[2]
            url = "/activity" + query.replace("&amp;", "&")
    assert seen == 130
    assert alice_browser.get("/activity?cursor=garbage").status_code == 200


def test_hostile_names_are_told_as_text(alice_browser: Client, alice: User) -> None:
    record("talent.updated", actor=alice, object="<script>alert(1)</script>")
    record("odd.thing", actor=alice, object="<img src=x onerror=alert(1)>")
    page = alice_browser.get("/activity").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_strangers_and_talents_do_not_see_it(tilda_browser: Client) -> None:
    for address in ("/activity", "/activity.csv"):
        assert tilda_browser.get(address).status_code == 403
        assert Client().get(address).status_code == 302
