"""Business Discovery: nested fields, cursors inside them, and what an absent field means."""

from __future__ import annotations

import json
import re

import pytest
from pytest_httpserver import HTTPServer

from scraping.errors import BadResponse, InvalidHandle, NotFound, RateLimited
from socials.types import Count, Depth, PostKind, Quality, Reading, StopReason
from tests.platforms.instagram_stage import AGENCY_TOKEN, OWN_ID, Stage, payload, refusal


@pytest.fixture
def stage(httpserver: HTTPServer) -> Stage:
    return Stage(httpserver)


def media(*numbers: int, after: str = "") -> dict:
    edge: dict = {
        "data": [
            {
                "id": str(number),
                "media_type": "IMAGE",
                "media_product_type": "FEED",
                "timestamp": f"2026-11-{number:02d}T10:00:00+0000",
                "like_count": number,
            }
            for number in numbers
        ]
    }
    if numbers:
        edge["paging"] = {"cursors": {"before": "B", **({"after": after} if after else {})}}
    return edge


def account(edge: dict | None = None, **fields: object) -> dict:
    found = {"id": "17841401441775531", "username": "bluebottle", "media_count": 3, **fields}
    return {"business_discovery": {**found, "media": edge or media()}, "id": OWN_ID}


def test_the_documented_question_is_asked(stage: Stage) -> None:
    stage.answers_always(payload("discovery"))
    stage.discover(post_limit=4)
    [(path, asked)] = stage.asked
    assert path == f"/v26.0/{OWN_ID}"
    assert asked.keys() == {"fields", "access_token"}
    assert asked["access_token"] == AGENCY_TOKEN
    assert re.fullmatch(
        r"business_discovery\.username\(bluebottle\)\{[a-z_,]+,media\.limit\(4\)\{[a-z_,]+\}\}",
        asked["fields"],
    )


def test_the_documented_answer_is_read(stage: Stage) -> None:
    stage.answers_always(payload("discovery"))
    reading = stage.discover(post_limit=4)
    assert isinstance(reading, Reading)
    assert reading.profile.external_id == "17841401441775531"
    assert reading.profile.followers == Count.exact(267793)
    assert reading.posts_total == 1205
    assert reading.source == "instagram_business_discovery"
    assert [post.likes.value for post in reading.posts] == [5841, 2998, 3644, 4943]
    assert (reading.stop_reason, reading.partial) == (StopReason.LIMIT, ())


def test_a_recorded_answer_with_a_numeric_id_is_read(stage: Stage) -> None:
    stage.answers_always(payload("discovery_real"))
    reading = stage.discover("nokiamobilepl")
    assert isinstance(reading, Reading)
    assert reading.profile.extra == {"web_id": "7957300152"}
    assert reading.profile.display_name == "Nokia Mobile"
    assert stage.meter.drift == {}


def test_trap_1_a_personal_account_looks_like_an_unknown_one(stage: Stage) -> None:
    stage.answers_always(payload("discovery_unknown_user"), status=400)
    failed = stage.discover("jane.smith")
    assert isinstance(failed, NotFound)
    assert "personal" in failed.detail
    assert "jane.smith" in failed.detail


@pytest.mark.parametrize(("code", "subcode"), [(110, 0), (100, 2207013)])
def test_trap_1_either_half_of_the_pair_says_it(stage: Stage, code: int, subcode: int) -> None:
    stage.answers_always(refusal(code, subcode), status=400)
    assert isinstance(stage.discover(), NotFound)


def test_trap_6_times_without_a_colon_are_understood(stage: Stage) -> None:
    stage.answers_always(account(media(7)))
    reading = stage.discover()
    assert isinstance(reading, Reading)
    assert str(reading.posts[0].posted_at) == "2026-11-07 10:00:00+00:00"


def test_trap_7_a_like_count_left_out_is_hidden_and_a_biography_left_out_is_unknown(
    stage: Stage,
) -> None:
    item = {"id": "1", "media_type": "IMAGE", "comments_count": 0}
    stage.answers_always(account({"data": [item]}))
    reading = stage.discover()
    assert isinstance(reading, Reading)
    assert reading.profile.bio is None
    assert reading.profile.avatar_url is None
    assert reading.profile.followers.quality is Quality.UNKNOWN
    assert reading.posts[0].likes == Count.hidden()
    assert reading.posts[0].comments == Count.exact(0)
    assert reading.posts[0].caption is None


def test_trap_8_the_cursor_goes_inside_the_fields(stage: Stage) -> None:
    pages = {"": media(9, 8, after="QVFIone"), "QVFIone": media(7, after="QVFItwo")}

    def script(path: str, asked: dict[str, str]) -> tuple:
        cursor = re.search(r"media\.after\(([^)]*)\)", asked["fields"])
        return 200, account(pages[cursor[1] if cursor else ""])

    stage.answers(script)
    reading = stage.discover(post_limit=50)
    assert isinstance(reading, Reading)
    assert [post.external_id for post in reading.posts] == ["9", "8", "7"]
    assert stage.asked[1][1]["fields"].startswith(
        "business_discovery.username(bluebottle){media.after(QVFIone).limit(48){id,"
    )
    assert all("after" not in asked for _, asked in stage.asked)
    # All three posts are here, so the second page's cursor is not followed to an empty third.
    assert len(stage.asked) == 2
    assert reading.stop_reason is StopReason.END


def test_views_of_a_reel_carry_their_definition(stage: Stage) -> None:
    reel = {"id": "1", "media_type": "VIDEO", "media_product_type": "REELS", "view_count": 5000}
    image = {"id": "2", "media_type": "IMAGE", "media_product_type": "FEED"}
    stage.answers_always(account({"data": [reel, image]}))
    reading = stage.discover()
    assert isinstance(reading, Reading)
    first, second = reading.posts
    assert (first.kind, first.views) == (PostKind.REEL, Count.exact(5000))
    assert first.view_definition == "instagram.view_count.paid-and-organic.2025-04-21"
    assert (second.views, second.view_definition) == (Count.unknown(), "")


def test_a_platform_that_repeats_a_page_for_ever_is_left(stage: Stage) -> None:
    stage.answers_always(account(media(9, 8, after="SAME"), media_count=500))
    reading = stage.discover(post_limit=50)
    assert isinstance(reading, Reading)
    assert len(reading.posts) == 2
    assert len(stage.asked) == 2


def test_a_later_page_that_fails_keeps_the_first(stage: Stage) -> None:
    def script(path: str, asked: dict[str, str]) -> tuple:
        if "after(" in asked["fields"]:
            return (
                400,
                refusal(4, message="Application request limit reached"),
                {"Retry-After": "60"},
            )
        return 200, account(media(9, 8, after="NEXT"))

    stage.answers(script)
    reading = stage.discover(post_limit=50)
    assert isinstance(reading, Reading)
    assert len(reading.posts) == 2
    assert (reading.stop_reason, reading.partial) == (StopReason.FAULT, ("posts",))
    assert reading.listed_since is None
    # The limit is everybody's, so it is told although this reading stands.
    [usage] = stage.meter.usages
    assert (usage.bucket, usage.percent) == ("instagram.app", 100)
    assert usage.blocked_until is not None


def test_a_listing_that_is_whole_can_tell_deleted_posts_from_its_beginning(stage: Stage) -> None:
    stage.answers_always(account(media(9, 8, 7)))
    reading = stage.discover()
    assert isinstance(reading, Reading)
    assert reading.listed_since is not None
    assert reading.listed_since.year == 1970


def test_a_listing_that_stops_early_can_tell_them_from_its_last_post(stage: Stage) -> None:
    stage.answers_always(account(media(9, 8, after="NEXT")))
    reading = stage.discover(post_limit=2)
    assert isinstance(reading, Reading)
    assert str(reading.listed_since) == "2026-11-08 10:00:00+00:00"


def test_an_account_whose_posts_are_withheld_loses_none(stage: Stage) -> None:
    stage.answers_always(account(media(), media_count=120))
    reading = stage.discover()
    assert isinstance(reading, Reading)
    assert (reading.partial, reading.listed_since) == (("posts",), None)


def test_an_account_without_posts_is_complete(stage: Stage) -> None:
    answer = account(media_count=0)
    del answer["business_discovery"]["media"]
    stage.answers_always(answer)
    reading = stage.discover()
    assert isinstance(reading, Reading)
    assert (reading.posts, reading.partial, reading.posts_total) == ((), (), 0)


def test_a_cheap_reading_asks_for_no_posts_while_their_number_stands(stage: Stage) -> None:
    stage.answers_always(account())
    reading = stage.discover(depth=Depth.CHEAP, known_posts=3)
    assert isinstance(reading, Reading)
    assert reading.stop_reason is StopReason.UNCHANGED
    [(_, asked)] = stage.asked
    assert "media." not in asked["fields"]


def test_a_cheap_reading_lists_posts_once_their_number_moved(stage: Stage) -> None:
    stage.answers_always(account(media(9, 8, 7)))
    reading = stage.discover(depth=Depth.CHEAP, known_posts=2)
    assert isinstance(reading, Reading)
    assert len(reading.posts) == 3
    assert len(stage.asked) == 2


def test_a_field_that_meta_retires_is_left_out_and_named(stage: Stage) -> None:
    def script(path: str, asked: dict[str, str]) -> tuple:
        if "view_count" in asked["fields"]:
            message = "(#100) Tried accessing nonexisting field (view_count) on node type (IGMedia)"
            return 400, refusal(100, message=message)
        return 200, account(media(9))

    stage.answers(script)
    reading = stage.discover()
    assert isinstance(reading, Reading)
    assert reading.partial == ("view_count",)
    assert len(reading.posts) == 1


def test_an_answer_that_is_too_large_for_meta_is_asked_for_in_smaller_pages(stage: Stage) -> None:
    def script(path: str, asked: dict[str, str]) -> tuple:
        if "limit(50)" in asked["fields"]:
            message = "Please reduce the amount of data you're asking for, then retry your request"
            return 500, refusal(1, message=message)
        return 200, account(media(9, 8, 7))

    stage.answers(script)
    reading = stage.discover(post_limit=50)
    assert isinstance(reading, Reading)
    assert "limit(25)" in stage.asked[-1][1]["fields"]


def test_one_odd_post_keeps_its_reason_and_spoils_no_other(stage: Stage) -> None:
    odd = {"id": "2", "media_type": "IMAGE", "comments_count": "many", "like_count": 4}
    stage.answers_always(account({"data": [{"id": "1", "media_type": "IMAGE"}, odd, "junk"]}))
    reading = stage.discover()
    assert isinstance(reading, Reading)
    good, kept = reading.posts
    assert good.partial == ()
    assert (kept.partial, kept.likes) == (("comments",), Count.exact(4))
    assert "comments_count" in kept.note
    path = "business_discovery.media.data[].id"
    assert stage.meter.drift == {("instagram_business_discovery", path): 1}
    # The one without an id may be any stored post, so none is called deleted.
    assert reading.listed_since is None


def test_a_wrong_type_in_the_profile_names_platform_and_field(stage: Stage) -> None:
    stage.answers_always(account(followers_count={"n": 1}))
    failed = stage.discover()
    assert isinstance(failed, BadResponse)
    assert failed.platform == "INSTAGRAM"
    assert failed.source == "instagram_business_discovery"
    assert failed.field == "business_discovery.followers_count"


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "null", '{"business_discovery": []}', "{}", '{"business_discovery'],
)  # fmt: skip
def test_anything_else_is_a_bad_response(stage: Stage, body: str) -> None:
    stage.answers_always(body)
    failed = stage.discover()
    assert isinstance(failed, BadResponse)
    assert failed.platform == "INSTAGRAM"
    assert failed.field


def test_an_unknown_media_type_is_guessed_and_counted(stage: Stage) -> None:
    stage.answers_always(account({"data": [{"id": "1", "media_type": "HOLOGRAM"}]}))
    reading = stage.discover()
    assert isinstance(reading, Reading)
    assert (reading.posts[0].kind, reading.posts[0].kind_confidence) == (PostKind.IMAGE, "guessed")
    assert stage.meter.drift == {("instagram_business_discovery", "media_type=HOLOGRAM"): 1}


def test_an_unknown_field_is_counted_and_harmless(stage: Stage) -> None:
    stage.answers_always(account(threads_handle="x"))
    assert isinstance(stage.discover(), Reading)
    path = "business_discovery.threads_handle"
    assert stage.meter.drift == {("instagram_business_discovery", path): 1}


def test_a_handle_that_could_break_out_of_the_question_is_never_sent(stage: Stage) -> None:
    stage.answers_always(account())
    assert isinstance(stage.discover("x){id},business_discovery.username(y"), InvalidHandle)
    assert stage.asked == []


def test_a_limit_of_the_agency_names_the_bucket_that_all_share(stage: Stage) -> None:
    headers = {
        "X-Business-Use-Case-Usage": json.dumps(
            {
                OWN_ID: [
                    {"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 7}
                ]
            }
        )
    }
    stage.answers_always(refusal(17), status=400, headers=headers)
    failed = stage.discover()
    assert isinstance(failed, RateLimited)
    assert failed.bucket == "instagram.app"
    assert str(failed.retry_at) == "2026-11-20 12:07:00+00:00"
