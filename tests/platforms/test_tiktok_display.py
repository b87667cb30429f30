"""TikTok's Display API v2 by its wire: what is asked, what is read, what its errors mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraping.errors import BadResponse, Failure, PermissionMissing, PlatformUnavailable
from scraping.types import Count
from socials.platforms.tiktok.display import TikTokDisplay
from socials.types import Ask, Depth, Reading, StopReason, Token
from tests.platforms.tiktok_stage import (
    EVERYTHING,
    NOW,
    TOKEN,
    Stage,
    ok,
    payload,
    refuse,
    reply,
    some_video,
)

USER, LIST, QUERY = "/v2/user/info/", "/v2/video/list/", "/v2/video/query/"


@pytest.fixture
def tiktok(httpserver: HTTPServer) -> Stage:
    return Stage(httpserver)


def good(outcome: Reading | Failure) -> Reading:
    assert isinstance(outcome, Reading), outcome
    return outcome


def bad(outcome: Reading | Failure) -> Failure:
    assert isinstance(outcome, Failure), outcome
    assert outcome.platform == "TIKTOK"
    assert TOKEN not in f"{outcome!r} {outcome} {vars(outcome)}"
    return outcome


def ids(reading: Reading) -> list[int]:
    return [int(post.external_id) - 7080213458555730000 for post in reading.posts]


# --- what is read -----------------------------------------------------------------------------------


def test_the_documented_answers_are_read_whole(tiktok: Stage) -> None:
    reading = good(tiktok.read())
    profile, post = reading.profile, reading.posts[0]
    assert profile.external_id == "723f24d7-e717-40f8-a2b6-cb8464cd23b4"
    assert (profile.handle, profile.display_name, profile.bio) == (
        "creator_x",
        "Creator X",
        "Hello",
    )
    assert profile.avatar_url is not None
    assert profile.avatar_url.endswith("720x720.jpeg")
    assert profile.followers == Count.exact(9022701)
    assert profile.likes == Count.exact(5_000_000_000)
    assert (profile.verified, profile.private) == (False, None)
    assert post.posted_at == datetime(2022, 3, 10, 3, 45, 59, tzinfo=UTC)
    assert [c.value for c in (post.likes, post.comments, post.shares, post.views)] == [12, 3, 1, 3_000_000_000]  # fmt: skip
    assert post.saves == Count.unknown()
    assert post.url == "https://www.tiktok.com/@creator_x/video/7080213458555737986"
    assert (post.caption, reading.posts[1].caption) == ("video 1 #fyp", "video 0")
    assert reading.posts[1].likes == Count.exact(0)
    assert reading.posts[1].views == Count.unknown()
    assert reading.posts[1].view_definition == ""
    assert (reading.source, reading.fetched_at) == ("tiktok_display", NOW)
    assert (reading.stop_reason, reading.posts_total) == (StopReason.END, 2)
    assert reading.listed_since == reading.posts[1].posted_at
    assert tiktok.meter.drift == {}


def test_only_fields_of_granted_scopes_are_asked_for(tiktok: Stage) -> None:
    reading = good(tiktok.read(scopes=("user.info.basic",)))
    assert tiktok.fields(USER) == {
        "open_id", "union_id", "avatar_url", "avatar_url_100", "avatar_large_url", "display_name",
    }  # fmt: skip
    assert tiktok.sent(LIST) == []
    assert reading.partial == ("bio", "followers", "posts")
    assert reading.stop_reason is StopReason.REFUSED
    assert reading.listed_since is None


def test_with_every_scope_every_field_is_asked_for(tiktok: Stage) -> None:
    tiktok.read()
    assert {"username", "is_verified", "follower_count", "video_count"} < tiktok.fields(USER)
    assert {"id", "create_time", "view_count", "share_url"} < tiktok.fields(LIST)


def test_without_a_username_the_handle_that_was_asked_for_stays(tiktok: Stage) -> None:
    user = {"open_id": "o", "display_name": "X"}
    tiktok.answers[USER] = lambda _: ok({"user": user})
    assert good(tiktok.read(scopes=("user.info.basic",))).profile.handle == "asked"


# --- listing ------------------------------------------------------------------------------------------


def test_pages_of_twenty_go_on_by_a_cursor_in_milliseconds(tiktok: Stage) -> None:
    tiktok.lists(list(range(60, 0, -1)))
    reading = good(tiktok.read(post_limit=50))
    assert ids(reading) == list(range(60, 10, -1))
    bodies = [request.get_json() for request in tiktok.sent(LIST)]
    assert [body["max_count"] for body in bodies] == [20, 20, 10]
    assert "cursor" not in bodies[0]
    assert bodies[1]["cursor"] == (1_700_000_000 + 41 * 3600) * 1000
    assert reading.stop_reason is StopReason.LIMIT
    assert reading.listed_since == datetime.fromtimestamp(1_700_000_000 + 11 * 3600, UTC)


def test_a_cursor_without_more_is_not_followed(tiktok: Stage) -> None:
    """The documentation's own example tells a cursor where nothing follows."""
    good(tiktok.read(post_limit=50))
    assert len(tiktok.sent(LIST)) == 1


@pytest.mark.parametrize(
    "data", [{"videos": [], "cursor": 0, "has_more": False}, {"has_more": False}]
)
def test_an_account_without_videos_is_read(tiktok: Stage, data: Any) -> None:
    tiktok.answers[LIST] = lambda _: ok(data)
    reading = good(tiktok.read())
    assert (reading.posts, reading.stop_reason, reading.partial) == ((), StopReason.END, ())


def test_a_listing_that_goes_round_in_circles_ends(tiktok: Stage) -> None:
    page = {"videos": [some_video(1)], "cursor": 1_700_000_000_000, "has_more": True}
    tiktok.answers[LIST] = lambda _: ok(page)
    reading = good(tiktok.read(post_limit=50))
    assert len(tiktok.sent(LIST)) <= 3
    assert reading.stop_reason is StopReason.FAULT
    assert reading.partial == ("posts",)


@pytest.mark.parametrize(
    "fault",
    [refuse(500, "internal_error"), refuse(429, "rate_limit_exceeded"), lambda _: reply("garbled")],
)
def test_a_later_page_that_fails_leaves_the_earlier_ones(tiktok: Stage, fault: Any) -> None:
    tiktok.lists(list(range(40, 0, -1)))
    whole = tiktok.answers[LIST]
    tiktok.answers[LIST] = lambda r: fault(r) if "cursor" in r.get_json() else whole(r)
    reading = good(tiktok.read(post_limit=40))
    assert len(reading.posts) == 20
    assert (reading.stop_reason, reading.partial) == (StopReason.FAULT, ("posts",))
    assert reading.listed_since is None


def test_an_odd_video_keeps_its_id_and_the_reason(tiktok: Stage) -> None:
    tiktok.answers[LIST] = lambda _: ok(
        {"videos": [some_video(3), some_video(2, view_count="plenty"), {"title": "no id"}, "odd"],
         "has_more": False}
    )  # fmt: skip
    reading = good(tiktok.read())
    assert ids(reading) == [3, 2]
    assert reading.posts[1].note == "data.videos[].view_count should be a count, not str"
    assert tiktok.meter.drift["tiktok_display", "data.videos[] without id"] == 2


# --- cheap readings --------------------------------------------------------------------------------------


def test_when_the_number_of_videos_did_not_move_only_due_ones_are_asked_by_id(
    tiktok: Stage,
) -> None:
    def query(request: Request) -> Response:
        wanted = request.get_json()["filters"]["video_ids"]
        assert 1 <= len(wanted) <= 20
        return ok({"videos": [{"id": i, "view_count": 7} for i in wanted if i != "gone"]})

    tiktok.answers[QUERY] = query
    due = (*(str(number) for number in range(24)), "gone")
    reading = good(tiktok.read(depth=Depth.CHEAP, known_posts=2, due_posts=due))
    assert tiktok.sent(LIST) == []
    assert len(tiktok.sent(QUERY)) == 2
    assert len(reading.posts) == 24
    assert reading.gone_posts == ("gone",)
    assert (reading.stop_reason, reading.listed_since) == (StopReason.UNCHANGED, None)


def test_nothing_due_costs_one_call(tiktok: Stage) -> None:
    good(tiktok.read(depth=Depth.CHEAP, known_posts=2))
    assert tiktok.meter.units == {"tiktok.user_info": 1}
    assert tiktok.meter.calls == 1


@pytest.mark.parametrize("known", [1, None])
def test_when_the_number_moved_or_was_never_known_the_videos_are_listed(
    tiktok: Stage, known: int | None
) -> None:
    good(tiktok.read(depth=Depth.CHEAP, known_posts=known))
    assert len(tiktok.sent(LIST)) == 1


def test_the_price_of_a_reading_is_never_below_what_it_spends(tiktok: Stage) -> None:
    tiktok.lists(list(range(100, 0, -1)))
    ask = Ask(1, "TIKTOK", "x", token=Token(TOKEN, EVERYTHING), post_limit=50)
    price = TikTokDisplay().price([ask])
    list(TikTokDisplay().read_many([ask], tiktok.context))
    assert dict(tiktok.meter.units) == price == {"tiktok.user_info": 1, "tiktok.video_list": 3}


# --- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refuse(401, "access_token_invalid"), "REAUTH_REQUIRED"),
        (refuse(200, "access_token_invalid"), "REAUTH_REQUIRED"),
        (refuse(401, "scope_not_authorized"), "PERMISSION_MISSING"),
        (refuse(400, "scope_permission_missed"), "PERMISSION_MISSING"),
        (lambda _: reply(payload("scope_not_authorized"), 401), "PERMISSION_MISSING"),
        (refuse(429, "rate_limit_exceeded"), "RATE_LIMITED"),
        (refuse(500, "internal_error"), "PLATFORM_UNAVAILABLE"),
        (refuse(400, "invalid_params"), "INTERNAL"),
        (refuse(400, "spam_risk_too_many_posts"), "BAD_RESPONSE"),
        (refuse(401, "never_heard_of"), "BAD_RESPONSE"),
        (refuse(403, ""), "BAD_RESPONSE"),
        (lambda _: Response("<html>502</html>", 502), "PLATFORM_UNAVAILABLE"),
        (lambda _: Response("<html>429</html>", 429), "RATE_LIMITED"),
        (lambda _: Response("", 401), "BAD_RESPONSE"),
        (lambda _: Response("", 302, {"Location": "https://www.tiktok.com/login"}), "BAD_RESPONSE"),
        (lambda _: reply('{"data": {"user'), "BAD_RESPONSE"),
        (lambda _: reply([1]), "BAD_RESPONSE"),
        (lambda _: reply({"error": {"code": "ok"}}), "BAD_RESPONSE"),
        (lambda _: reply({"data": {}, "error": {"code": "ok"}}), "BAD_RESPONSE"),
        (lambda _: ok({"user": {"display_name": "no id"}}), "BAD_RESPONSE"),
        (lambda _: ok({"user": {"open_id": "x", "follower_count": "plenty"}}), "BAD_RESPONSE"),
    ],
)
def test_each_answer_of_the_profile_has_its_one_cause(
    answer: Callable[[Request], Response], code: str, tiktok: Stage
) -> None:
    tiktok.answers[USER] = answer
    assert bad(tiktok.read()).code == code


def test_only_a_classified_refusal_ends_a_grant(tiktok: Stage) -> None:
    """A doubtful 401 is not a dead permission."""
    tiktok.answers[USER] = refuse(401, "something_new")
    assert bad(tiktok.read()).later


def test_a_limit_without_a_known_end_tells_none_and_one_with_tells_it(tiktok: Stage) -> None:
    tiktok.answers[USER] = refuse(429, "rate_limit_exceeded")
    assert bad(tiktok.read()).retry_at is None
    tiktok.answers[USER] = refuse(429, "rate_limit_exceeded", **{"Retry-After": "30"})
    assert bad(tiktok.read()).retry_at == NOW + timedelta(seconds=30)


def test_a_listing_that_is_not_permitted_leaves_the_profile(tiktok: Stage) -> None:
    tiktok.answers[LIST] = refuse(401, "scope_not_authorized")
    reading = good(tiktok.read())
    assert reading.profile.followers.value == 9022701
    assert (reading.partial, reading.stop_reason) == (("posts",), StopReason.REFUSED)


@pytest.mark.parametrize("code", ["access_token_invalid", "rate_limit_exceeded", "internal_error"])
def test_a_first_page_that_fails_fails_the_reading(tiktok: Stage, code: str) -> None:
    status = {"access_token_invalid": 401, "rate_limit_exceeded": 429}.get(code, 500)
    tiktok.answers[LIST] = refuse(status, code)
    assert not isinstance(bad(tiktok.read()), (PermissionMissing, BadResponse))


def test_a_wrong_type_names_platform_and_field(tiktok: Stage) -> None:
    tiktok.answers[USER] = lambda _: ok({"user": {"open_id": "x", "follower_count": [1]}})
    failure = bad(tiktok.read())
    assert (failure.platform, failure.field) == ("TIKTOK", "data.user.follower_count")


def test_unknown_fields_are_counted_and_never_fatal(tiktok: Stage) -> None:
    user = payload("user_info")["data"]["user"] | {"mood": "sunny"}
    tiktok.answers[USER] = lambda _: ok({"user": user})
    good(tiktok.read())
    assert tiktok.meter.drift == {("tiktok_display", "data.user.mood"): 1}


def test_an_unreachable_platform_is_an_outage(tiktok: Stage) -> None:
    tiktok.settings["TIKTOK_API_URL"] = "http://127.0.0.1:9"
    assert isinstance(bad(tiktok.read()), PlatformUnavailable)


def test_without_a_grant_nothing_is_asked() -> None:
    assert not TikTokDisplay().can_read(Ask(1, "TIKTOK", "jane"))


def test_a_scope_that_was_taken_away_later_costs_only_what_it_told(tiktok: Stage) -> None:
    told = {"user.info.basic", "user.info.profile", "video.list"}
    by_scope = {"follower_count": "user.info.stats", "username": "user.info.profile"}

    def user(request: Request) -> Response:
        asked = request.args["fields"].split(",")
        if any(by_scope.get(name, "user.info.basic") not in told for name in asked):
            return refuse(401, "scope_not_authorized")(request)
        whole = payload("user_info")["data"]["user"]
        return ok({"user": {name: whole[name] for name in asked if name in whole}})

    tiktok.answers[USER] = user
    reading = good(tiktok.read())
    assert (reading.profile.followers, reading.partial) == (Count.unknown(), ("followers",))
    assert reading.profile.handle
    assert reading.posts
    told.remove("user.info.profile")
    reading = good(tiktok.read())
    assert reading.partial == ("bio", "followers")
    told.clear()
    assert isinstance(bad(tiktok.read()), PermissionMissing)
