"""The Social profiles card without a browser: adding, watching, syncing, deleting."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from socials.errors import CAUSES
from socials.models import Connection
from talent.models import Activity, Talent

HTMX = {"HX-Request": "true"}


def profiles(talent: Talent) -> str:
    return f"/talent/{talent.pk}/profiles"


def live_address(page: str) -> str:
    match = re.search(r'hx-get="(/talent/\d+/profiles/live[^"]*)"', page)
    assert match is not None
    return match[1].replace("&amp;", "&")


# --- adding --------------------------------------------------------------------------------------


def test_a_pasted_link_is_enough(alice_browser: Client, jane: Talent) -> None:
    answer = alice_browser.post(
        profiles(jane),
        {"url": "https://www.youtube.com/@JaneSmith/videos", "platform": "INSTAGRAM"},
    )
    assert answer.status_code == 302
    row = Connection.objects.get()
    assert (row.platform, row.handle, row.sync_status) == ("YOUTUBE", "JaneSmith", "PENDING")
    page = alice_browser.get(profiles(jane)).content.decode()
    assert "@JaneSmith added" in page
    assert "Pending" in page


def test_adding_by_htmx_answers_with_the_new_list_an_empty_form_and_a_quick_poll(
    alice_browser: Client, jane: Talent
) -> None:
    answer = alice_browser.post(
        profiles(jane), {"platform": "TIKTOK", "handle": "@janesmith"}, headers=HTMX
    )
    part = answer.content.decode()
    assert 'id="connections" hx-swap-oob="true"' in part
    assert 'id="add-form" hx-swap-oob="true"' in part
    assert "every 2s" in part
    assert json.loads(answer["HX-Trigger"])["toast"]["text"] == "@janesmith added"
    assert 'name="handle" value=""' in part


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"platform": "INSTAGRAM", "handle": ""}, "Type a handle"),
        ({"platform": "INSTAGRAM", "handle": "jane smith"}, "space"),
        ({"platform": "INSTAGRAM", "url": "https://example.com/jane"},
         "This link isn&#x27;t from Instagram, TikTok, YouTube, X or LinkedIn."),
        ({"platform": "INSTAGRAM", "url": "jane"}, "This isn&#x27;t a link."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("headers", [HTMX, {}])
def test_what_is_wrong_stands_under_its_field(
    alice_browser: Client, jane: Talent, sent: dict[str, str], said: str, headers: dict[str, str]
) -> None:
    answer = alice_browser.post(profiles(jane), sent, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert 'aria-invalid="true"' in page
    assert not Connection.objects.exists()


def test_what_was_typed_is_still_there_and_is_not_markup(
    alice_browser: Client, jane: Talent
) -> None:
    answer = alice_browser.post(profiles(jane), {"platform": "TIKTOK", "handle": '"><script>x'})
    page = answer.content.decode()
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
    assert '<option value="TIKTOK" selected>' in page


def test_the_same_account_twice_points_to_the_list(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    account(jane, "INSTAGRAM", "janesmith")
    answer = alice_browser.post(
        profiles(jane), {"platform": "INSTAGRAM", "handle": "JaneSmith"}, headers=HTMX
    )
    assert "Jane already has this profile" in answer.content.decode()
    assert Connection.objects.count() == 1


def test_a_pasted_link_fills_in_platform_and_handle(alice_browser: Client, jane: Talent) -> None:
    part = alice_browser.get(
        f"{profiles(jane)}/check",
        {"url": "https://m.tiktok.com/@jane.smith?lang=en", "changed": "url"},
        headers=HTMX,
    ).content.decode()
    assert "Recognised: TikTok, @jane.smith" in part
    assert '<option value="TIKTOK" selected>' in part
    assert 'name="handle" value="@jane.smith"' in part
    assert 'id="f-url"' not in part  # what the person types in is never swapped


def test_a_handle_is_judged_before_it_is_sent(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    account(jane, "INSTAGRAM", "janesmith")
    check = f"{profiles(jane)}/check"

    def said(handle: str) -> str:
        query = {"platform": "INSTAGRAM", "handle": handle, "changed": "handle"}
        return alice_browser.get(check, query, headers=HTMX).content.decode()

    assert 'aria-invalid="true"' in said("jane smith")
    assert "Jane already has this profile" in said("@JANESMITH")
    assert "aria-invalid" not in said("jane.cooks")
    assert "aria-invalid" not in said("")


def test_a_link_only_network_is_kept_and_never_synced(alice_browser: Client, jane: Talent) -> None:
    alice_browser.post(profiles(jane), {"url": "https://www.linkedin.com/in/jane-smith/"})
    page = alice_browser.get(profiles(jane)).content.decode()
    assert "Link only" in page
    assert "Kept as a link" in page
    assert "Sync now" not in page


# --- watching ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_every_cause_is_told_in_plain_words(
    alice_browser: Client, jane: Talent, failing: Callable[..., Connection], code: str
) -> None:
    failing(jane, code, platform="TIKTOK")
    page = alice_browser.get(profiles(jane)).content.decode()
    words = {"P": "TikTok", "h": "@janesmith", "T": "Jane"}
    for text in (CAUSES[code].title, CAUSES[code].sentence):
        assert text.format(**words).replace("'", "&#x27;") in page
    assert "{P}" not in page
    word = "Reconnect" if code in {"REAUTH_REQUIRED", "PERMISSION_MISSING"} else "Error"
    assert f">{word}</span>" in page.replace("</svg>", ">")


def test_a_number_never_disappears_while_it_is_read_again(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    now = timezone.now()
    account(jane, sync_status="SYNCING", lease_owner="w", lease_expires_at=now + timedelta(hours=1),
            followers=842_306)  # fmt: skip
    page = alice_browser.get(profiles(jane)).content.decode()
    assert "842,306" in page
    assert 'aria-busy="true"' in page
    assert "Attempt 1 of 3" in page


def test_a_wait_shows_attempt_cause_and_the_next_try(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    account(jane, sync_status="PENDING", error_code="PLATFORM_UNAVAILABLE", attempt=2,
            next_attempt_at=timezone.now() + timedelta(minutes=4))  # fmt: skip
    page = alice_browser.get(profiles(jane)).content.decode()
    assert "Attempt 2 of 3" in page
    assert "Next try in 4 min" in page
    assert "Instagram isn&#x27;t answering." in page
    assert 'aria-disabled="true"' in page


def test_a_sync_whose_time_has_come_is_due(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    account(jane, next_refresh_at=timezone.now() - timedelta(seconds=1))
    assert "Due now" in alice_browser.get(profiles(jane)).content.decode()


def test_a_setting_that_is_missing_is_named(
    alice_browser: Client, jane: Talent, failing: Callable[..., Connection]
) -> None:
    failing(jane, "NOT_CONFIGURED", platform="YOUTUBE",
            sync_error="YouTube isn't set up yet. YOUTUBE_API_KEY is not set.")  # fmt: skip
    page = alice_browser.get(profiles(jane)).content.decode()
    assert "YOUTUBE_API_KEY is not set." in page
    assert page.count("isn&#x27;t set up yet.") == 1


def test_unknown_is_a_dash_and_hidden_is_said(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane, followers=None)
    page = alice_browser.get(profiles(jane)).content.decode()
    assert re.search(r"Followers </span>\s*—", page)
    row.profile = None
    from socials.models import Profile

    Profile.objects.create(connection=row, quality={"followers": "hidden"}, source="t",
                           fetched_at=timezone.now())  # fmt: skip
    assert ">Hidden</span>" in alice_browser.get(profiles(jane)).content.decode()


def test_the_poll_is_empty_until_something_changes(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane)
    page = alice_browser.get(profiles(jane)).content.decode()
    assert "every 10s" in page
    address = live_address(page)
    unchanged = alice_browser.get(address, headers=HTMX)
    assert (unchanged.status_code, unchanged.content) == (204, b"")
    Connection.objects.filter(pk=row.pk).request(trigger="manual", priority=0)
    part = alice_browser.get(address, headers=HTMX).content.decode()
    assert f'id="conn-{row.pk}-state" hx-swap-oob="true"' in part
    assert "Pending" in part
    assert "every 2s" in part
    assert 'class="confirm"' not in part  # an open confirmation survives
    assert 'id="add-form"' not in part  # and so does a half-typed form


def test_the_poll_brings_accounts_that_others_added(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    account(jane)
    address = live_address(alice_browser.get(profiles(jane)).content.decode())
    account(jane, "TIKTOK", "janesmith")
    part = alice_browser.get(address, headers=HTMX).content.decode()
    assert 'id="connections" hx-swap-oob="true"' in part


def test_an_unchanged_poll_is_three_queries(
    alice_browser: Client,
    jane: Talent,
    account: Callable[..., Connection],
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(10):
        account(jane, handle=f"jane{number}")
    address = live_address(alice_browser.get(profiles(jane)).content.decode())
    with django_assert_max_num_queries(3):
        assert alice_browser.get(address, headers=HTMX).status_code == 204


@pytest.mark.parametrize("tab", ["", "/profiles", "/activity"])
def test_a_talent_with_thirty_accounts_costs_as_many_queries_as_with_one(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection], tab: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as asked:
            assert alice_browser.get(f"/talent/{jane.pk}{tab}").status_code == 200
        return len(asked)

    account(jane)
    one = queries()
    for number in range(30):
        account(jane, handle=f"jane{number}")
    assert queries() == one


# --- acting --------------------------------------------------------------------------------------


def test_sync_now_queues_and_shows_it_at_once(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane)
    answer = alice_browser.post(f"/connection/{row.pk}/sync", headers=HTMX)
    assert f'id="conn-{row.pk}-state" hx-swap-oob="true"' in answer.content.decode()
    assert json.loads(answer["HX-Trigger"])["toast"]["text"] == "@janesmith queued for sync"
    row.refresh_from_db()
    assert row.sync_status == "PENDING"


def test_without_javascript_sync_now_comes_back_to_the_page(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane)
    answer = alice_browser.post(f"/connection/{row.pk}/sync", follow=True)
    assert answer.redirect_chain == [(profiles(jane), 302)]
    assert "@janesmith queued for sync" in answer.content.decode()


def test_sync_now_of_a_talent_leaves_out_what_is_queued(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    account(jane)
    account(jane, "TIKTOK", "janesmith")
    address = f"/talent/{jane.pk}/sync"
    first = alice_browser.post(address, headers=HTMX)
    assert json.loads(first["HX-Trigger"])["toast"]["text"] == "2 profiles queued for sync"
    again = alice_browser.post(address, headers=HTMX)
    assert json.loads(again["HX-Trigger"])["toast"]["text"] == "Everything is queued already"


def test_deleting_asks_first_even_without_javascript(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane)
    page = alice_browser.get(profiles(jane)).content.decode()
    assert f'href="?delete={row.pk}#conn-{row.pk}"' in page
    assert re.search(rf'id="confirm-{row.pk}"[^>]* hidden>', page)
    asked = alice_browser.get(f"{profiles(jane)}?delete={row.pk}").content.decode()
    assert not re.search(rf'id="confirm-{row.pk}"[^>]* hidden>', asked)
    assert "Delete @janesmith?" in asked
    alice_browser.post(f"/connection/{row.pk}/delete")
    assert not Connection.objects.exists()
    assert Activity.objects.filter(action="connection.disconnected").count() == 1


def test_deleting_by_htmx_answers_with_the_list_and_puts_the_focus_on_it(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane)
    answer = alice_browser.post(f"/connection/{row.pk}/delete", headers=HTMX)
    assert "No profiles yet" in answer.content.decode()
    assert json.loads(answer["HX-Trigger-After-Settle"]) == {"focusOn": {"selector": "#h-conn"}}
    assert alice_browser.post(f"/connection/{row.pk}/delete", headers=HTMX).status_code == 404


def test_correcting_a_handle_takes_the_place_of_an_account_that_was_never_read(
    alice_browser: Client, jane: Talent, failing: Callable[..., Connection]
) -> None:
    row = failing(jane, "NOT_FOUND", platform="YOUTUBE", handle="JaneSmit", last_synced_at=None)
    page = alice_browser.get(profiles(jane)).content.decode()
    assert f'href="{profiles(jane)}?correct={row.pk}#add"' in page
    assert "Search YouTube" in page
    form = alice_browser.get(f"{profiles(jane)}?correct={row.pk}").content.decode()
    assert 'name="handle" value="@JaneSmit"' in form
    alice_browser.post(
        profiles(jane), {"platform": "YOUTUBE", "handle": "@JaneSmith", "correcting": row.pk}
    )
    assert [row.handle for row in Connection.objects.all()] == ["JaneSmith"]


def test_correcting_a_handle_keeps_an_account_that_holds_numbers(
    alice_browser: Client, jane: Talent, failing: Callable[..., Connection]
) -> None:
    row = failing(jane, "NOT_FOUND", platform="YOUTUBE", handle="JaneSmit")
    answer = alice_browser.post(
        profiles(jane),
        {"platform": "YOUTUBE", "handle": "@JaneSmith", "correcting": row.pk},
        follow=True,
    )
    assert Connection.objects.count() == 2
    assert "keeps its history" in answer.content.decode()


def test_another_talents_account_can_not_be_corrected_away(
    alice_browser: Client,
    jane: Talent,
    make_talent: Callable[..., Talent],
    failing: Callable[..., Connection],
) -> None:
    other = failing(make_talent("Bo Blake"), "NOT_FOUND", handle="bo", last_synced_at=None)
    alice_browser.post(
        profiles(jane), {"platform": "INSTAGRAM", "handle": "jane", "correcting": other.pk}
    )
    assert Connection.objects.filter(pk=other.pk).exists()


def test_codes_are_one_click_away_and_plain_words_are_not(
    alice_browser: Client, jane: Talent, failing: Callable[..., Connection]
) -> None:
    failing(jane, "NOT_FOUND", sync_error="We can't find this account. A personal one looks alike.")
    failing(jane, "BAD_RESPONSE", platform="TIKTOK", sync_error="TikTok answered HTTP 418")
    page = alice_browser.get(profiles(jane)).content.decode()
    assert "may have changed. A personal one looks alike.</p>" in page
    assert "What was said</summary>TikTok answered HTTP 418</details>" in page


@pytest.mark.parametrize("code", ["PRIVATE_ACCOUNT", "UNSUPPORTED_ACCOUNT", "BLOCKED"])
def test_where_only_the_talent_can_open_an_account_the_next_step_is_to_invite(
    alice_browser: Client,
    victor_browser: Client,
    jane: Talent,
    failing: Callable[..., Connection],
    platform_settings: dict[str, str],
    code: str,
) -> None:
    failing(jane, code)
    link = f'href="{profiles(jane)}#invite"'
    assert link in alice_browser.get(profiles(jane)).content.decode()
    assert link not in victor_browser.get(profiles(jane)).content.decode()


def test_what_a_platform_said_is_not_said_twice(
    alice_browser: Client, jane: Talent, failing: Callable[..., Connection]
) -> None:
    failing(jane, "PRIVATE_ACCOUNT", sync_error="This account is private. The account is private.")
    page = alice_browser.get(profiles(jane)).content.decode()
    assert page.count("is private") == 1
