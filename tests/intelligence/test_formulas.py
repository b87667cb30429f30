"""Every formula against numbers that were worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from socials.intelligence.types import Growth
from socials.models import Profile
from talent.models import Talent
from tests.intelligence.stage import NOW, TODAY, account, figures, only, point, post

# --- engagement ---


def test_engagement_by_followers_and_by_views_of_a_worked_example(jane: Talent) -> None:
    row = account(jane, followers=2000)
    post(row, likes=100, comments=20, shares=6, saves=4, views=1000)  # 130
    post(row, likes=50, comments=10, shares=5, saves=5, views=500)  # 70
    found = only(jane)
    assert found.engagement_rate_by_followers == 5.0  # 200 ÷ (2 · 2000)
    assert found.engagement_rate_by_views == 13.3333  # 200 ÷ 1500
    assert found.absent_parts == ()
    assert (found.posts_in_window, found.posts_in_sample) == (2, 2)


def test_a_post_with_hidden_likes_leaves_numerator_and_divisor(jane: Talent) -> None:
    row = account(jane, followers=1000)
    post(row, likes=90, comments=10, views=1000)
    post(row, likes=None, comments=500, views=9000, quality={"likes": "hidden"})
    found = only(jane)
    assert found.engagement_rate_by_followers == 10.0
    assert found.engagement_rate_by_views == 10.0
    assert (found.posts_in_window, found.posts_in_sample, found.sample.hidden_likes) == (2, 1, 1)
    assert found.average_views == 5000.0  # its views are known, so they count as views


def test_parts_that_are_never_told_are_named_and_a_part_that_is_zero_is_not(jane: Talent) -> None:
    row = account(jane)
    post(row, likes=10, comments=0, shares=None, saves=None)
    found = only(jane)
    assert found.absent_parts == ("shares", "saves")
    assert found.engagement_rate_by_followers == 1.0


def test_a_part_that_only_some_posts_tell_is_counted_in_the_sample(jane: Talent) -> None:
    row = account(jane)
    post(row, likes=10, comments=None)
    post(row, likes=10, comments=5)
    found = only(jane)
    assert "comments" not in found.absent_parts
    assert found.sample.without == {"comments": 1}


def test_a_post_without_views_leaves_the_rate_by_views_alone(jane: Talent) -> None:
    row = account(jane, followers=1000)
    post(row, likes=100, comments=0, views=None)
    post(row, likes=50, comments=0, views=500)
    found = only(jane)
    assert found.engagement_rate_by_followers == 7.5
    assert found.engagement_rate_by_views == 10.0
    assert (found.sample.by_followers, found.sample.by_views, found.sample.with_views) == (2, 1, 1)


@pytest.mark.parametrize("followers", [0, None])
def test_without_followers_there_is_no_rate_by_followers(
    jane: Talent, followers: int | None
) -> None:
    post(account(jane, followers=followers), views=500)
    found = only(jane)
    assert found.engagement_rate_by_followers is None
    assert found.engagement_rate_by_views == 10.0
    assert found.followers == followers


def test_without_views_there_is_no_rate_by_views(jane: Talent) -> None:
    post(account(jane), views=0)
    assert only(jane).engagement_rate_by_views is None


def test_all_likes_hidden_makes_no_rate_and_names_every_part(jane: Talent) -> None:
    post(account(jane), likes=None, comments=9)
    found = only(jane)
    assert found.engagement_rate_by_followers is None
    assert found.absent_parts == ("likes", "comments", "shares", "saves")


# --- views and pace ---


def test_average_and_median_views_of_one_two_and_three_posts(jane: Talent) -> None:
    row = account(jane)
    post(row, views=100)
    assert (only(jane).average_views, only(jane).median_views) == (100, 100)
    post(row, views=200)
    assert (only(jane).average_views, only(jane).median_views) == (150, 150)
    post(row, views=10_000)
    assert (only(jane).average_views, only(jane).median_views) == (3433.33, 200)


def test_posts_per_week_are_the_windows_posts_over_its_weeks(jane: Talent) -> None:
    row = account(jane)
    for day in range(6):
        post(row, days_ago=day + 0.5)
    assert only(jane, 7).posts_per_week == 6.0
    assert only(jane, 14).posts_per_week == 3.0


def test_a_window_that_reaches_beyond_the_stored_posts_begins_with_the_oldest(
    jane: Talent,
) -> None:
    row = account(jane, posts=800)  # the platform has more than the three that are stored
    for day in (1, 8, 14):
        post(row, days_ago=day)
    found = only(jane, 365)
    assert found.sample.is_cut
    assert found.sample.since == NOW - timedelta(days=14)
    assert found.posts_per_week == pytest.approx(1.5, abs=0.01)


def test_an_account_without_posts_has_a_pace_of_none_and_no_averages(jane: Talent) -> None:
    account(jane)
    found = only(jane)
    assert (found.posts_per_week, found.average_views, found.median_views) == (0, None, None)
    assert found.engagement_rate_by_followers is None


@pytest.mark.parametrize(("days", "inside"), [(1, 1), (7, 2), (30, 3), (90, 4), (730, 5)])
def test_a_window_takes_its_own_posts_only(jane: Talent, days: int, inside: int) -> None:
    row = account(jane)
    for ago in (0.5, 6.9, 29.9, 89.9, 729.9):
        post(row, days_ago=ago)
    assert only(jane, days).posts_in_window == inside


def test_deleted_undated_and_future_posts_count_nowhere(jane: Talent) -> None:
    row = account(jane)
    post(row, deleted_at=NOW)
    post(row, posted_at=None)
    post(row, days_ago=-1)
    found = figures(jane)
    assert found.platforms[0].posts_in_window == 0
    assert found.best_posts == ()
    assert sum(map(sum, found.posting_times)) == 0


# --- growth and history ---


def test_growth_over_each_span_of_a_worked_example(jane: Talent) -> None:
    row = account(jane, followers=1500)
    for ago, followers in ((0, 1500), (7, 1400), (30, 1200), (90, 1000), (365, 0)):
        point(row, ago, followers)
    assert only(jane).growth == {
        "d7": Growth(100, 7.14),
        "d30": Growth(300, 25.0),
        "d90": Growth(500, 50.0),
        "d365": Growth(1500, None),  # nothing can be said in percent of none
    }


@pytest.mark.parametrize(("ago", "known"), [(5, False), (6, True), (8, True), (9, False)])
def test_a_point_one_day_off_serves_and_two_days_off_does_not(
    jane: Talent, ago: int, known: bool
) -> None:
    row = account(jane)
    point(row, 0, 1000)
    point(row, ago, 900)
    assert (only(jane).growth["d7"] == Growth(100, 11.11)) is known
    assert (only(jane).growth["d7"] is None) is not known


def test_the_exact_day_wins_over_its_neighbours_and_a_gap_is_no_point(jane: Talent) -> None:
    row = account(jane)
    point(row, 0, 1000)
    point(row, 8, 700)
    point(row, 6, 950)
    exact = point(row, 7, 800)
    assert only(jane).growth["d7"] == Growth(200, 25.0)
    exact.followers = None
    exact.save()
    assert only(jane).growth["d7"] == Growth(300, 42.86)  # of two equally near the older


def test_growth_of_a_stale_account_ends_with_its_last_reading(jane: Talent) -> None:
    row = account(jane)
    Profile.objects.filter(pk=row.pk).update(fetched_at=NOW - timedelta(days=3))
    point(row, 3, 1000)
    point(row, 7, 980)
    point(row, 10, 900)
    assert only(jane).growth["d7"] == Growth(100, 11.11)


def test_the_sum_over_platforms_grows_by_what_each_grew(jane: Talent) -> None:
    instagram, tiktok = account(jane, followers=1000), account(jane, "TIKTOK", followers=300)
    account(jane, "YOUTUBE", followers=None)
    for row, before, now in ((instagram, 800, 1000), (tiktok, 200, 300)):
        point(row, 7, before)
        point(row, 0, now)
    point(instagram, 30, 500)
    totals = figures(jane).totals
    assert (totals.followers, totals.platforms, totals.accounts) == (1300, 2, 2)
    assert totals.growth["d7"] == Growth(300, 30.0)
    assert totals.growth["d30"] == Growth(500, 100.0)
    assert totals.growth_accounts == {"d7": 2, "d30": 1, "d90": 0, "d365": 0}


def test_a_day_without_a_reading_is_a_gap_and_never_a_zero(jane: Talent) -> None:
    row = account(jane)
    point(row, 3, 900)
    point(row, 2, None)
    point(row, 0, 1000)
    found = figures(jane, 7).history
    assert [(one.date, one.followers) for one in found] == [
        (TODAY - timedelta(days=3), 900),
        (TODAY, 1000),
    ]


def test_another_way_to_count_views_is_marked_on_its_day(jane: Talent) -> None:
    row = account(jane, "YOUTUBE")
    point(row, 4, 1000, view_definition="old")
    point(row, 1, 1000, view_definition="new", view_definition_before="old")
    point(row, 0, 1000, view_definition="new")
    (mark,) = figures(jane).marks
    assert (mark.date, mark.before, mark.after) == (TODAY - timedelta(days=1), "old", "new")


# --- best posts ---


def test_best_posts_go_rank_by_rank_and_compare_within_a_platform_alone(jane: Talent) -> None:
    instagram = account(jane, followers=1000)
    tiktok = account(jane, "TIKTOK", followers=1000)
    for likes in (10, 30, 20):
        post(instagram, likes=likes, comments=0, external_id=f"ig-{likes}")
    for views in (500, 100):
        post(tiktok, likes=50, comments=0, views=views, external_id=f"tt-{views}")
    found = figures(jane).best_posts
    assert [one.external_id for one in found] == ["ig-30", "tt-100", "ig-20", "tt-500", "ig-10"]
    assert [one.rank for one in found] == [1, 1, 2, 2, 3]


def test_best_posts_are_twelve_at_most_and_unknown_rates_come_last(jane: Talent) -> None:
    row = account(jane)
    post(row, likes=None, views=10**9, external_id="hidden")
    post(row, likes=0, comments=0, external_id="zero")
    assert [one.external_id for one in figures(jane).best_posts] == ["zero", "hidden"]
    for _ in range(12):
        post(row)
    found = figures(jane).best_posts
    assert len(found) == 12
    assert "hidden" not in {one.external_id for one in found}


# --- when ---


@pytest.mark.parametrize(
    ("zone", "weekday", "hour"),
    [("UTC", 6, 23), ("Europe/Berlin", 0, 0), ("America/New_York", 6, 18), ("Asia/Kolkata", 0, 5)],
)
def test_posting_times_are_in_the_talents_time_zone_monday_first(
    jane: Talent, zone: str, weekday: int, hour: int
) -> None:
    Talent.objects.filter(pk=jane.pk).update(timezone=zone)
    post(account(jane), posted_at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC))  # a Sunday
    grid = figures(jane).posting_times
    assert (len(grid), {len(row) for row in grid}) == (7, {24})
    assert grid[weekday][hour] == 1
    assert sum(map(sum, grid)) == 1


def test_the_clocks_change_between_two_posts_at_the_same_utc_hour(jane: Talent) -> None:
    Talent.objects.filter(pk=jane.pk).update(timezone="Europe/London")
    row = account(jane)
    # Summer time began on 29 March 2026 at 01:00 UTC.
    post(row, posted_at=datetime(2026, 3, 27, 18, tzinfo=UTC))
    post(row, posted_at=datetime(2026, 4, 3, 18, tzinfo=UTC))
    friday = figures(jane, now=datetime(2026, 4, 4, tzinfo=UTC)).posting_times[4]
    assert (friday[18], friday[19]) == (1, 1)


def test_an_unknown_time_zone_counts_as_utc(jane: Talent) -> None:
    Talent.objects.filter(pk=jane.pk).update(timezone="Mars/Base")
    post(account(jane))
    assert figures(jane).timezone == "UTC"


def test_the_best_time_needs_three_posts_and_is_told_against_the_rest(jane: Talent) -> None:
    row = account(jane, followers=1000)
    friday = datetime(2026, 2, 27, 18, 30, tzinfo=UTC)
    for likes in (100, 120):
        post(row, posted_at=friday, likes=likes, comments=0)
    post(row, posted_at=friday - timedelta(days=1), likes=20, comments=0)
    assert figures(jane).best_times == ()
    post(row, posted_at=friday + timedelta(hours=1), likes=80, comments=0)
    (slot,) = figures(jane).best_times
    assert (slot.weekday, slot.hour, slot.posts, slot.rate, slot.other_rate) == (4, 18, 3, 10, 2)


# --- flags ---


def steady(row: Any, *, followers: int = 10_000, daily: int = 10, days: int = 40) -> None:
    for ago in range(days, 0, -1):
        point(row, ago, followers - daily * ago)


@pytest.mark.parametrize(
    ("now", "kind"), [(11_000, "follower_jump"), (9_000, "follower_drop"), (10_050, None)]
)
def test_a_days_move_far_beyond_the_usual_is_flagged_with_its_numbers(
    jane: Talent, now: int, kind: str | None
) -> None:
    row = account(jane, handle="jane", followers=now)
    steady(row)
    point(row, 0, now)
    found = figures(jane).flags
    assert [flag.kind for flag in found] == ([kind] if kind else [])
    if kind:
        evidence = found[0].evidence
        assert evidence["date"] == TODAY.isoformat()
        assert (evidence["before"], evidence["after"]) == (9_990, now)
        assert evidence["usualDailyChange"] == 10
        assert "@jane" in found[0].message
        assert f"{abs(now - 9_990):,}" in found[0].message


def test_a_move_over_a_gap_is_no_days_move(jane: Talent) -> None:
    row = account(jane)
    point(row, 5, 1000)
    point(row, 0, 5000)
    assert figures(jane).flags == ()


def collapse(row: Any, **recent: Any) -> None:
    for number in range(5):
        post(row, days_ago=40 + number, likes=100, comments=0, views=1000)
        post(row, days_ago=5 + number, **{"likes": 20, "comments": 0, "views": 1000} | recent)


@pytest.mark.parametrize("platform", ["INSTAGRAM", "TIKTOK"])
def test_engagement_below_half_of_what_it_was_is_flagged(jane: Talent, platform: str) -> None:
    collapse(account(jane, platform, followers=1000))
    (flag,) = figures(jane).flags
    assert flag.kind == "engagement_collapse"
    assert flag.evidence == {
        "rate": 2.0,
        "rateBefore": 10.0,
        "basis": "followers" if platform == "INSTAGRAM" else "views",
        "posts": 5,
        "postsBefore": 5,
    }


def test_half_is_no_collapse_and_neither_is_another_way_to_count_views(jane: Talent) -> None:
    collapse(account(jane, "TIKTOK"), likes=50)
    collapse(account(jane, "YOUTUBE"), view_definition="new")
    assert figures(jane).flags == ()


# --- the state ---


def test_states_from_no_account_to_all_failed(jane: Talent) -> None:
    assert figures(jane).state == "empty"
    account(jane, "TWITTER", read=False)  # a link has no numbers
    assert figures(jane).state == "empty"
    first = account(jane, read=False, sync_status="PENDING", next_attempt_at=NOW)
    assert figures(jane).state == "syncing"
    second = account(jane, "TIKTOK")
    assert figures(jane).state == "partial"
    first.delete()
    assert figures(jane).state == "ready"
    third = account(jane, "YOUTUBE", partial=["posts"])
    assert figures(jane).state == "partial"
    third.delete()
    second.sync_status, second.error_code = "ERROR", "PRIVATE_ACCOUNT"
    second.save()
    assert figures(jane).state == "error"
    assert figures(jane).totals.followers == 1000  # the last good numbers stay


def test_a_day_without_a_good_sync_is_stale_and_one_account_behind_is_partial(
    jane: Talent,
) -> None:
    account(jane, last_synced_at=NOW - timedelta(hours=25))
    assert figures(jane).state == "stale"
    account(jane, "TIKTOK")
    found = figures(jane)
    assert (found.state, found.as_of) == ("partial", NOW - timedelta(hours=1))


def test_a_dead_grant_makes_it_partial_though_numbers_go_on(jane: Talent) -> None:
    account(jane, connected=False, error_code="REAUTH_REQUIRED")
    assert figures(jane).state == "partial"


def test_the_days_are_those_of_utc(jane: Talent) -> None:
    row = account(jane)
    point(row, date(2026, 3, 10), 1000)
    late = datetime(2026, 3, 10, 23, 55, tzinfo=UTC)
    assert len(figures(jane, 1, late).history) == 1
    assert figures(jane, 1, late + timedelta(minutes=5)).history == []


# --- what counts as a view ---

AUGUST = datetime(2026, 9, 10, 12, tzinfo=UTC)


def over_august(row: Any, now: datetime = AUGUST) -> None:
    for ago in range(30):
        day = now.date() - timedelta(days=ago)
        point(row, day, 10_000 - ago, views=2_000_000 if day >= date(2026, 8, 27) else 1_000_000)


def test_the_day_on_which_youtube_began_to_count_anew_is_marked_and_flagged(jane: Talent) -> None:
    over_august(account(jane, "TIKTOK"))
    row = account(jane, "YOUTUBE")
    over_august(row)
    found = figures(jane, 30, AUGUST)
    (mark,) = found.marks
    assert (mark.date, mark.connection_id) == (date(2026, 8, 27), row.pk)
    assert (mark.before, mark.after) == ("youtube.views", "youtube.views.2026-08-27")
    assert mark.message.startswith(
        "YouTube views are counted in another way since 27 August 2026: a view now counts from"
    )
    (flag,) = found.flags
    assert (flag.kind, flag.message) == ("views_counted_anew", mark.message)
    assert flag.evidence["date"] == "2026-08-27"


def test_metas_change_is_marked_for_instagram_alone(jane: Talent) -> None:
    then = datetime(2025, 5, 2, 12, tzinfo=UTC)
    for platform in ("INSTAGRAM", "TIKTOK", "YOUTUBE"):
        over_august(account(jane, platform), then)
    assert [(mark.platform, mark.date) for mark in figures(jane, 30, then).marks] == [
        ("INSTAGRAM", date(2025, 4, 21))
    ]


def test_a_line_that_begins_after_the_change_or_ends_before_it_has_no_mark(jane: Talent) -> None:
    row = account(jane, "YOUTUBE")
    for ago in range(5):
        point(row, date(2026, 8, 27) + timedelta(days=ago), 1000)
    assert figures(jane, 30, AUGUST).marks == ()
    assert figures(jane, 30, datetime(2026, 8, 26, tzinfo=UTC)).marks == ()


def test_the_first_reading_after_a_known_change_marks_it_once(jane: Talent) -> None:
    row = account(jane, "YOUTUBE")
    over_august(row)
    row.snapshots.filter(date=date(2026, 8, 29)).update(
        view_definition_before="youtube.views", view_definition="youtube.views.2026-08-27"
    )
    assert [mark.date for mark in figures(jane, 30, AUGUST).marks] == [date(2026, 8, 27)]


def test_views_that_are_counted_anew_are_no_growth_and_no_collapse(jane: Talent) -> None:
    row = account(jane, "YOUTUBE", followers=10_000)
    over_august(row)
    for number in range(6):
        # Ten times the views of before, the same likes: a tenth of the rate.
        day = datetime(2026, 8, 20, tzinfo=UTC) - timedelta(days=30 + number)
        post(row, posted_at=day, likes=100, comments=0, views=1_000)
        post(row, posted_at=day + timedelta(days=45), likes=100, comments=0, views=10_000)
    found = figures(jane, 30, AUGUST)
    assert [flag.kind for flag in found.flags] == ["views_counted_anew"]
    assert found.totals.growth["d7"] == Growth(7, 0.07)  # of followers; of views there is none
