"""What holds for any posts at all, what is kept, and what it costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from socials import connections
from socials.intelligence import kept, summary
from socials.intelligence.types import Growth
from socials.models import Connection, Post, Profile
from talent.models import Talent
from tests.intelligence.stage import NOW, TODAY, account, figures, point, post

counts = st.one_of(st.none(), st.integers(0, 10**9))
numbers = st.fixed_dictionaries(
    dict.fromkeys(("likes", "comments", "shares", "saves", "views"), counts)
    | {"days_ago": st.floats(0, 40)}
)


class AnyPostsAtAll(TestCase):
    """Properties of the figures, whatever the posts are."""

    @given(st.lists(numbers, max_size=8), st.randoms(), st.sampled_from(["INSTAGRAM", "TIKTOK"]))
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    def test_the_order_in_which_posts_came_in_changes_nothing_and_bounds_hold(
        self, told: list[dict[str, Any]], random: Any, platform: str
    ) -> None:
        answers = []
        for name in ("first", "second"):
            talent = Talent.objects.create(name=name, slug=name)
            row = account(talent, platform, handle="same")
            for fields in told:
                post(row, **fields)
            random.shuffle(told)
            answers.append(figures(talent))
            talent.delete()
        one, other = answers
        facts = (
            "engagement_rate_by_followers", "engagement_rate_by_views", "average_views",
            "median_views", "posts_per_week", "absent_parts", "sample",
        )  # fmt: skip
        for fact in facts:
            assert getattr(one.platforms[0], fact) == getattr(other.platforms[0], fact)
        assert one.posting_times == other.posting_times
        found = one.platforms[0]
        inside = [fields for fields in told if fields["days_ago"] < 30]
        views = [fields["views"] for fields in inside if fields["views"] is not None]
        assert found.posts_in_window == sum(map(sum, one.posting_times)) == len(inside)
        assert 0 <= found.sample.by_views <= found.posts_in_sample <= found.posts_in_window
        assert found.sample.hidden_likes + found.posts_in_sample == found.posts_in_window
        assert len(one.best_posts) == min(len(inside), 12)
        if views:
            assert found.median_views is not None
            assert found.average_views is not None
            assert min(views) <= found.median_views <= max(views)
            assert min(views) - 0.01 <= found.average_views <= max(views) + 0.01
        else:
            assert found.average_views is found.median_views is None


class AnyHistoryAtAll(TestCase):
    """Properties of lines and growth, whatever was read on which day."""

    @given(
        st.dictionaries(
            st.integers(0, 400), st.one_of(st.none(), st.integers(0, 10**9)), max_size=30
        ),
        st.randoms(),
        st.integers(0, 10**9),
    )
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    def test_the_line_is_what_was_read_and_growth_is_from_the_nearest_point(
        self, read: dict[int, int | None], random: Any, followers: int
    ) -> None:
        talent = Talent.objects.create(name="any", slug="any")
        row = account(talent, handle="same", followers=followers)
        days = list(read)
        random.shuffle(days)
        for ago in days:
            point(row, ago, read[ago])
        found = figures(talent, 90)
        known = {ago: number for ago, number in read.items() if number is not None}
        told = [((TODAY - one.date).days, one.followers) for one in found.history]
        assert told == sorted(((a, n) for a, n in known.items() if a < 90), reverse=True)
        for span in (7, 30, 90, 365):
            # The day itself, else the day before it, else the day after.
            before = next((known[a] for a in (span, span + 1, span - 1) if a in known), None)
            growth = found.platforms[0].growth[f"d{span}"]
            assert growth == (None if before is None else Growth.between(before, followers))
        assert found.marks == found.best_posts == ()
        talent.delete()


# --- what is kept ---


@pytest.fixture(autouse=True)
def nothing_kept(db: None) -> None:
    cache.clear()


def test_the_second_question_is_answered_from_what_is_kept(jane: Talent) -> None:
    post(account(jane))
    first = summary.intelligence(jane.pk)
    with CaptureQueriesContext(
        database,
    ) as asked:
        again = summary.intelligence(jane.pk)
    assert again == first
    assert not [query for query in asked if "percentile_cont" in query["sql"]]


def change_profile(row: Connection) -> None:
    Profile.objects.filter(pk=row.pk).update(followers=5)


def change_row(row: Connection) -> None:
    Connection.objects.filter(pk=row.pk).update(sync_status="ERROR", error_code="NOT_FOUND")


def disconnect(row: Connection) -> None:
    connections.disconnect(row.pk)


def lose_a_post(row: Connection) -> None:
    Post.objects.filter(connection=row).delete()


def move_away(row: Connection) -> None:
    Talent.objects.filter(pk=row.talent_id).update(timezone="Asia/Tokyo")


@pytest.mark.parametrize("change", [change_profile, change_row, disconnect, lose_a_post, move_away])
def test_nothing_kept_outlives_a_change(jane: Talent, change: Any) -> None:
    row = account(jane)
    post(row, days_ago=0, posted_at=timezone.now() - timedelta(hours=1))
    before = summary.intelligence(jane.pk)
    assert len(before.best_posts) == 1
    change(row)
    after = summary.intelligence(jane.pk)
    assert after != before
    if change is disconnect:
        assert (after.state, after.totals.followers, after.best_posts) == ("empty", None, ())


def test_windows_are_kept_apart_and_an_erasure_forgets_them_all(jane: Talent) -> None:
    account(jane)
    assert summary.intelligence(jane.pk, days=7).days == 7
    assert summary.intelligence(jane.pk, days=730).days == 730
    keys = [f"intelligence:figures:{jane.pk}:{days}" for days in (7, 730)]
    assert set(cache.get_many(keys)) == set(keys)
    kept.forget(jane.pk)
    assert cache.get_many(keys) == {}


def test_a_talent_that_is_not_there_is_told_so(db: None) -> None:
    for pk in (4711, 2**63):
        with pytest.raises(Talent.DoesNotExist):
            summary.intelligence(pk)


# --- what it costs ---


def test_the_number_of_statements_is_the_same_for_any_number_of_posts_and_accounts(
    jane: Talent,
) -> None:
    row = account(jane)
    post(row)
    point(row, 0, 1000)
    with CaptureQueriesContext(database) as few:
        figures(jane)
    for platform in ("INSTAGRAM", "TIKTOK", "YOUTUBE"):
        for _ in range(3):
            more = account(jane, platform)
            for ago in range(40):
                point(more, ago, 1000 - ago)
                post(more, days_ago=ago)
    with CaptureQueriesContext(database) as many:
        found = figures(jane)
    assert len(many) == len(few)
    assert len(found.platforms) == 10
    assert len(found.best_posts) == 12
    assert found.as_of == NOW - timedelta(hours=1)
