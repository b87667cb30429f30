"""How YouTube is read: what one batch asks, what it costs, and what a fault in it spoils."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from pytest_httpserver import HTTPServer

from scraping.errors import Failure, NotConfigured
from socials.platforms.youtube.data import BEGINNING, YouTubeData
from socials.types import Ask, Depth, Reading, StopReason, Token
from tests.platforms.youtube_stage import (
    KEY,
    TOKEN,
    Stage,
    channel,
    channels,
    entry,
    page,
    payload,
    refusal,
    stat,
    video,
)

T = TypeVar("T")
R = TypeVar("R")

IDS = [f"UC{number:022d}" for number in range(120)]


@pytest.fixture
def stage(httpserver: HTTPServer) -> Stage:
    """Channels of three videos each, known by id and by handle."""
    stage = Stage(httpserver)
    stage.answers(
        channels=everybody,
        playlistItems=lambda asked: (
            200,
            page(*(entry(v) for v in videos_of(asked["playlistId"]))),
        ),
        videos=lambda asked: (200, {"items": [video(v) for v in asked["id"].split(",")]}),
        stats=lambda asked: (200, {"items": [stat(v) for v in asked["id"].split(",")]}),
    )
    return stage


def everybody(asked: dict[str, str]) -> tuple[int, Any]:
    if "id" in asked:
        return 200, channels(*(channel(i) for i in asked["id"].split(",")))
    name = asked.get("forHandle") or asked.get("forUsername") or "@mine"
    return 200, channels(channel(f"UC{name.lstrip('@'):0>22}"))


def videos_of(playlist: str) -> list[str]:
    return [f"{playlist[-5:]}-{number}" for number in range(3)]


def asks(count: int, **more: Any) -> list[Ask]:
    return [Ask(n, "YOUTUBE", f"name{n}", external_id=IDS[n], **more) for n in range(count)]


def reading_of(outcome: Reading | Failure) -> Reading:
    assert isinstance(outcome, Reading), outcome
    return outcome


# --- which channel -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handle", "parameter", "value"),
    [
        ("janesmith", "forHandle", "@janesmith"),
        ("Jané·Smith", "forHandle", "@Jané·Smith"),
        ("user/janesmith", "forUsername", "janesmith"),
        (IDS[7], "id", IDS[7]),
    ],
)
def test_a_channel_is_found_by_the_filter_of_its_handle(
    stage: Stage, handle: str, parameter: str, value: str
) -> None:
    reading_of(stage.read_one(handle))
    [asked] = stage.calls("channels")
    assert asked[parameter] == value
    assert asked["key"] == KEY
    assert not {"id", "forHandle", "forUsername", "mine"} - {parameter} & asked.keys()


def test_a_handle_travels_percent_encoded(stage: Stage) -> None:
    stage.read_one("Jané")
    [request, *_] = stage.server.log
    assert b"forHandle=%40Jan%C3%A9" in request[0].query_string


def test_the_stable_id_wins_over_the_handle_and_the_new_handle_is_told(stage: Stage) -> None:
    reading = reading_of(stage.read_one("oldname", external_id=IDS[3]))
    assert stage.calls("channels")[0]["id"] == IDS[3]
    assert reading.profile.external_id == IDS[3]
    assert reading.profile.handle == IDS[3].lower()


def test_a_handle_keeps_the_capitals_that_people_gave_it(stage: Stage) -> None:
    own = {**channel(IDS[1]), "snippet": {"title": "Jane", "customUrl": "@janesmith"}}
    stage.answers(channels=lambda asked: (200, channels(own)))
    assert reading_of(stage.read_one("JaneSmith")).profile.handle == "JaneSmith"


def test_a_full_reading_with_a_token_asks_who_granted_it(stage: Stage) -> None:
    reading = reading_of(stage.read_one("janesmith", token=True))
    assert stage.calls("channels")[0]["mine"] == "true"
    assert "key" not in stage.calls("channels")[0]
    assert stage.tokens[0] == f"Bearer {TOKEN}"
    assert reading.profile.external_id == f"UC{'mine':0>22}"


def test_an_account_with_several_channels_is_read_as_the_one_it_is_known_by(stage: Stage) -> None:
    stage.answers(channels=lambda asked: (200, channels(channel(IDS[0]), channel(IDS[1]))))
    reading = reading_of(stage.read_one("janesmith", token=True, external_id=IDS[1]))
    assert reading.profile.external_id == IDS[1]


def test_the_schedule_reads_granted_accounts_together_with_the_others(stage: Stage) -> None:
    cheap = asks(3, depth=Depth.CHEAP, known_posts=3)
    stage.read(cheap[0], replace(cheap[1], token=Token(TOKEN)), cheap[2])
    assert [call["id"] for call in stage.calls("channels")] == [",".join(IDS[:3])]
    assert stage.tokens == [""]


def test_without_a_key_the_setting_is_named_and_nothing_is_asked(stage: Stage) -> None:
    stage.settings["YOUTUBE_API_KEY"] = ""
    outcome = stage.read_one("janesmith")
    assert isinstance(outcome, NotConfigured)
    assert outcome.setting == "YOUTUBE_API_KEY"
    assert not stage.asked


def test_without_a_key_a_talents_token_reads_all_of_her_own_channel(stage: Stage) -> None:
    stage.settings["YOUTUBE_API_KEY"] = ""
    stage.answers(
        playlistItems=lambda asked: (200, page(entry("v" * 11))),
        videos=lambda asked: (200, {"items": [video("v" * 11)]}),
    )
    own, other = Ask(1, "YOUTUBE", "janesmith", token=Token(TOKEN)), Ask(2, "YOUTUBE", "other")
    came = stage.read(own, other)
    assert [post.views.value for post in reading_of(came[1]).posts] == [100]
    assert isinstance(came[2], NotConfigured)
    assert set(stage.tokens) == {f"Bearer {TOKEN}"}
    assert not any("key" in asked for _, asked in stage.asked)


# --- a batch -------------------------------------------------------------------------------------


def test_fifty_channels_are_one_call(stage: Stage) -> None:
    outcomes = stage.read(*asks(50, depth=Depth.CHEAP, known_posts=3))
    assert all(isinstance(outcome, Reading) for outcome in outcomes.values())
    [asked] = stage.calls("channels")
    assert asked["id"].split(",") == IDS[:50]
    assert asked["maxResults"] == "50"
    assert dict(stage.meter.units) == {"youtube.units": 1}


def test_more_than_fifty_are_several_calls_of_fifty(stage: Stage) -> None:
    stage.read(*asks(120, depth=Depth.CHEAP, known_posts=3))
    assert [len(call["id"].split(",")) for call in stage.calls("channels")] == [50, 50, 20]


def test_a_list_of_channels_that_comes_in_pages_is_read_to_its_end(stage: Stage) -> None:
    def five_at_a_time(asked: dict[str, str]) -> tuple[int, Any]:
        ids, first = asked["id"].split(","), int(asked.get("pageToken", 0))
        answer = channels(*(channel(i) for i in ids[first : first + 5]))
        following = {"nextPageToken": str(first + 5)} if first + 5 < len(ids) else {}
        return 200, answer | following

    stage.answers(channels=five_at_a_time)
    outcomes = stage.read(*asks(12, depth=Depth.CHEAP, known_posts=3))
    assert all(isinstance(outcome, Reading) for outcome in outcomes.values())
    assert stage.meter.units["youtube.units"] == 3


def test_channels_come_in_any_order_and_those_left_out_are_not_found(stage: Stage) -> None:
    stage.answers(
        channels=lambda asked: (
            200,
            channels(*(channel(i) for i in reversed(asked["id"].split(",")) if i != IDS[1])),
        )
    )
    outcomes = stage.read(*asks(3, depth=Depth.CHEAP, known_posts=3))
    assert reading_of(outcomes[0]).profile.external_id == IDS[0]
    assert reading_of(outcomes[2]).profile.external_id == IDS[2]
    assert isinstance(outcomes[1], Failure)
    assert outcomes[1].code == "NOT_FOUND"


def test_two_talents_may_share_a_channel(stage: Stage) -> None:
    shared = [Ask(n, "YOUTUBE", "a", external_id=IDS[0], depth=Depth.CHEAP, known_posts=3) for n in (1, 2)]  # fmt: skip
    outcomes = stage.read(*shared)
    assert {reading_of(o).profile.external_id for o in outcomes.values()} == {IDS[0]}
    assert stage.calls("channels")[0]["id"] == IDS[0]


def test_one_id_that_spoils_a_batch_is_found_and_the_others_are_read(stage: Stage) -> None:
    def refuse_one(asked: dict[str, str]) -> tuple[int, Any]:
        if IDS[30] in asked["id"].split(","):
            return refusal(400, "invalidFilters")
        return everybody(asked)

    stage.answers(channels=refuse_one)
    outcomes = stage.read(*asks(50, depth=Depth.CHEAP, known_posts=3))
    failed = {n: outcome for n, outcome in outcomes.items() if isinstance(outcome, Failure)}
    assert {n: failure.code for n, failure in failed.items()} == {30: "INTERNAL"}
    assert len(stage.calls("channels")) <= 13


def test_a_fault_of_the_whole_batch_is_one_failure_for_each(stage: Stage) -> None:
    stage.answers(channels=lambda asked: refusal(503, "backendError"))
    outcomes = stage.read(*asks(50, depth=Depth.CHEAP, known_posts=3))
    failures = [outcome for outcome in outcomes.values() if isinstance(outcome, Failure)]
    assert [failure.code for failure in failures] == ["PLATFORM_UNAVAILABLE"] * 50
    assert len({id(failure) for failure in failures}) == 50
    assert len(stage.calls("channels")) == 1


def test_one_odd_channel_fails_alone(stage: Stage) -> None:
    odd = {**channel(IDS[1]), "statistics": {"videoCount": ["many"]}}
    stage.answers(channels=lambda asked: (200, channels(channel(IDS[0]), odd, 7, channel(IDS[2]))))
    outcomes = stage.read(*asks(3, depth=Depth.CHEAP, known_posts=3))
    assert isinstance(outcomes[0], Reading)
    assert isinstance(outcomes[2], Reading)
    failure = outcomes[1]
    assert isinstance(failure, Failure)
    assert (failure.code, failure.field) == ("BAD_RESPONSE", "items[1].statistics.videoCount")


def test_accounts_are_read_side_by_side_where_that_is_possible() -> None:
    together = threading.Barrier(4, timeout=5)

    def all_at_once(asked: dict[str, str]) -> tuple[int, Any]:
        together.wait()
        return everybody(asked)

    with HTTPServer(threaded=True) as server, ThreadPoolExecutor(4) as pool:
        stage = Stage(server)
        stage.answers(channels=all_at_once)

        def side_by_side(step: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
            return pool.map(step, items)

        context = replace(stage.context, concurrently=side_by_side)
        four = [Ask(n, "YOUTUBE", f"name{n}") for n in range(4)]
        outcomes = list(YouTubeData().read_many(four, context))
    assert [type(outcome) for _, outcome in outcomes] == [Reading] * 4


# --- everything ----------------------------------------------------------------------------------


def test_a_full_reading_costs_a_channel_a_page_and_the_videos(stage: Stage) -> None:
    reading = reading_of(stage.read_one("janesmith"))
    assert [name for name, _ in stage.asked] == ["channels", "playlistItems", "videos"]
    assert dict(stage.meter.units) == {"youtube.units": 3}
    assert stage.meter.calls == 3
    assert (reading.stop_reason, reading.posts_total) == (StopReason.END, 3)
    assert reading.listed_since == BEGINNING


def test_uploads_are_listed_from_the_playlist_that_the_channel_names(stage: Stage) -> None:
    named = {**channel(IDS[0]), "contentDetails": {"relatedPlaylists": {"uploads": "UUother"}}}
    stage.answers(channels=lambda asked: (200, channels(named)))
    stage.read_one("janesmith")
    assert stage.calls("playlistItems")[0]["playlistId"] == "UUother"


def test_without_a_named_playlist_it_is_the_channel_id_with_uu(stage: Stage) -> None:
    stage.read_one(IDS[5])
    assert stage.calls("playlistItems")[0]["playlistId"] == f"UU{IDS[5][2:]}"


def pages_of(total: int) -> Callable[[dict[str, str]], tuple[int, Any]]:
    def one_page(asked: dict[str, str]) -> tuple[int, Any]:
        first, size = int(asked.get("pageToken", 0)), int(asked["maxResults"])
        last = min(first + size, total)
        day = "2026-11-01T00:00:{:02d}Z"
        return 200, page(
            *(entry(f"video{n:06d}", day.format(59 - n % 60)) for n in range(first, last)),
            following=str(last) if last < total else "",
        )

    return one_page


def test_pages_are_turned_to_the_asked_depth_and_videos_read_by_fifty(stage: Stage) -> None:
    stage.answers(
        channels=lambda asked: (200, channels(channel(IDS[0], videos=400))),
        playlistItems=pages_of(400),
    )
    reading = reading_of(stage.read_one("janesmith", post_limit=120))
    assert len(reading.posts) == 120
    assert reading.stop_reason is StopReason.LIMIT
    assert [call.get("pageToken") for call in stage.calls("playlistItems")] == [None, "50", "100"]
    assert [len(call["id"].split(",")) for call in stage.calls("videos")] == [50, 50, 20]
    assert all("maxResults" not in call for call in stage.calls("videos"))


def test_hidden_entries_are_made_up_for_by_the_next_page(stage: Stage) -> None:
    gone = {"snippet": {"title": "Private video"}, "contentDetails": {"videoId": "gone"}}
    stage.answers(
        channels=lambda asked: (200, channels(channel(IDS[0], videos=9))),
        playlistItems=lambda asked: (
            (200, page(entry("c"), entry("d")))
            if "pageToken" in asked
            else (200, page(entry("a"), gone, entry("b"), following="2"))
        ),
    )
    reading = reading_of(stage.read_one("janesmith", post_limit=3))
    assert {post.external_id for post in reading.posts} == {"a", "b", "c"}
    assert reading.stop_reason is StopReason.LIMIT


def test_a_later_page_that_fails_keeps_what_came_before(stage: Stage) -> None:
    stage.answers(
        playlistItems=lambda asked: (
            refusal(503, "backendError") if "pageToken" in asked else pages_of(400)(asked)
        )
    )
    reading = reading_of(stage.read_one("janesmith", post_limit=120))
    assert len(reading.posts) == 50
    assert (reading.stop_reason, reading.partial) == (StopReason.FAULT, ("posts",))
    assert reading.listed_since is None


def test_a_page_token_that_goes_in_circles_ends(stage: Stage) -> None:
    stage.answers(playlistItems=lambda asked: (200, page(entry("a"), entry("b"), following="x")))
    reading = reading_of(stage.read_one("janesmith", post_limit=500))
    assert len(reading.posts) == 2
    assert len(stage.calls("playlistItems")) == 2


def test_videos_that_are_listed_and_not_there_are_not_public(stage: Stage) -> None:
    stage.answers(
        videos=lambda asked: (200, {"items": [video(v) for v in asked["id"].split(",")[1:]]})
    )
    reading = reading_of(stage.read_one(IDS[0]))
    assert [post.external_id for post in reading.posts] == videos_of(f"UU{IDS[0][2:]}")[1:]


def test_a_video_list_without_any_of_the_videos_deletes_nothing(stage: Stage) -> None:
    stage.answers(videos=lambda asked: (200, {"items": []}))
    reading = reading_of(stage.read_one(IDS[0]))
    assert reading.posts == ()
    assert reading.partial == ("posts",)
    assert reading.listed_since is None


def test_one_video_out_of_order_does_not_pretend_a_deeper_listing(stage: Stage) -> None:
    times = ["2026-11-09", "2026-11-08", "2019-01-01", "2026-11-06", "2026-11-05"]
    listed = [entry(f"v{n}", f"{day}T00:00:00Z") for n, day in enumerate(times)]
    stage.answers(
        channels=lambda asked: (200, channels(channel(IDS[0], videos=80))),
        playlistItems=lambda asked: (200, page(*listed, following="5")),
    )
    reading = reading_of(stage.read_one("janesmith", post_limit=5))
    assert reading.listed_since == datetime(2026, 11, 6, tzinfo=UTC)


def test_no_posts_wanted_is_no_listing(stage: Stage) -> None:
    reading = reading_of(stage.read_one("janesmith", post_limit=0))
    assert [name for name, _ in stage.asked] == ["channels"]
    assert reading.listed_since is None


# --- only the news -------------------------------------------------------------------------------


def test_a_cheap_reading_lists_nothing_while_the_number_of_videos_stands(stage: Stage) -> None:
    reading = reading_of(stage.read_cheaply(IDS[0], known_posts=3))
    assert [name for name, _ in stage.asked] == ["channels"]
    assert (reading.stop_reason, reading.posts) == (StopReason.UNCHANGED, ())
    assert reading.listed_since is None


def test_the_numbers_of_due_videos_are_read_fifty_at_a_time_across_channels(stage: Stage) -> None:
    due = [
        replace(ask, due_posts=tuple(f"v{ask.connection_id}-{n}" for n in range(6)))
        for ask in asks(20, depth=Depth.CHEAP, known_posts=3)
    ]
    outcomes = stage.read(*due)
    assert [len(call["id"].split(",")) for call in stage.calls("videos:batchGetStats")] == [
        50,
        50,
        20,
    ]
    assert dict(stage.meter.units) == {"youtube.units": 1, "youtube.stats": 3}
    assert [len(reading_of(outcome).posts) for outcome in outcomes.values()] == [6] * 20
    assert reading_of(outcomes[7]).posts[0].external_id.startswith("v7-")


def test_new_videos_are_listed_and_only_they_are_read(stage: Stage) -> None:
    first = reading_of(stage.read_one("janesmith", external_id=IDS[0]))
    known = [post.external_id for post in first.posts]
    stage.answers(
        channels=lambda asked: (200, channels(channel(IDS[0], videos=4))),
        playlistItems=lambda asked: (200, page(entry("brandnew", "2026-11-20T09:00:00Z"), *map(entry, known))),
    )  # fmt: skip
    stage.asked.clear()
    second = reading_of(stage.read_cheaply(IDS[0], known_posts=3, extra=first.profile.extra))
    assert [name for name, _ in stage.asked] == [
        "channels",
        "playlistItems",
        "videos:batchGetStats",
    ]
    assert stage.calls("videos:batchGetStats")[0]["id"] == "brandnew"
    [post] = second.posts
    assert (post.external_id, post.caption, post.views.value) == ("brandnew", "brandnew", 200)
    assert set(second.listed_posts) == {"brandnew", *known}
    assert second.listed_since == BEGINNING


def test_the_list_of_known_videos_outlives_a_reading_without_a_listing(stage: Stage) -> None:
    first = reading_of(stage.read_one("janesmith", external_id=IDS[0]))
    second = reading_of(stage.read_cheaply(IDS[0], known_posts=3, extra=first.profile.extra))
    assert second.profile.extra["listed"] == first.profile.extra["listed"] != ""


def test_a_due_video_that_is_left_out_is_gone_only_when_it_is_gone_twice(stage: Stage) -> None:
    stage.answers(
        stats=lambda asked: (200, {"items": [stat("there")]}),
        videos=lambda asked: (200, {"items": [video("skipped")]}),
    )
    reading = reading_of(
        stage.read_cheaply(IDS[0], known_posts=3, due_posts=("there", "skipped", "deleted"))
    )
    assert stage.calls("videos")[0]["id"] == "skipped,deleted"
    assert {post.external_id: post.views.value for post in reading.posts} == {
        "there": 200,
        "skipped": 100,
    }
    assert reading.gone_posts == ("deleted",)


@pytest.mark.parametrize("reason", ["backendError", "quotaExceeded", "somethingNew"])
def test_numbers_that_can_not_be_read_cost_only_themselves(stage: Stage, reason: str) -> None:
    stage.answers(stats=lambda asked: refusal(403, reason))
    reading = reading_of(stage.read_cheaply(IDS[0], known_posts=3, due_posts=("a", "b")))
    assert reading.profile.followers.value == 1500
    assert set(reading.partial) == {"views", "likes", "comments"}
    assert reading.posts == ()
    assert reading.gone_posts == ()


def test_a_doubtful_answer_about_missing_videos_deletes_none(stage: Stage) -> None:
    stage.answers(
        stats=lambda asked: (200, {"items": []}), videos=lambda asked: refusal(503, "backendError")
    )
    reading = reading_of(stage.read_cheaply(IDS[0], known_posts=3, due_posts=("a", "b")))
    assert reading.gone_posts == ()


def test_an_unknown_number_of_videos_is_listed(stage: Stage) -> None:
    reading = reading_of(stage.read_cheaply(IDS[0], known_posts=None))
    assert len(reading.posts) == 3
    assert reading.stop_reason is StopReason.END


def test_three_thousand_channels_an_hour_fit_into_a_day_of_quota(stage: Stage) -> None:
    """Fifty channels, of which two have a new video each hour, and three posts each are due."""
    moved = {IDS[3], IDS[40]}
    stage.answers(
        channels=lambda asked: (
            200,
            channels(*(channel(i, videos=4 if i in moved else 3) for i in asked["id"].split(","))),
        )
    )
    hourly = [
        replace(
            ask,
            due_posts=tuple(f"{ask.external_id}{n}" for n in range(3)),
            extra={"listed": " ".join(videos_of(f"UU{ask.external_id[2:]}")[1:])},
        )
        for ask in asks(50, depth=Depth.CHEAP, known_posts=3)
    ]
    stage.read(*hourly)
    for_all_day = {name: units * 3000 // 50 * 24 for name, units in stage.meter.units.items()}
    assert for_all_day["youtube.units"] <= 9_000
    assert for_all_day["youtube.stats"] <= 9_000


@pytest.mark.parametrize(
    "batch",
    [
        asks(50),
        asks(50, depth=Depth.CHEAP, known_posts=3),
        asks(50, depth=Depth.CHEAP, known_posts=2, due_posts=("a", "b", "c")),
        [Ask(1, "YOUTUBE", "janesmith", post_limit=120)],
        [Ask(n, "YOUTUBE", f"user/x{n}", depth=Depth.CHEAP) for n in range(7)],
    ],
    ids=["full", "still", "moved", "deep", "by name"],
)
def test_no_reading_costs_more_than_its_price(stage: Stage, batch: list[Ask]) -> None:
    stage.answers(playlistItems=pages_of(400))
    price = YouTubeData().price(batch)
    stage.read(*batch)
    assert {
        name: units for name, units in stage.meter.units.items() if units > price.get(name, 0)
    } == {}


def test_quota_that_is_used_up_is_not_mistaken_for_a_missing_playlist(stage: Stage) -> None:
    stage.answers(playlistItems=lambda asked: refusal(403, "quotaExceeded"))
    outcome = stage.read_one("janesmith")
    assert isinstance(outcome, Failure)
    assert outcome.code == "QUOTA_EXHAUSTED"


def test_a_channel_without_uploads_has_none(stage: Stage) -> None:
    stage.answers(
        channels=lambda asked: (200, channels(channel(IDS[0], videos=0))),
        playlistItems=lambda asked: (404, payload("uploads_none")),
    )
    reading = reading_of(stage.read_one("janesmith"))
    assert (reading.posts, reading.stop_reason, reading.partial) == ((), StopReason.END, ())
    assert reading.listed_since == BEGINNING
