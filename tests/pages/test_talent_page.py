"""Adding, editing, archiving and deleting a talent; its overview and its past."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from socials import connections, kits
from socials.models import Connection, Platform, Post, Snapshot, SyncRun
from talent.models import Activity, Talent, User


def ran(row: Connection, *, hours: float, outcome: str = "ready", code: str = "") -> None:
    end = timezone.now().replace(hour=12, minute=0) - timedelta(hours=hours)
    SyncRun.objects.create(
        connection=row, platform=row.platform, trigger="schedule", sync_version=1, attempt=1,
        started_at=end - timedelta(seconds=2), finished_at=end, duration_ms=1900,
        outcome=outcome, error_code=code, posts_new=3,
    )  # fmt: skip


def test_a_talent_is_added_and_the_next_step_is_its_first_profile(
    alice_browser: Client, alice: User
) -> None:
    answer = alice_browser.post(
        "/talent/new",
        {"name": "Mila Okafor", "tags": "Food, Travel", "email": "", "manager": str(alice.pk)},
        follow=True,
    )
    talent = Talent.objects.get()
    assert answer.redirect_chain == [(f"/talent/{talent.pk}/profiles", 302)]
    assert (talent.tags, talent.manager) == (["Food", "Travel"], alice)
    assert "Mila Okafor is on the roster" in answer.content.decode()


def test_what_is_wrong_with_a_talent_stands_at_its_field_and_nothing_is_lost(
    alice_browser: Client,
) -> None:
    answer = alice_browser.post("/talent/new", {"name": " ", "email": "mila@", "bio": "Bread"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Give a name, like Jane Smith." in page
    assert "isn&#x27;t an e-mail address" in page
    assert ">Bread</textarea>" in page
    assert page.count('aria-invalid="true"') == 2
    assert not Talent.objects.exists()


def test_editing_keeps_what_was_there_and_the_log_shows_old_and_new(
    alice_browser: Client, jane: Talent
) -> None:
    form = alice_browser.get(f"/talent/{jane.pk}/settings").content.decode()
    assert 'name="tags" value="food, travel"' in form
    alice_browser.post(
        f"/talent/{jane.pk}/settings",
        {"name": "Jane Stone", "tags": "food", "email": jane.email, "timezone": "Europe/Berlin"},
    )
    jane.refresh_from_db()
    assert (jane.name, jane.timezone) == ("Jane Stone", "Europe/Berlin")
    past = alice_browser.get(f"/talent/{jane.pk}/activity").content.decode()
    assert "<b>Alice Archer</b> edited the profile" in past
    assert "<del>Jane Smith</del><ins>Jane Stone</ins>" in past


def test_activity_of_one_profile_leaves_out_the_others(
    alice_browser: Client, alice: User, jane: Talent
) -> None:
    for platform in (Platform.INSTAGRAM, Platform.TIKTOK):
        connections.connect(jane, platform, handle="jane", actor=alice)
    one = jane.connections.get(platform=Platform.INSTAGRAM)
    address = f"/talent/{jane.pk}/activity"
    assert f'<option value="{one.pk}">' in alice_browser.get(address).content.decode()
    past = alice_browser.get(address, {"profile": one.pk}).content.decode()
    assert f'<option value="{one.pk}" selected>' in past
    assert "added Instagram jane" in past
    assert "added TikTok jane" not in past
    assert f"?show=problems&amp;profile={one.pk}" in past
    strange = alice_browser.get(address, {"profile": "x"}).content.decode()
    assert "added Instagram jane" in strange
    assert "added TikTok jane" in strange


def test_archiving_and_restoring(alice_browser: Client, jane: Talent) -> None:
    alice_browser.post(f"/talent/{jane.pk}/archive", follow=True)
    assert "Jane Smith" not in alice_browser.get("/").content.decode()
    assert "Restore" in alice_browser.get(f"/talent/{jane.pk}").content.decode()
    alice_browser.post(f"/talent/{jane.pk}/restore", follow=True)
    assert "Jane Smith" in alice_browser.get("/").content.decode()


def test_deleting_needs_the_name_typed_out(alice_browser: Client, jane: Talent) -> None:
    refused = alice_browser.post(f"/talent/{jane.pk}/delete", {"confirm": "Jane"})
    assert refused.status_code == 422
    assert "Type the whole name, Jane Smith, to delete." in refused.content.decode()
    alice_browser.post(f"/talent/{jane.pk}/delete", {"confirm": "Jane Smith"})
    assert not Talent.objects.exists()


def test_a_user_is_linked_by_name_or_address_and_a_wrong_one_is_told_with_all_else(
    alice_browser: Client, jane: Talent, tilda: User
) -> None:
    address = f"/talent/{jane.pk}/settings"
    typed = {"name": jane.name, "timezone": "UTC"}
    refused = alice_browser.post(
        address, {**typed, "email": "jane@", "timezone": "Mars", "linked_user": "nobody"}
    )
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "There is no user with the name or e-mail “nobody”. Give a user name, like jane." in page
    assert "Choose one like Europe/Berlin." in page
    assert page.count('aria-invalid="true"') == 3
    assert '<option value="Europe/Berlin">' in page
    alice_browser.post(address, {**typed, "linked_user": tilda.email.upper()})
    jane.refresh_from_db()
    assert jane.linked_user == tilda
    assert f'value="{tilda.username}"' in alice_browser.get(address).content.decode()
    alice_browser.post(address, {**typed, "linked_user": ""})
    jane.refresh_from_db()
    assert jane.linked_user is None


def test_a_manager_erases_a_person_everywhere(
    alice_browser: Client, victor_browser: Client, jane: Talent
) -> None:
    form = {"confirm": "Jane Smith", "erase": "1"}
    assert victor_browser.post(f"/talent/{jane.pk}/delete", form).status_code == 403
    alice_browser.post(f"/talent/{jane.pk}/settings", {"name": "Jane Smith", "tags": "new"})
    done = alice_browser.post(f"/talent/{jane.pk}/delete", form, follow=True)
    assert f"Talent {jane.pk} is erased everywhere" in done.content.decode()
    assert not Talent.objects.exists()
    assert not Activity.objects.filter(object="Jane Smith").exists()


@pytest.mark.parametrize("tab", ["", "/profiles", "/activity", "/settings"])
def test_a_talent_with_many_accounts_costs_as_many_queries_as_one_with_one(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection], tab: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as asked:
            alice_browser.get(f"/talent/{jane.pk}{tab}")
        return len(asked)

    def add(number: int) -> None:
        row = account(jane, "INSTAGRAM", f"jane{number}")
        Post.objects.create(connection=row, external_id=str(number), kind="VIDEO", source="t",
                            posted_at=timezone.now(), fetched_at=timezone.now())  # fmt: skip

    add(0)
    queries()  # figures that are kept for a while are there now
    one = queries()
    for number in range(1, 12):
        add(number)
    queries()
    assert queries() == one
    assert one <= 20


def test_the_overview_adds_followers_and_says_that_it_did(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane, "INSTAGRAM", "jane", followers=1_200_000)
    account(jane, "TIKTOK", "jane", followers=34_000)
    Post.objects.create(connection=row, external_id="1", kind="VIDEO", caption="<b>Bread</b>",
                        url="https://www.instagram.com/p/1/", likes=88_400, views=None,
                        posted_at=timezone.now(), source="t", fetched_at=timezone.now())  # fmt: skip
    page = alice_browser.get(f"/talent/{jane.pk}").content.decode()
    assert "1.23M" in page
    assert "Sum over 2 platforms, calculated by Greenroom" in page
    assert "&lt;b&gt;Bread&lt;/b&gt;" in page
    assert "88.4K" in page


def test_the_overviews_poll_brings_every_tile_with_its_growth(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane, "INSTAGRAM", "jane", followers=1_100)
    account(jane, "TIKTOK", "jane", followers=34_000)
    month_ago = timezone.now() - timedelta(days=30)
    Snapshot.objects.create(
        connection=row, date=month_ago, followers=1_000, source="t", taken_at=month_ago
    )
    address = f"/talent/{jane.pk}/profiles/live?part=overview&version=old"
    tiles = alice_browser.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "Sum over 2 platforms" in tiles
    assert "1,100 followers" in tiles
    assert '<span class="up">+10.0%</span> in 30 days' in tiles
    assert tiles.count("in 30 days") == 1  # TikTok's is unknown, so the sum's is too


def test_good_syncs_of_a_day_are_one_line_and_problems_stand_alone(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane)
    for hours in (1, 2, 3):
        ran(row, hours=hours)
    ran(row, hours=4, outcome="error", code="RATE_LIMITED")
    page = alice_browser.get(f"/talent/{jane.pk}/activity").content.decode()
    assert "2 earlier good syncs that day" in page
    assert "Instagram asked us to slow down." in page
    assert "3 of 4 syncs" in page
    problems = alice_browser.get(f"/talent/{jane.pk}/activity?show=problems").content.decode()
    assert "synced in" not in problems
    assert "failed on attempt 1" in problems


def test_the_sync_dashboard_tells_queue_causes_and_runs(
    alice_browser: Client,
    jane: Talent,
    account: Callable[..., Connection],
    failing: Callable[..., Connection],
) -> None:
    row = account(jane)
    ran(row, hours=0)
    failing(jane, "PRIVATE_ACCOUNT", platform="TIKTOK", handle="jane")
    page = alice_browser.get("/sync").content.decode()
    assert "Private account" in page
    assert "No worker is running" in page
    assert "Recent runs" in page
    part = alice_browser.get("/sync", headers={"HX-Request": "true"}).content.decode()
    assert 'id="sync-numbers" hx-swap-oob="true"' in part
    assert "<html" not in part


def test_refreshing_the_photo_without_a_picture_says_that_initials_stay(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    account(jane)
    answer = alice_browser.post(f"/talent/{jane.pk}/photo", headers={"HX-Request": "true"})
    assert 'id="header-photo" hx-swap-oob="true"' in answer.content.decode()
    told = json.loads(answer["HX-Trigger"])["toast"]
    assert told == {"text": "No profile photo found. Initials stay.", "kind": "ready"}


def test_a_picture_on_somebody_elses_server_is_not_asked_for(
    alice_browser: Client, make_talent: Callable[..., Talent]
) -> None:
    make_talent("Jane", profile_image_url="https://cdn.example/jane.jpg",
                profile_image_source="instagram")  # fmt: skip
    page = alice_browser.get("/").content.decode()
    assert "cdn.example" not in page
    assert 'class="initials' in page


def test_a_number_beyond_all_numbers_counts_as_not_given(
    alice_browser: Client, jane: Talent
) -> None:
    endless = "9" * 5_000
    typed = {"name": "Ada Byron", "manager": endless}
    made = alice_browser.post(reverse("talent-new"), typed)
    assert made.status_code == 302
    assert Talent.objects.get(name="Ada Byron").manager_id is None
    profiles = reverse("talent-profiles", args=[jane.pk])
    added = alice_browser.post(
        profiles, {"platform": "INSTAGRAM", "handle": "jane", "correcting": endless}
    )
    assert added.status_code == 302
    made = alice_browser.post(
        reverse("kit-make", args=[jane.pk]), {"metrics": ["photo"], "days": endless}
    )
    assert made.status_code == 302
    assert kits.current(jane.pk) is not None
