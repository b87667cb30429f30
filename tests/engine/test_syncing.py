"""One sync from claim to READY: what is asked, and what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import OrmQ

from scraping.meter import RunReport
from socials.models import Connection, Post, Profile, Snapshot, Trigger
from socials.platforms.kit.platform import Outcome as Answered
from socials.sync import planner
from socials.types import Ask, Context
from talent.models import Activity
from tests.engine.conftest import Stage
from tests.engine.stage import StageSource, item

pytestmark = pytest.mark.django_db

Account = Callable[..., Connection]
Sync = Callable[[Connection], Connection]


# --- a good reading ---


def test_a_sync_stores_profile_posts_a_point_of_history_and_its_run(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(name="Maya", items=[item("a"), item("b", comments=3)])
    row = sync(account())
    assert (row.sync_status, row.attempt, row.external_id) == ("READY", 1, "UCmaya")
    assert (row.profile.followers, row.profile.display_name) == (1000, "Maya")
    assert row.profile.quality == {"followers": "exact", "posts": "exact"}
    assert row.profile.provenance["followers"]["source"] == "youtube_data"
    assert row.posts.count() == 2
    point = row.snapshots.get()
    assert (point.followers, point.engagement_rate) == (1000, pytest.approx(11.5))
    run = row.runs.get()
    assert (run.outcome, run.calls, run.posts_new, run.trigger) == ("ready", 1, 2, "connect")
    assert row.next_refresh_at - row.last_synced_at < timedelta(hours=1)


def test_the_same_answer_again_rewrites_no_post(stage: Stage, account: Account, sync: Sync) -> None:
    stage.says(items=[item("a"), item("b")])
    row = sync(account())
    before = dict(row.posts.values_list("external_id", "fetched_at"))
    row = sync(row)
    assert dict(row.posts.values_list("external_id", "fetched_at")) == before
    assert row.snapshots.count() == 1


def test_a_changed_post_is_updated_and_never_doubled(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(items=[item("a", likes=1)])
    stage.says(items=[item("a", likes=2), item("a", likes=2)])
    row = sync(sync(account()))
    assert list(row.posts.values_list("external_id", "likes")) == [("a", 2)]


def test_null_absent_and_empty_never_replace_what_is_stored(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(bio="Food", avatar="https://a.example/1.jpg", items=[item("a", caption="Hi")])
    stage.says(followers=None, bio="", avatar=None, items=[item("a", likes=None, caption="")])
    row = sync(sync(account()))
    profile, post = row.profile, row.posts.get()
    assert (profile.followers, profile.bio) == (1000, "Food")
    assert profile.avatar_url == "https://a.example/1.jpg"
    assert (post.likes, post.caption, post.quality["likes"]) == (10, "Hi", "exact")


def test_a_number_that_was_not_read_leaves_a_gap_in_history(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says()
    row = sync(account())
    Snapshot.objects.update(date=timezone.now().date() - timedelta(days=1))
    stage.forget()
    stage.says(followers=None)
    sync(row)
    today = Snapshot.objects.order_by("-date")[0]
    assert (today.followers, Profile.objects.get().followers) == (None, 1000)


def test_text_that_the_database_can_not_hold_is_mended_and_not_lost(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(name="Ma\ud83dya", items=[item("a", caption="lone \udfff surrogate")])
    row = sync(account())
    assert (row.sync_status, row.profile.display_name) == ("READY", "Ma\N{REPLACEMENT CHARACTER}ya")


def test_what_could_not_be_read_is_named_and_the_rest_stands(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(partial=["insights"], items=[item("a")])
    row = sync(account())
    assert (row.sync_status, row.partial, row.posts.count()) == ("READY", ["insights"], 1)


def test_a_post_that_is_gone_is_marked_and_unmarked_when_it_is_back(
    stage: Stage, account: Account, sync: Sync
) -> None:
    since = "2026-01-01T00:00:00Z"
    everything = [item("a"), item("b"), item("c")]
    stage.says(items=everything, since=since)
    stage.says(items=everything[:2], since=since)
    stage.says(items=everything, since=since)
    row = sync(sync(account()))
    assert set(
        Post.objects.filter(deleted_at__isnull=False).values_list("external_id", flat=True)
    ) == {"c"}
    sync(row)
    assert not Post.objects.filter(deleted_at__isnull=False).exists()


def test_nothing_is_said_of_posts_before_the_listed_span(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(items=[item("old", at="2025-01-01T00:00:00Z"), item("new")])
    stage.says(items=[item("new")], since="2026-01-01T00:00:00Z")
    row = sync(sync(account()))
    assert not row.posts.filter(deleted_at__isnull=False).exists()


def test_a_scheduled_sync_reads_cheaply_and_asks_for_the_metrics_that_are_due(
    stage: Stage, account: Account, sync: Sync, loop: Callable[[], None]
) -> None:
    stage.says(items=[item("a")])
    row = sync(account())
    Connection.objects.update(next_refresh_at=Now())
    assert planner.queue_due("YOUTUBE") == 1
    loop()
    assert [query["depth"] for _, _, query in stage.asked] == ["full", "cheap"]
    assert list(row.runs.order_by("id").values_list("trigger", flat=True)) == [
        "connect",
        "schedule",
    ]
    row.refresh_from_db()
    assert row.sync_status == "READY"


# --- doubtful numbers ---


def test_a_fall_of_more_than_half_waits_for_a_second_reading_that_agrees(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(followers=1000)
    stage.says(followers=400)
    row = sync(sync(account()))
    assert (row.profile.followers, row.partial) == (1000, ["followers"])
    assert row.held_reading == {"followers": 400}
    assert row.snapshots.get().followers == 1000
    assert row.next_refresh_at - row.last_synced_at <= timedelta(minutes=5)
    row = sync(row)
    assert (row.profile.followers, row.partial, row.held_reading) == (400, [], None)


def test_a_fall_that_the_second_reading_denies_leaves_no_trace(
    stage: Stage, account: Account, sync: Sync
) -> None:
    for followers in (1000, 0, 1010):
        stage.says(followers=followers)
    row = sync(sync(sync(account())))
    assert (row.profile.followers, row.held_reading, row.partial) == (1010, None, [])


def test_an_empty_listing_does_not_mark_every_post_deleted_at_once(
    stage: Stage, account: Account, sync: Sync
) -> None:
    since = "2026-01-01T00:00:00Z"
    stage.says(items=[item("a"), item("b"), item("c")], since=since)
    stage.says(items=[], since=since)
    row = sync(sync(account()))
    assert not row.posts.filter(deleted_at__isnull=False).exists()
    row = sync(row)
    assert row.posts.filter(deleted_at__isnull=False).count() == 3


def test_a_new_picture_has_the_photo_looked_at_and_the_same_one_has_not(
    stage: Stage, account: Account, sync: Sync
) -> None:
    for address in ("1.jpg?sig=a", "1.jpg?sig=b", "2.jpg?sig=c"):
        stage.says(avatar=f"https://cdn.example/{address}")
    row = account()
    looked = []
    for _ in range(3):
        row = sync(row)
        jobs = [job.task["func"] for job in OrmQ.objects.all()]
        looked.append(jobs.count("socials.tasks.refresh_photos"))
    assert looked == [1, 1, 2]


def test_a_trigger_names_why_a_sync_ran(stage: Stage, account: Account, sync: Sync) -> None:
    stage.says()
    row = sync(sync(account()))
    assert list(row.runs.order_by("id").values_list("trigger", flat=True)) == [
        Trigger.CONNECT,
        Trigger.MANUAL,
    ]


# --- who is it? ---


def test_a_renamed_account_keeps_its_history_and_shows_its_new_handle(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says()
    row = sync(account())
    stage.forget()
    stage.says(id="UCmaya", handle="mayacooks")
    row = sync(row)
    assert (row.handle, row.sync_status, row.posts.count()) == ("mayacooks", "READY", 0)
    assert row.profile_url.endswith("/@mayacooks")
    assert (
        Activity.objects.filter(action="connection.renamed", talent_id=row.talent_id).count() == 1
    )


def test_a_handle_that_belongs_to_somebody_else_stops_the_sync(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(followers=1000)
    stage.says(id="UCsomebody", followers=5)
    row = sync(sync(account()))
    assert (row.sync_status, row.error_code) == ("ERROR", "IDENTITY_CHANGED")
    assert (row.profile.followers, row.next_refresh_at) == (1000, None)


def test_the_same_account_under_two_handles_is_told_and_not_stored_twice(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says("maya")
    stage.says("mayatwo", id="UCmaya", handle="maya")
    sync(account())
    twin = sync(account("mayatwo"))
    assert (twin.sync_status, twin.error_code) == ("ERROR", "INVALID_HANDLE")
    assert "@maya" in twin.sync_error


# --- numbers and tales that make no sense ---


def test_the_largest_counts_there_can_be_are_stored_and_their_engagement_is_a_number(
    stage: Stage, account: Account, sync: Sync
) -> None:
    most = 2**63 - 1
    posted = timezone.now().isoformat()
    items = [item(name, at=posted, likes=most, comments=most, views=most) for name in "abc"]
    stage.says(followers=most, posts=most, items=items)
    row = sync(account())
    assert (row.sync_status, row.error_code) == ("READY", "")
    assert row.snapshots.get().engagement_rate == pytest.approx(200)


class Tattler(StageSource):
    """Tells of a run and of a limit that no column can hold."""

    def read_many(self, asks: Sequence[Ask], context: Context) -> Iterator[Answered]:
        now = timezone.now()
        context.meter.report(
            RunReport(
                provider="apify", platform="YOUTUBE", actor="a~b", started_at=now, finished_at=now,
                outcome="succeeded", cost_usd=Decimal(10) ** 30,
            )
        )  # fmt: skip
        yield from super().read_many(asks, context)


def test_a_cost_that_cant_be_written_down_stops_neither_this_account_nor_the_others(
    stage: Stage, account: Account, loop: Callable[[], None]
) -> None:
    stage.perform(Tattler(units=1))
    rows = [account(name) for name in ("maya", "noor")]
    for row in rows:
        stage.says(row.handle)
    loop()
    assert [Connection.objects.get(pk=row.pk).sync_status for row in rows] == ["READY", "READY"]


@pytest.mark.parametrize("trap", ["javascript:alert(1)", " data:text/html,x", "//evil.example/x"])
def test_only_web_addresses_are_kept_of_what_a_platform_tells(
    trap: str, stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(avatar=trap, items=[item("a", url=trap)])
    row = sync(account())
    assert (row.sync_status, row.profile.avatar_url, row.posts.get().url) == ("READY", "", "")
