"""What was read of an account, over HTTP: posts, history, runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from socials.models import Connection, Post, Profile, Snapshot, SyncRun
from tests.api.conftest import NOON, a_post, a_run

POST_KEYS = {
    "id", "externalId", "kind", "caption", "url", "thumbnailUrl", "postedAt", "durationSeconds",
    "likes", "comments", "shares", "saves", "views", "reach", "engagementRate",
    "engagementRateBasis", "deletedAt",
}  # fmt: skip
RUN_KEYS = {
    "id", "trigger", "startedAt", "finishedAt", "durationMs", "attempt", "outcome", "errorCode",
    "message", "source", "calls", "units", "postsSeen", "postsNew",
}  # fmt: skip


def url_of(row: Connection, what: str) -> str:
    return f"/api/admin/socials/{row.pk}/{what}"


def test_posts_come_newest_first_page_by_page_and_undated_ones_last(
    viewer: APIClient, read_account: Callable[..., Connection]
) -> None:
    row = read_account(posts=5)
    a_post(row, 9, posted_at=None).save()
    a_post(row, 10, posted_at=NOON).save()  # at the very time of post-0
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = viewer.get(url_of(row, "posts"), {"limit": 2, "cursor": cursor}).json()
        assert set(page["data"][0]) == POST_KEYS
        seen += [post["externalId"] for post in page["data"]]
        cursor = page["page"]["next"]
    assert seen == ["post-10", "post-0", "post-1", "post-2", "post-3", "post-4", "post-9"]


@pytest.mark.parametrize(
    ("platform", "numbers", "basis", "rate"),
    [
        ("INSTAGRAM", {}, "followers", 5.0),
        ("INSTAGRAM", {"shares": 5, "saves": 5}, "followers", 6.0),
        ("INSTAGRAM", {"likes": None}, "followers", None),
        ("YOUTUBE", {}, "views", 10.0),
        ("TIKTOK", {"shares": 50}, "views", 20.0),
        ("TIKTOK", {"views": 0}, "views", None),
        ("YOUTUBE", {"views": None}, "views", None),
    ],
)
def test_a_posts_engagement_rate_is_by_followers_on_instagram_and_by_views_elsewhere(
    viewer: APIClient,
    read_account: Callable[..., Connection],
    platform: str,
    numbers: dict[str, Any],
    basis: str,
    rate: float | None,
) -> None:
    row = read_account(platform, posts=0)
    a_post(row, 1, **numbers).save()
    (post,) = viewer.get(url_of(row, "posts")).json()["data"]
    assert (post["engagementRateBasis"], post["engagementRate"]) == (basis, rate)
    assert post["reach"] is None


def test_an_unknown_number_of_followers_makes_no_rate(
    viewer: APIClient, read_account: Callable[..., Connection]
) -> None:
    row = read_account(posts=1)
    Profile.objects.filter(pk=row.pk).update(followers=None)
    assert viewer.get(url_of(row, "posts")).json()["data"][0]["engagementRate"] is None


def test_history_tells_the_days_asked_for_oldest_first_with_gaps_left_out(
    viewer: APIClient, read_account: Callable[..., Connection]
) -> None:
    row = read_account()
    today = datetime.now(UTC).date()
    for ago in (1, 3, 40):
        Snapshot.objects.create(
            connection=row,
            date=today - timedelta(days=ago),
            followers=1000 - ago,
            engagement_rate=2.5,
            source="x",
            taken_at=NOON,
        )
    points = viewer.get(url_of(row, "history"), {"days": 30}).json()["data"]
    days = [str(today - timedelta(days=ago)) for ago in (3, 1, 0)]
    assert [point["date"] for point in points] == days
    assert points[0] == {
        "date": str(today - timedelta(days=3)),
        "followers": 997,
        "following": None,
        "posts": None,
        "views": None,
        "engagementRate": 2.5,
    }
    assert len(viewer.get(url_of(row, "history"), {"days": 1}).json()["data"]) == 1
    assert len(viewer.get(url_of(row, "history"), {"days": 730}).json()["data"]) == 4


@pytest.mark.parametrize("days", ["0", "731", "-1", "soon", "1.5"])
def test_a_senseless_window_is_refused(
    viewer: APIClient, read_account: Callable[..., Connection], days: str
) -> None:
    answer = viewer.get(url_of(read_account(), "history"), {"days": days})
    assert answer.status_code == 400
    assert answer.json()["details"]["days"]


def test_runs_tell_every_attempt_newest_first(
    viewer: APIClient, read_account: Callable[..., Connection]
) -> None:
    row = read_account()
    later = NOON + timedelta(minutes=5)
    SyncRun.objects.create(
        **a_run(
            row,
            trigger="schedule",
            outcome="retry",
            error_code="PLATFORM_UNAVAILABLE",
            message="Instagram answered 503.",
            started_at=later,
            finished_at=later,
            duration_ms=0,
        )
    )
    page = viewer.get(url_of(row, "runs"), {"limit": 1}).json()
    (newest,) = page["data"]
    assert set(newest) == RUN_KEYS
    assert (newest["trigger"], newest["outcome"]) == ("schedule", "retry")
    assert (newest["errorCode"], newest["startedAt"]) == (
        "PLATFORM_UNAVAILABLE",
        "2026-01-10T12:05:00Z",
    )
    rest = viewer.get(url_of(row, "runs"), {"cursor": page["page"]["next"]}).json()
    assert [run["outcome"] for run in rest["data"]] == ["ready"]
    assert rest["data"][0]["errorCode"] is None
    assert (rest["data"][0]["postsSeen"], rest["data"][0]["postsNew"]) == (3, 3)
    assert rest["page"]["next"] is None


def test_a_cursor_of_another_list_is_refused(
    viewer: APIClient, read_account: Callable[..., Connection]
) -> None:
    row = read_account()
    cursor = viewer.get(url_of(row, "posts"), {"limit": 1}).json()["page"]["next"]
    answer = viewer.get(url_of(row, "runs"), {"cursor": cursor})
    assert answer.status_code == 400
    assert list(answer.json()["details"]) == ["cursor"]


def test_twenty_posts_and_runs_cost_as_many_queries_as_one(
    viewer: APIClient, read_account: Callable[..., Connection], django_assert_num_queries: Any
) -> None:
    row = read_account(posts=1)
    for upto in (1, 20):
        Post.objects.bulk_create(a_post(row, number) for number in range(row.posts.count(), upto))
        SyncRun.objects.bulk_create(SyncRun(**a_run(row)) for _ in range(row.runs.count(), upto))
        viewer.get(url_of(row, "posts"))
        for what in ("posts", "runs"):
            with django_assert_num_queries(3):
                assert len(viewer.get(url_of(row, what)).json()["data"]) == upto
