"""Reading public pages: one try each, an honest end at a wall, and nothing unless it is named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraping.errors import Failure
from scraping.http import Http, Limits
from scraping.meter import Meter
from scraping.providers import get
from scraping.providers.base import ScrapeContext
from scraping.types import Count, PostKind, ScrapedAccount
from socials import platforms

Answer = Callable[[Request], Response]
CHANNEL = "UCAJFSpBRao51vF9M3FNqmQa"


class Web:
    """The websites, by path; every request is kept."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.asked: list[Request] = []
        self.answers: dict[str, Answer] = {}
        server.expect_request(re.compile(".*")).respond_with_handler(self._serve)

    def _serve(self, request: Request) -> Response:
        self.asked.append(request)
        return self.answers.get(request.path, lambda _: Response("", 404))(request)

    def scrape(
        self, platform: str, *handles: str, post_limit: int = 20
    ) -> dict[str, ScrapedAccount | Failure]:
        names = ("INSTAGRAM_WEB_URL", "TIKTOK_WEB_URL", "YOUTUBE_WEB_URL")
        context = ScrapeContext(Http(Limits.within(2)), dict.fromkeys(names, self.url), Meter())
        return dict(get("public").scrape(platform, handles, post_limit=post_limit, context=context))

    def one(self, platform: str, handle: str, **options: Any) -> ScrapedAccount | Failure:
        return self.scrape(platform, handle, **options)[handle]


@pytest.fixture
def web(httpserver: HTTPServer) -> Web:
    return Web(httpserver)


def good(outcome: ScrapedAccount | Failure) -> ScrapedAccount:
    assert isinstance(outcome, ScrapedAccount), outcome
    assert outcome.source == "public"
    return outcome


def code(outcome: ScrapedAccount | Failure) -> str:
    assert isinstance(outcome, Failure), outcome
    return outcome.code


# --- off unless it is named ----------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["INSTAGRAM", "TIKTOK", "YOUTUBE"])
def test_public_pages_are_read_only_where_they_are_named(platform: str, settings: Any) -> None:
    def names() -> list[str]:
        return [source.name for source in platforms.sources(platform)]

    assert "public" not in names()
    setattr(settings, f"{platform}_SOURCES", ["public"])
    assert names() == ["public"]
    setattr(settings, f"{platform}_SOURCES", [])
    settings.PLATFORM_SETTINGS = settings.PLATFORM_SETTINGS | {"SCRAPING_PROVIDER": "public"}
    assert names()[-1] == "public"
    assert "apify" not in names()


# --- TikTok -----------------------------------------------------------------------------------------------


def tiktok_page(detail: Any, *, around: str = "") -> Answer:
    data = json.dumps({"__DEFAULT_SCOPE__": {"webapp.user-detail": detail}})
    script = f'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">{data}</script>'  # fmt: skip
    return lambda _: Response(f"<html>{around}{script}</html>", content_type="text/html")


def tiktok_user(**changes: Any) -> dict[str, Any]:
    user = {"id": "6748000000000000001", "uniqueId": "jane", "nickname": "Jane", "signature": "Hi",
            "avatarLarger": "https://p16-sign-va.tiktokcdn.com/a.jpeg", "verified": True,
            "privateAccount": False, "secret": False}  # fmt: skip
    stats = {"followerCount": 9000000, "followingCount": 54, "heart": 5000000, "heartCount": 5000000,
             "videoCount": 2}  # fmt: skip
    exact = {"followerCount": "9022701", "followingCount": "54", "heartCount": "5000123456789",
             "videoCount": "2"}  # fmt: skip
    info = {"user": user, "stats": stats, "statsV2": exact, "itemList": []}
    return {"statusCode": 0, "statusMsg": "", "userInfo": info | changes}


def test_a_tiktok_page_tells_exact_numbers_as_strings(web: Web) -> None:
    video = {"id": "7505706702050823446", "desc": "Hi", "createTime": 1747558528,
             "author": {"uniqueId": "jane"}, "video": {"duration": 97, "cover": "https://c/"},
             "stats": {"diggCount": 100, "playCount": 2000, "commentCount": 9, "shareCount": 5, "collectCount": "7"}}  # fmt: skip
    web.answers["/@jane"] = tiktok_page(tiktok_user(itemList=[video, {"desc": "no id"}]))
    account = good(web.one("TIKTOK", "jane"))
    assert account.profile.followers == Count.exact(9022701)
    assert account.profile.likes == Count.exact(5000123456789)
    assert account.profile.external_id == "6748000000000000001"
    [post] = account.posts
    assert (post.views.value, post.saves.value, post.duration_seconds) == (2000, 7, 97.0)
    assert post.posted_at == datetime(2025, 5, 18, 8, 55, 28, tzinfo=UTC)
    assert len(web.asked) == 1


def test_numbers_that_may_be_rounded_say_so_and_missing_posts_are_named(web: Web) -> None:
    web.answers["/@jane"] = tiktok_page(tiktok_user(statsV2=None))
    account = good(web.one("TIKTOK", "jane"))
    assert account.profile.followers == Count.rounded(9000000)
    assert account.partial == ("posts",)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (tiktok_page({"statusCode": 10221, "statusMsg": ""}, around='"nickname"'), "NOT_FOUND"),
        (tiktok_page({"statusCode": 10202}), "NOT_FOUND"),
        (tiktok_page({"statusCode": 10222}), "PRIVATE_ACCOUNT"),
        (tiktok_page({"statusCode": 10223}), "BLOCKED"),
        (tiktok_page({"statusCode": 10000}), "BLOCKED"),
        (tiktok_page({"statusCode": 10999}), "BAD_RESPONSE"),
        (tiktok_page({"statusCode": 0, "userInfo": {"user": {}}}), "BAD_RESPONSE"),
        (tiktok_page({"statusCode": 0, "userInfo": {"user": {"id": []}}}), "BAD_RESPONSE"),
        (tiktok_page({"statusCode": 0, "userInfo": {"user": {"id": "1", "privateAccount": True}}}), "PRIVATE_ACCOUNT"),
        (lambda _: Response("<html><title>Please wait...</title></html>"), "BLOCKED"),
        (lambda _: Response("<html>nothing</html>"), "BAD_RESPONSE"),
        (lambda _: Response("", 302, {"Location": "/login?redirect_url=x"}), "BLOCKED"),
        (lambda _: Response("", 403), "BLOCKED"),
        (lambda _: Response("", 429), "BLOCKED"),
        (lambda _: Response("", 429, {"Retry-After": "9"}), "RATE_LIMITED"),
        (lambda _: Response("", 503), "PLATFORM_UNAVAILABLE"),
        (lambda _: Response("", 404), "NOT_FOUND"),
    ],
)  # fmt: skip
def test_each_tiktok_page_has_its_one_cause_after_one_request(
    answer: Answer, cause: str, web: Web
) -> None:
    web.answers["/@jane"] = answer
    assert code(web.one("TIKTOK", "jane")) == cause
    assert len(web.asked) == 1


def test_at_a_wall_nothing_more_is_asked(web: Web) -> None:
    web.answers["/@ann"] = tiktok_page(tiktok_user())
    web.answers["/@ben"] = lambda _: Response("", 403)
    outcomes = web.scrape("TIKTOK", "ann", "ben", "cat", "dan")
    assert [type(o).__name__ for o in outcomes.values()] == ["ScrapedAccount", "Blocked", "Blocked", "Blocked"]  # fmt: skip
    assert len(web.asked) == 2


# --- Instagram ----------------------------------------------------------------------------------------------

INTERFACE = "/api/v1/users/web_profile_info/"


def instagram_user(**changes: Any) -> dict[str, Any]:
    node = {"__typename": "GraphVideo", "id": "31", "shortcode": "ABC", "taken_at_timestamp": 1700000000,
            "is_video": True, "video_view_count": 900, "display_url": "https://d/",
            "edge_media_preview_like": {"count": -1}, "edge_media_to_comment": {"count": 4},
            "edge_media_to_caption": {"edges": [{"node": {"text": "Hello"}}]}}  # fmt: skip
    return {"id": "25025320", "username": "jane", "full_name": "Jane", "biography": "Hi", "fbid": "17841400000000007",
            "edge_followed_by": {"count": 70213}, "edge_follow": {"count": 626}, "is_private": False,
            "is_verified": True, "profile_pic_url": "https://s/", "profile_pic_url_hd": "https://h/",
            "edge_owner_to_timeline_media": {"count": 156, "edges": [{"node": node}, "odd"]}} | changes  # fmt: skip


def as_json(value: Any, status: int = 200) -> Answer:
    return lambda _: Response(json.dumps(value), status, content_type="application/json")


def test_instagrams_own_interface_is_read_whole(web: Web) -> None:
    web.answers[INTERFACE] = as_json({"data": {"user": instagram_user()}, "status": "ok"})
    account = good(web.one("INSTAGRAM", "jane"))
    [request] = web.asked
    assert request.args["username"] == "jane"
    assert request.headers["x-ig-app-id"] == "936619743392459"
    profile, [post] = account.profile, account.posts
    assert (profile.external_id, profile.extra) == ("17841400000000007", {"web_id": "25025320"})
    assert (profile.followers, profile.posts) == (Count.exact(70213), Count.exact(156))
    assert (post.kind, post.likes, post.comments) == (
        PostKind.VIDEO,
        Count.hidden(),
        Count.exact(4),
    )
    assert post.caption == "Hello"


PAGE_JSON = (
    '<script type="application/json">{"require":[{"xig_user_by_username":{"pk":"25025320","id":"1784x",'
    '"username":"jane","full_name":"Jane","biography":"Hi","all_media_count":156,"follower_count":70213,'
    '"following_count":626}}]}</script>'
)
PAGE_TAGS = (
    '<meta property="og:title" content="Jane (@jane) &#x2022; Instagram photos and videos" />'
    '<meta property="og:description" content="70.2K Followers, 626 Following, 1,156 Posts - See '
    'Instagram photos and videos from Jane (@jane)" />'
)


@pytest.mark.parametrize(
    ("page", "followers", "posts"),
    [(PAGE_JSON, Count.exact(70213), Count.exact(156)), (PAGE_TAGS, Count.rounded(70200), Count.exact(1156))],
)  # fmt: skip
def test_a_profile_that_the_interface_refuses_is_read_from_its_page(
    page: str, followers: Count, posts: Count, web: Web
) -> None:
    web.answers[INTERFACE] = as_json({"message": "bad request", "status": "fail"}, 400)
    web.answers["/jane/"] = lambda _: Response(f"<html>{page}</html>")
    account = good(web.one("INSTAGRAM", "jane"))
    assert (account.profile.followers, account.profile.posts) == (followers, posts)
    assert account.profile.display_name == "Jane"
    assert account.partial == ("posts",)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (as_json({"data": {"user": None}, "status": "ok"}), "NOT_FOUND"),
        (lambda _: Response("", 404), "NOT_FOUND"),
        (as_json({"data": {"user": instagram_user(is_private=True)}}), "PRIVATE_ACCOUNT"),
        (as_json({"message": "Please wait a few minutes before you try again.", "require_login": True, "status": "fail"}, 401), "BLOCKED"),
        (as_json({"message": "checkpoint_required", "status": "fail"}, 400), "BLOCKED"),
        (as_json({"message": "feedback_required", "status": "fail"}, 400), "BLOCKED"),
        (as_json({"require_login": True, "status": "fail"}, 200), "BLOCKED"),
        (lambda _: Response("", 302, {"Location": "https://www.instagram.com/accounts/login/"}), "BLOCKED"),
        (lambda _: Response("", 429), "BLOCKED"),
        (lambda _: Response("<html>", 200), "BAD_RESPONSE"),
        (as_json({"data": {"user": instagram_user(edge_followed_by={"count": "many"})}}), "BAD_RESPONSE"),
        (lambda _: Response("", 500), "PLATFORM_UNAVAILABLE"),
    ],
)  # fmt: skip
def test_each_instagram_answer_has_its_one_cause_after_one_request(
    answer: Answer, cause: str, web: Web
) -> None:
    web.answers[INTERFACE] = answer
    assert code(web.one("INSTAGRAM", "jane")) == cause
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("page", "cause"),
    [
        (Response('<meta property="og:title" content="Instagram" />'), "BLOCKED"),
        (Response("", 302, {"Location": "/accounts/login/"}), "BLOCKED"),
        (Response("", 404), "NOT_FOUND"),
        (Response("<html></html>"), "BAD_RESPONSE"),
        (Response(PAGE_JSON.replace('"pk":"25025320",', '"is_private":true,')), "PRIVATE_ACCOUNT"),
    ],
)
def test_each_instagram_page_has_its_one_cause(page: Response, cause: str, web: Web) -> None:
    web.answers[INTERFACE] = as_json({"status": "fail"}, 400)
    web.answers["/jane/"] = lambda _: page
    assert code(web.one("INSTAGRAM", "jane")) == cause


# --- YouTube ------------------------------------------------------------------------------------------------

FEED = f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/" xmlns="http://www.w3.org/2005/Atom">
 <id>yt:channel:{CHANNEL[2:]}</id><yt:channelId>{CHANNEL[2:]}</yt:channelId><title>Jane</title>
 <entry><id>yt:video:aaaaaaaaaaa</id><yt:videoId>aaaaaaaaaaa</yt:videoId><title>One</title>
  <link rel="alternate" href="https://www.youtube.com/shorts/aaaaaaaaaaa"/><published>2026-10-21T10:00:00+00:00</published>
  <media:group><media:thumbnail url="https://i3.ytimg.com/vi/aaaaaaaaaaa/hqdefault.jpg"/>
   <media:community><media:starRating count="31" average="5.00" min="1" max="5"/><media:statistics views="1204"/></media:community></media:group></entry>
 <entry><id>yt:video:bbbbbbbbbbb</id><yt:videoId>bbbbbbbbbbb</yt:videoId><title>Two</title>
  <link rel="alternate" href="https://www.youtube.com/watch?v=bbbbbbbbbbb"/><published>2026-10-22T10:00:00+00:00</published>
  <media:group/></entry>
 <entry><title>no id</title></entry>
</feed>"""


def feed(text: str) -> Answer:
    return lambda _: Response(text, content_type="text/xml")


def test_a_feed_tells_the_newest_uploads_and_no_subscribers(web: Web) -> None:
    web.answers["/feeds/videos.xml"] = feed(FEED)
    account = good(web.one("YOUTUBE", CHANNEL))
    assert web.asked[0].args.to_dict() == {"channel_id": CHANNEL}
    assert account.profile.external_id == CHANNEL
    assert account.profile.followers == Count.unknown()
    assert account.partial == ("followers",)
    fresh, short = account.posts
    assert (short.kind, short.views, short.likes) == (PostKind.SHORT, Count.exact(1204), Count.rounded(31))  # fmt: skip
    assert (fresh.kind, fresh.views) == (PostKind.VIDEO, Count.unknown())


def test_a_handle_is_looked_up_on_its_page_first(web: Web) -> None:
    web.answers["/@jane"] = lambda _: Response(f'<link rel="canonical" href="https://www.youtube.com/channel/{CHANNEL}">')  # fmt: skip
    web.answers["/feeds/videos.xml"] = feed(FEED)
    assert good(web.one("YOUTUBE", "jane")).profile.external_id == CHANNEL
    assert [request.path for request in web.asked] == ["/@jane", "/feeds/videos.xml"]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (lambda _: Response("", 404), "PLATFORM_UNAVAILABLE"),
        (lambda _: Response("", 500), "PLATFORM_UNAVAILABLE"),
        (feed("<html></html>"), "BAD_RESPONSE"),
        (feed(FEED[:400]), "BAD_RESPONSE"),
        (
            feed('<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><feed>&d;</feed>'),
            "BAD_RESPONSE",
        ),
        (feed(""), "BAD_RESPONSE"),
    ],
)
def test_a_feed_that_fails_says_nothing_of_the_channel(
    answer: Answer, cause: str, web: Web
) -> None:
    web.answers["/feeds/videos.xml"] = answer
    assert code(web.one("YOUTUBE", CHANNEL)) == cause


def test_a_channel_whose_page_is_not_there_is_not_found(web: Web) -> None:
    assert code(web.one("YOUTUBE", "jane")) == "NOT_FOUND"
    web.answers["/@jane"] = lambda _: Response("<html>consent</html>")
    assert code(web.one("YOUTUBE", "jane")) == "BAD_RESPONSE"
