"""Instagram Login: the talent's own account, and insights that refuse a post or a metric at a time."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from scraping.errors import BadResponse, PermissionMissing, RateLimited, ReauthRequired
from socials.platforms.instagram.login import InstagramLogin
from socials.sync.threads import Threads
from socials.types import Ask, Count, Depth, PostKind, Reading, StopReason, Token
from tests.platforms.instagram_stage import NOW, TALENT_TOKEN, Stage, payload, refusal

USER_ID = "17841405793187218"
REEL, ALBUM = "18012345678901234", "18012345678901235"


@pytest.fixture
def stage(httpserver: HTTPServer) -> Stage:
    return Stage(httpserver)


def script(**answers: Any) -> Any:
    """The documented answers, or others by place: me, media, insights, or a post's id."""

    def say(path: str, asked: dict[str, str]) -> tuple:
        place = path.rsplit("/", 1)[-1]
        owner = path.split("/")[-2]
        answer = answers.get(f"{place}_{owner}", answers.get(place))
        if callable(answer):
            return answer(path, asked)
        if isinstance(answer, tuple):
            return answer
        return 200, answer if answer is not None else payload(place)

    return say


def refused(name: str) -> tuple[int, Any]:
    return 400, payload(name)


def insight_calls(stage: Stage) -> list[tuple[str, str]]:
    return [
        (path.split("/")[-2], asked["metric"])
        for path, asked in stage.asked
        if path.endswith("/insights")
    ]


def test_the_documented_questions_are_asked(stage: Stage) -> None:
    stage.answers(script())
    stage.log_in(post_limit=50)
    (me, asked_me), (media, asked_media), *insights = stage.asked
    assert me == "/v26.0/me"
    assert asked_me["access_token"] == TALENT_TOKEN
    assert {"id", "user_id", "username", "followers_count"} <= set(asked_me["fields"].split(","))
    assert media == f"/v26.0/{USER_ID}/media"
    assert asked_media["limit"] == "50"
    assert "view_count" not in asked_media["fields"]
    assert [path for path, _ in insights] == [
        f"/v26.0/{REEL}/insights",
        f"/v26.0/{ALBUM}/insights",
    ]
    assert insights[0][1].keys() == {"metric", "access_token"}


def test_the_documented_answers_are_read(stage: Stage) -> None:
    stage.answers(script())
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    profile = reading.profile
    assert profile.external_id == USER_ID
    assert profile.extra["app_user_id"] == "27281358591558845"
    assert (profile.handle, profile.bio) == ("x", "Slow mornings")
    reel, album = reading.posts
    assert (reel.kind, album.kind) == (PostKind.REEL, PostKind.CAROUSEL)
    assert (reel.views, reel.reach) == (Count.exact(9001), Count.exact(7044))
    assert (reel.saves, reel.shares) == (Count.exact(31), Count.exact(12))
    assert reel.view_definition == "instagram.insights.views.organic.2025-04-21"
    assert reel.thumbnail_url == "https://scontent.cdninstagram.com/t.jpg"
    assert album.thumbnail_url == "https://scontent.cdninstagram.com/c.jpg"
    assert (reading.partial, reading.stop_reason) == ((), StopReason.END)
    assert stage.meter.drift == {}
    assert stage.meter.calls == len(stage.asked) == 4


def test_trap_3_ids_stay_whole_as_strings_and_as_numbers(stage: Stage) -> None:
    me = {**payload("me"), "user_id": 17841405793187218, "id": 27281358591558845}
    stage.answers(script(me=me))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert reading.profile.external_id == "17841405793187218"
    assert reading.profile.extra["app_user_id"] == "27281358591558845"


def test_trap_4_the_account_may_be_wrapped_in_data(stage: Stage) -> None:
    stage.answers(script(me=payload("me_wrapped")))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert reading.profile.external_id == USER_ID


def test_trap_7_likes_that_the_owner_hides_are_hidden(stage: Stage) -> None:
    stage.answers(script())
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert [post.likes for post in reading.posts] == [Count.exact(12), Count.hidden()]


def test_the_address_of_the_next_page_is_neither_followed_nor_logged(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    first = payload("media")
    second = {"data": [{"id": "3", "media_type": "IMAGE"}]}

    def media(path: str, asked: dict[str, str]) -> tuple:
        return 200, second if asked.get("after") else first

    stage.answers(script(me={**payload("me"), "media_count": 3}, media=media))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert len(reading.posts) == 3
    pages = [asked for path, asked in stage.asked if path.endswith("/media")]
    assert [asked.get("after") for asked in pages] == [None, "QVFIafter"]
    assert {asked["access_token"] for asked in pages} == {TALENT_TOKEN}
    for secret in ("IGAAsecret", TALENT_TOKEN):
        assert secret not in caplog.text
        assert secret not in repr(reading)


def test_insights_in_the_second_form_are_read_and_zero_is_a_number(stage: Stage) -> None:
    stage.answers(script(insights=payload("insights_total")))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert reading.posts[0].views == Count.exact(224)
    assert reading.posts[0].saves == Count.exact(0)


def test_insights_without_data_are_unknown_and_not_zero(stage: Stage) -> None:
    stage.answers(script(insights={"data": []}))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert reading.posts[0].views == Count.unknown()
    assert (reading.posts[0].partial, reading.partial) == ((), ())


def test_a_refused_metric_is_found_by_halves_and_not_asked_again_for_that_kind(
    stage: Stage,
) -> None:
    def insights(path: str, asked: dict[str, str]) -> tuple:
        metrics = asked["metric"].split(",")
        if "shares" in metrics:
            return refused("unknown_metric")
        data = payload("insights")["data"]
        return 200, {"data": [insight for insight in data if insight["name"] in metrics]}

    reels = [{"id": str(n), "media_type": "VIDEO", "media_product_type": "REELS"} for n in (1, 2)]
    stage.answers(script(media={"data": reels}, insights=insights))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    first, second = reading.posts
    assert (first.views, first.saves) == (Count.exact(9001), Count.exact(31))
    assert first.partial == ("shares",)
    assert second.reach == Count.exact(7044)
    assert reading.partial == ("shares",)
    assert insight_calls(stage) == [
        ("1", "views,reach,saved,shares"),
        ("1", "views,reach"),
        ("1", "saved,shares"),
        ("1", "saved"),
        ("1", "shares"),
        ("2", "views,reach,saved"),
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("too_few_viewers", "Too few people"),
        ("before_conversion", "before the account became professional"),
        ("missing_object", "does not show this post's insights"),
    ],
)
def test_a_post_without_insights_says_why_and_spoils_no_other(
    stage: Stage, answer: str, words: str
) -> None:
    stage.answers(script(**{f"insights_{ALBUM}": refused(answer)}))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    reel, album = reading.posts
    assert reel.views == Count.exact(9001)
    assert words in album.note
    assert set(album.partial) == {"views", "reach", "saves", "shares"}
    assert album.comments == Count.exact(1)
    assert reading.partial == ()
    assert len(insight_calls(stage)) == 2


def test_a_missing_permission_ends_the_insights_after_one_call(stage: Stage) -> None:
    stage.answers(
        script(insights=(403, refusal(10, message="(#10) Application has no permission")))
    )
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert reading.partial == ("insights",)
    assert len(insight_calls(stage)) == 1


def test_insights_that_were_not_granted_are_not_asked_for(stage: Stage) -> None:
    stage.answers(script())
    reading = stage.log_in(scopes=("instagram_business_basic",))
    assert isinstance(reading, Reading)
    assert reading.partial == ("insights",)
    assert insight_calls(stage) == []


def test_a_limit_in_the_middle_of_the_insights_keeps_the_rest(stage: Stage) -> None:
    stage.answers(script(**{f"insights_{REEL}": refused("throttled")}))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert len(reading.posts) == 2
    assert reading.partial == ("insights",)
    assert len(insight_calls(stage)) == 1
    # It is this account's own limit: nobody else waits for it.
    assert stage.meter.usages == []


def test_what_one_post_teaches_spares_the_others_asked_side_by_side(stage: Stage) -> None:
    def insights(path: str, asked: dict[str, str]) -> tuple:
        if "saved" in asked["metric"]:
            return 400, refusal(100, message="(#100) metric[2] must be one of the following values")
        return 200, payload("insights")

    reels = [
        {"id": str(n), "media_type": "VIDEO", "media_product_type": "REELS"} for n in range(20)
    ]
    stage.answers(script(media={"data": reels}, insights=insights))
    context = replace(stage.context, concurrently=Threads(8, "test").map)
    ask = Ask(1, "INSTAGRAM", "x", token=Token("IGAA", ()), post_limit=50)
    [(_, reading)] = InstagramLogin().read_many([ask], context)
    assert isinstance(reading, Reading)
    assert reading.partial == ("saves",)
    assert len(insight_calls(stage)) == 5 + 19


def test_an_account_whose_limit_is_used_up_is_left_alone_until_it_ends(stage: Stage) -> None:
    usage = {"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 7}
    headers = {"X-Business-Use-Case-Usage": json.dumps({USER_ID: [usage]})}
    stage.answers(script(media=lambda path, asked: (200, payload("media"), headers)))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert (len(reading.posts), reading.partial, insight_calls(stage)) == (2, ("insights",), [])
    asked = len(stage.asked)
    failed = stage.log_in(extra=reading.profile.extra)
    assert isinstance(failed, RateLimited)
    assert failed.retry_at == NOW + timedelta(minutes=7)
    assert len(stage.asked) == asked
    headers.clear()
    over = {"full_until": (NOW - timedelta(seconds=1)).isoformat()}
    again = stage.log_in(extra=over)
    assert isinstance(again, Reading)
    assert (again.partial, again.profile.extra["full_until"]) == ((), "")


def test_insights_that_keep_failing_are_given_up(stage: Stage) -> None:
    posts = [{"id": str(n), "media_type": "IMAGE"} for n in range(10)]
    stage.answers(script(media={"data": posts}, insights=(500, refusal(2))))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert len(insight_calls(stage)) == 3
    assert reading.partial == ("insights",)


def test_a_dead_token_asks_for_reconnection(stage: Stage) -> None:
    stage.answers(script(me=refused("expired_token")))
    failed = stage.log_in()
    assert isinstance(failed, ReauthRequired)
    assert "expired" in failed.detail


def test_a_listing_that_is_not_permitted_leaves_the_profile(stage: Stage) -> None:
    stage.answers(script(media=(403, refusal(200, message="(#200) Permissions error"))))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert (reading.stop_reason, reading.partial) == (StopReason.REFUSED, ("posts",))
    assert reading.profile.followers == Count.exact(1234)


def test_a_first_page_that_is_throttled_is_tried_again_whole(stage: Stage) -> None:
    stage.answers(script(media=(400, payload("throttled"), {"Retry-After": "90"})))
    failed = stage.log_in()
    assert isinstance(failed, RateLimited)
    assert str(failed.retry_at) == "2026-11-20 12:01:30+00:00"
    assert failed.bucket == ""


def test_an_account_that_the_token_may_not_see_is_a_permission(stage: Stage) -> None:
    stage.answers(script(me=refused("missing_object")))
    assert isinstance(stage.log_in(), PermissionMissing)


def test_an_answer_without_the_professional_id_is_a_bad_response(stage: Stage) -> None:
    stage.answers(script(me={"id": "27281358591558845", "username": "x"}))
    failed = stage.log_in()
    assert isinstance(failed, BadResponse)
    assert failed.field == "user_id"


def test_a_cheap_reading_of_a_quiet_account_costs_one_call(stage: Stage) -> None:
    stage.answers(script())
    reading = stage.log_in(depth=Depth.CHEAP, known_posts=2)
    assert isinstance(reading, Reading)
    assert reading.stop_reason is StopReason.UNCHANGED
    assert stage.meter.calls == 1


def test_a_cheap_reading_asks_insights_of_new_and_due_posts_only(stage: Stage) -> None:
    posts = [{"id": str(n), "media_type": "IMAGE"} for n in range(1, 6)]
    stage.answers(script(me={**payload("me"), "media_count": 5}, media={"data": posts}))
    stage.log_in(depth=Depth.CHEAP, known_posts=4, due_posts=("3",))
    assert [post for post, _ in insight_calls(stage)] == ["1", "3"]


def test_a_due_post_beyond_the_listing_is_read_by_itself_or_found_gone(stage: Stage) -> None:
    deep = {"id": "90", "media_type": "IMAGE", "comments_count": 8}
    stage.answers(
        script(
            **{
                "me": {**payload("me"), "media_count": 500},
                "90": deep,
                "91": refused("missing_object"),
            }
        )
    )
    reading = stage.log_in(depth=Depth.CHEAP, known_posts=500, due_posts=("90", "91"), post_limit=2)
    assert isinstance(reading, Reading)
    assert [post.external_id for post in reading.posts] == [REEL, ALBUM, "90"]
    assert reading.gone_posts == ("91",)


def test_a_field_that_meta_retires_is_left_out_and_named(stage: Stage) -> None:
    message = "(#100) Tried accessing nonexisting field (website) on node type (IGUser)"

    def me(path: str, asked: dict[str, str]) -> tuple:
        return (
            (400, refusal(100, message=message))
            if "website" in asked["fields"]
            else (200, payload("me"))
        )

    stage.answers(script(me=me))
    reading = stage.log_in()
    assert isinstance(reading, Reading)
    assert reading.partial == ("website",)
    assert reading.profile.followers == Count.exact(1234)


def test_it_reads_only_with_a_token() -> None:
    assert not InstagramLogin().can_read(Ask(1, "INSTAGRAM", "x"))
