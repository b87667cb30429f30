"""A YouTube account from its handle to its stored posts, and what an hour later costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from socials import connections, quota
from socials.models import Connection, Post, Profile, SyncRun
from socials.platforms.youtube.sandbox.ids import channel_id
from socials.sync.engine import Loop
from talent.models import Talent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small(settings: Any, platform_settings: dict[str, str]) -> None:
    settings.SYNC_POST_LIMIT = 20


def synced(talent: Talent, handle: str) -> Connection:
    row, _ = connections.connect(talent, "YOUTUBE", handle=handle)
    Loop().run()
    row.refresh_from_db()
    assert row.sync_status == "READY", row.sync_error
    return row


def used() -> dict[str, int]:
    return {level.bucket: level.used for level in quota.levels("YOUTUBE")}


def sync_by_schedule(row: Connection) -> SyncRun:
    Connection.objects.filter(pk=row.pk).request(trigger="schedule", priority=5)
    Loop().run()
    row.refresh_from_db()
    assert row.sync_status == "READY", row.sync_error
    run = SyncRun.objects.filter(connection=row).latest("id")
    assert run.trigger == "schedule"
    return run


def test_a_channel_is_stored_with_its_numbers_and_their_quality(jane: Talent) -> None:
    row = synced(jane, "@janesmith")
    assert (row.external_id, row.source) == (channel_id("janesmith"), "youtube_data")
    assert row.profile.quality["followers"] == "rounded"
    assert row.profile.posts > 20
    posts = Post.objects.filter(connection=row)
    assert posts.count() == 20
    assert {post.kind for post in posts} == {"VIDEO", "SHORT"}
    assert {post.view_definition for post in posts} == {"youtube.views.2026-08-27"}
    assert used() == {"youtube.units": 3, "youtube.stats": 0}


def test_an_hour_later_nothing_is_listed_and_nothing_lost(jane: Talent) -> None:
    row = synced(jane, "janesmith")
    Post.objects.filter(connection=row).update(metrics_due_at=timezone.now() + timedelta(days=1))
    run = sync_by_schedule(row)
    assert (run.stop_reason, run.units, run.posts_delivered) == ("unchanged", 1, 0)
    assert used() == {"youtube.units": 4, "youtube.stats": 0}
    assert not Post.objects.filter(connection=row, deleted_at__isnull=False).exists()


def test_due_posts_are_read_from_their_own_bucket(jane: Talent) -> None:
    row = synced(jane, "janesmith")
    Post.objects.filter(connection=row).update(views=1, metrics_due_at=timezone.now())
    run = sync_by_schedule(row)
    assert run.posts_delivered == 20
    assert used() == {"youtube.units": 4, "youtube.stats": 1}
    assert not Post.objects.filter(connection=row, views=1).exists()


def test_a_new_video_is_found_and_the_known_ones_stay_as_they_were_read(
    jane: Talent, time_machine: Any
) -> None:
    row = synced(jane, "janesmith")
    before = {post.external_id: post for post in Post.objects.filter(connection=row)}
    Post.objects.filter(connection=row).update(metrics_due_at=timezone.now() + timedelta(days=9))
    time_machine.move_to(datetime.now(UTC) + timedelta(days=4))
    run = sync_by_schedule(row)
    after = {post.external_id: post for post in Post.objects.filter(connection=row)}
    new = after.keys() - before.keys()
    assert new
    assert run.posts_new == run.posts_delivered == len(new)
    assert run.stop_reason == "limit"
    assert all(after[video_id].views is not None and after[video_id].caption for video_id in new)
    assert all(after[video_id].fetched_at == post.fetched_at for video_id, post in before.items())
    assert not any(post.deleted_at for post in after.values())


def test_a_deleted_video_is_marked_when_it_is_due(jane: Talent) -> None:
    row = synced(jane, "janesmith")
    Post.objects.filter(connection=row).update(metrics_due_at=timezone.now() + timedelta(days=1))
    Post.objects.create(
        connection=row, external_id="unknownvide", kind="VIDEO", source="youtube_data",
        fetched_at=timezone.now(), metrics_due_at=timezone.now(),
    )  # fmt: skip
    sync_by_schedule(row)
    gone = Post.objects.filter(connection=row, deleted_at__isnull=False)
    assert [post.external_id for post in gone] == ["unknownvide"]


def test_a_guess_never_overwrites_what_was_declared(jane: Talent) -> None:
    row = synced(jane, "janesmith")
    post = Post.objects.filter(connection=row, kind="VIDEO").first()
    assert post is not None
    Post.objects.filter(connection=row).update(metrics_due_at=timezone.now())
    Post.objects.filter(pk=post.pk).update(kind="LIVE", kind_confidence="declared")
    sync_by_schedule(row)
    post.refresh_from_db()
    assert (post.kind, post.kind_confidence) == ("LIVE", "declared")


def test_a_channel_without_uploads_is_ready(jane: Talent) -> None:
    row = synced(jane, "empty.emil")
    assert (row.profile.posts, row.partial) == (0, [])
    assert not Post.objects.filter(connection=row).exists()


def test_hidden_subscribers_are_told_as_hidden(jane: Talent) -> None:
    row = synced(jane, "hidden.helen")
    assert row.profile.followers is None
    assert row.profile.quality["followers"] == "hidden"


def test_subscribers_that_are_hidden_from_now_on_are_not_shown_from_memory(jane: Talent) -> None:
    row = synced(jane, "hidden.helen")
    Profile.objects.update(followers=84_700, quality={"followers": "rounded"})
    connections.request_sync(row.pk)
    Loop().run()
    profile = Profile.objects.get()
    assert (profile.followers, profile.quality["followers"]) == (None, "hidden")


def test_a_channel_that_was_renamed_is_shown_by_its_new_handle(jane: Talent) -> None:
    row = synced(jane, "renamed.rita")
    assert row.handle == "renamed.rita.now"
    assert row.external_id == channel_id("renamed.rita")
