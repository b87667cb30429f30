"""Data of a platform's API is read again in time, or deleted."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from socials import tasks
from socials.models import Connection, Post, Profile, Snapshot
from socials.sync import planner
from tests.engine.conftest import Stage

pytestmark = pytest.mark.django_db
Account = Callable[..., Connection]
Sync = Callable[[Connection], Connection]


@pytest.fixture(autouse=True)
def kept_for_30_days(settings: Any, stage: Stage) -> None:
    settings.RETENTION_DAYS = {"YOUTUBE": 30}


def days_pass(days: float) -> None:
    span = timedelta(days=days)
    Post.objects.update(fetched_at=F("fetched_at") - span)
    Profile.objects.update(fetched_at=F("fetched_at") - span)
    for point in Snapshot.objects.order_by("date"):
        point.date -= timedelta(days=math.ceil(days))
        point.taken_at -= span
        point.save()
    Connection.objects.update(last_posts_read_at=F("last_posts_read_at") - span)


def left() -> tuple[int, int, int]:
    return Post.objects.count(), Profile.objects.count(), Snapshot.objects.count()


def test_what_was_not_read_again_in_time_is_deleted(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(items=[{"id": "a"}, {"id": "b"}])
    row = sync(account())
    days_pass(29.9)
    tasks.forget_stale_data()
    assert left() == (2, 1, 1)
    days_pass(0.2)
    tasks.forget_stale_data()
    assert left() == (0, 0, 0)
    assert sync(row).sync_status == "READY"
    assert left() == (2, 1, 1)


def test_what_was_read_again_stays_and_older_points_of_history_go(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(items=[{"id": "a"}])
    row = sync(account())
    days_pass(40)
    sync(row)
    assert left() == (1, 1, 2)
    tasks.forget_stale_data()
    assert left() == (1, 1, 1)


def test_the_schedule_lists_posts_again_before_their_time_is_over(
    stage: Stage, account: Account, sync: Sync, loop: Callable[[], None]
) -> None:
    stage.says(items=[{"id": "a"}])
    sync(account())
    for days, depth in ((20, "cheap"), (3, "full")):
        days_pass(days)
        Connection.objects.update(next_refresh_at=Now())
        planner.queue_due("YOUTUBE")
        loop()
        assert stage.asked[-1][2]["depth"] == depth
    assert Post.objects.get().fetched_at > timezone.now() - timedelta(minutes=5)


def test_an_operator_may_keep_it_for_longer_or_for_ever(
    stage: Stage, account: Account, sync: Sync, settings: Any
) -> None:
    stage.says(items=[{"id": "a"}])
    sync(account())
    days_pass(400)
    for days in (0, 500):
        settings.RETENTION_DAYS = {"YOUTUBE": days}
        tasks.forget_stale_data()
        assert left() == (1, 1, 1)


def test_what_a_scraping_provider_read_is_not_the_api_s(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(items=[{"id": "a"}])
    sync(account())
    days_pass(400)
    for table in (Post, Profile, Snapshot):
        table.objects.update(source="apify")
    tasks.forget_stale_data()
    assert left() == (1, 1, 1)
