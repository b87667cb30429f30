"""The media kit: its public page, and the staff's card."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from socials import kits
from socials.models import Connection, KitLink, Profile
from socials.models.kit_link import KitMetric
from talent import roster
from talent.models import Talent, User
from tests.intelligence import stage
from tests.intelligence.stage import point, post


@pytest.fixture
def read(jane: Talent, alice: User) -> Connection:
    """Jane with a manager and an account that was read just now."""
    Talent.objects.filter(pk=jane.pk).update(bio="Cooks.", location="Lisbon", manager=alice)
    now = timezone.now()
    row = stage.account(jane, handle="janecooks", followers=1234, last_synced_at=now)
    Profile.objects.filter(pk=row.pk).update(fetched_at=now)
    post(row, posted_at=now - timedelta(days=2), caption="Soup of the day", likes=100)
    for ago, followers in ((30, 1000), (1, 1200), (0, 1234)):
        point(row, now.date() - timedelta(days=ago), followers)
    return row


def opened(token: str, **more: Any) -> Any:
    return Client().get(f"/kit/{token}", **more)


def test_a_kit_shows_what_was_chosen_and_nothing_else(jane: Talent, read: Connection) -> None:
    link = kits.create(jane, metrics=["followers", "bestPosts"])
    told = opened(link.token).content.decode()
    assert "Jane Smith" in told
    assert "1.23K" in told
    assert "Soup of the day" in told
    for hidden in ("Cooks.", "Lisbon", "Alice", "alice@", "jane@talent.example", "Posts per week",
                   "k-growth", "<dt>Engagement", "og:image"):  # fmt: skip
        assert hidden not in told


def test_without_followers_no_number_of_them_leaks(jane: Talent, read: Connection) -> None:
    told = opened(kits.create(jane, metrics=["engagementRate"]).token).content.decode()
    assert "Engagement by followers" in told
    assert "1.23K" not in told
    assert "1,234" not in told


def test_the_order_of_the_choice_is_the_order_of_the_page(jane: Talent, read: Connection) -> None:
    metrics = ["bestPosts", "postsPerWeek", "followers", "engagementRate", "history"]
    told = opened(kits.create(jane, metrics=metrics).token).content.decode()
    places = [told.index(mark) for mark in ("k-posts", "<dt>Posts per week", "<dt>Engagement",
                                            "k-growth")]  # fmt: skip
    assert places == sorted(places)


def test_all_of_it_with_as_of_tags_for_sharing_and_no_index(jane: Talent, read: Connection) -> None:
    Talent.objects.filter(pk=jane.pk).update(profile_image_url="/media/photos/ab/x-512.webp")
    response = opened(kits.create(jane, metrics=KitMetric.values).token)
    told = response.content.decode()
    for mark in ("As of ", "Updated just now", "Cooks.", "Lisbon", "Email Alice", "+23.4%",
                 'property="og:title"', 'property="og:image"', 'name="robots" content="noindex"',
                 "by followers"):  # fmt: skip
        assert mark in told
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "http://127.0.0.1:8000/media/photos/ab/x-512.webp" in told
    assert "cdninstagram" not in told


def test_a_link_that_ended_in_any_way_is_404(jane: Talent, read: Connection, alice: User) -> None:
    token = kits.create(jane).token
    assert opened(token).status_code == 200
    again = kits.create(jane)
    assert opened(token).status_code == 404  # replaced
    kits.revoke(jane, actor=alice)
    assert opened(again.token).status_code == 404
    late = kits.create(jane)
    KitLink.objects.filter(pk=late.pk).update(expires_at=timezone.now())
    assert opened(late.token).status_code == 404
    archived = kits.create(jane)
    roster.archive(jane.pk, actor=alice)
    assert opened(archived.token).status_code == 404
    assert opened("guess").status_code == 404
    assert opened("%00").status_code == 404


def test_the_kit_is_always_current_and_304_while_nothing_moved(
    jane: Talent, read: Connection
) -> None:
    token = kits.create(jane).token
    etag = opened(token)["ETag"]
    assert opened(token, HTTP_IF_NONE_MATCH=etag).status_code == 304
    Profile.objects.filter(pk=read.pk).update(followers=4_500_000)
    fresh = opened(token, HTTP_IF_NONE_MATCH=etag)
    assert fresh.status_code == 200
    assert "4.50M" in fresh.content.decode()
    read.delete()
    assert "4.50M" not in opened(token).content.decode()


def test_views_of_strangers_are_counted_and_those_of_staff_are_not(
    jane: Talent, read: Connection, alice_browser: Client
) -> None:
    link = kits.create(jane)
    opened(link.token)
    opened(link.token)
    Client().head(f"/kit/{link.token}")
    alice_browser.get(f"/kit/{link.token}")
    link.refresh_from_db()
    assert link.views == 2
    assert link.last_viewed_at is not None


def test_too_many_views_from_one_address_are_asked_to_wait(jane: Talent, read: Connection) -> None:
    token = kits.create(jane).token
    answers = [opened(token) for _ in range(60)]
    assert {answer.status_code for answer in answers} == {200}
    # A drop comes back each second, so a slow machine may get a few more.
    busy = next(
        answer for answer in (opened(token) for _ in range(120)) if answer.status_code == 429
    )
    assert int(busy["Retry-After"]) >= 1


def test_the_token_stands_nowhere_in_the_database(jane: Talent) -> None:
    token = kits.create(jane).token
    with database.cursor() as cursor:
        cursor.execute("SELECT token, token_hash FROM socials_kit_link")
        (row,) = cursor.fetchall()
    assert token not in str(row)


# --- the staff's card ---


def test_staff_make_a_kit_with_choices_in_their_order_and_turn_it_off(
    alice_browser: Client, jane: Talent, read: Connection
) -> None:
    address = f"/talent/{jane.pk}/kit"
    form = {"metrics": ["followers", "bestPosts", "nonsense"], "place-followers": "2",
            "place-bestPosts": "1", "days": "30"}  # fmt: skip
    assert alice_browser.post(address, form).status_code == 302
    link = KitLink.objects.get()
    assert link.metrics == ["bestPosts", "followers"]
    assert timedelta(days=29) < link.expires_at - timezone.now() <= timedelta(days=30)
    page = alice_browser.get(f"/talent/{jane.pk}/intelligence").content.decode()
    assert link.url in page
    assert "Not opened yet" in page
    assert alice_browser.post(f"{address}/off").status_code == 302
    assert kits.current(jane.pk) is None
    assert "no open link" in alice_browser.get(f"/talent/{jane.pk}/intelligence").content.decode()


def test_a_kit_of_nothing_is_refused_in_words(alice_browser: Client, jane: Talent) -> None:
    answer = alice_browser.post(f"/talent/{jane.pk}/kit", {"days": "30"})
    assert "Choose at least one" in str(next(iter(get_messages(answer.wsgi_request))))
    assert not KitLink.objects.exists()


def test_a_viewer_sees_the_link_and_can_neither_make_nor_end_it(
    victor_browser: Client, jane: Talent
) -> None:
    link = kits.create(jane)
    page = victor_browser.get(f"/talent/{jane.pk}/intelligence").content.decode()
    assert link.url in page
    assert "Turn off" not in page
    for action in ("kit", "kit/off"):
        assert victor_browser.post(f"/talent/{jane.pk}/{action}").status_code == 403
    assert kits.current(jane.pk) == link


def test_a_new_link_replaces_the_talents_own_alone(
    jane: Talent, make_talent: Callable[..., Talent]
) -> None:
    other = kits.create(make_talent("Other"))
    for _ in range(3):
        kits.create(jane)
    assert KitLink.objects.filter(talent=jane, revoked_at=None).count() == 1
    assert kits.current(other.talent_id) == other
