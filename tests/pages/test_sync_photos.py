"""The sync dashboard on photos: how refreshes ended, why some failed, how old photos are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from socials.images.statistics import photo_stats
from socials.models import Connection, Photo, PhotoRun
from talent.models import Talent

pytestmark = pytest.mark.django_db


def run(outcome: str, cause: str = "", *, days: float = 0) -> None:
    row = PhotoRun.objects.create(talent_id=1, outcome=outcome, cause=cause)
    PhotoRun.objects.filter(pk=row.pk).update(at=timezone.now() - timedelta(days=days))


def shown(talent: Talent, platform: str, *, hours: float) -> None:
    now = timezone.now()
    handle = f"{platform}{talent.pk}"
    row = Connection.objects.create(
        talent=talent, platform=platform, handle=handle, handle_key=handle.lower(),
        profile_url="https://example.com/", sync_status="READY",
    )  # fmt: skip
    source = platform.lower()
    Photo.objects.create(
        talent=talent, connection=row, source=source, name="a" * 40, content_hash="x",
        width=1, height=1, taken_at=now, checked_at=now - timedelta(hours=hours),
    )  # fmt: skip
    Talent.objects.filter(pk=talent.pk).update(profile_image_source=source)


def test_refreshes_causes_and_ages_are_counted(make_talent: Callable[..., Talent]) -> None:
    for _ in range(3):
        run("successful")
    run("failed", "EXPIRED")
    run("failed", "EXPIRED", days=1)
    run("failed", "TOO_LARGE", days=1)
    run("skipped", days=1)
    run("failed", "UNREACHABLE", days=8)  # too long ago
    shown(make_talent("Ada"), "INSTAGRAM", hours=1)
    shown(make_talent("Bo"), "INSTAGRAM", hours=30)
    shown(make_talent("Cy"), "YOUTUBE", hours=400)
    make_talent("Dee")
    stats = photo_stats()
    assert (stats.successful, stats.failed, stats.skipped, stats.rate) == (3, 3, 1, 50.0)
    assert [day.rate for day in stats.days] == [None, None, None, None, None, 0.0, 75.0]
    assert list(stats.causes.items()) == [("Link expired", 2), ("Over 8 MB", 1)]
    assert {age.label: age.talents for age in stats.ages} == {
        "under 24 h": 1, "1 to 2 days": 1, "2 to 7 days": 0, "over 7 days": 1,
    }  # fmt: skip
    assert stats.sources == {
        "instagram": 2, "tiktok": 0, "youtube": 1, "manual": 0, "initials": 1,
    }  # fmt: skip


def test_the_days_that_one_round_takes_follow_from_the_limit(
    make_talent: Callable[..., Talent], settings: Any
) -> None:
    for name in ("Ada", "Bo", "Cy"):
        shown(make_talent(name), "TIKTOK", hours=1)
    settings.PROFILE_IMAGE_DAILY_LIMIT = 2
    assert photo_stats().round_days == 2
    settings.PROFILE_IMAGE_DAILY_LIMIT = 0
    assert photo_stats().round_days is None


def test_they_cost_two_queries_for_any_roster(
    make_talent: Callable[..., Talent], django_assert_num_queries: Any
) -> None:
    for number in range(12):
        shown(make_talent(f"Talent {number}"), "INSTAGRAM", hours=number * 10)
        run("failed", "EXPIRED", days=number / 2)
    with django_assert_num_queries(2):
        photo_stats()


def test_the_page_and_its_poll_tell_them_in_words(alice_browser: Client) -> None:
    quiet = alice_browser.get("/sync").content.decode()
    assert "No photo was refreshed in this time" in quiet
    assert "Nothing failed." in quiet
    run("successful")
    run("failed", "NOT_AN_IMAGE")
    poll = alice_browser.get("/sync", headers={"HX-Request": "true"}).content.decode()
    for told in ('id="sync-photos" hx-swap-oob="true"', "1 good, 1 failed", "50%", "Not an image"):
        assert told in poll
