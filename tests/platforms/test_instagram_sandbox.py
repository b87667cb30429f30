"""The sandbox's Instagram: as strict as Meta, steered by the handle, and read by our own adapter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from scraping.errors import (
    BadResponse,
    Failure,
    NotConfigured,
    NotFound,
    PlatformUnavailable,
    RateLimited,
    ReauthRequired,
)
from scraping.http import Http, Limits
from scraping.meter import Meter
from scraping.providers.public.provider import PROVIDER as PUBLIC_PROVIDER
from scraping.types import ScrapedAccount
from socials.platforms.instagram import oauth
from socials.platforms.instagram import sandbox as instagram
from socials.platforms.instagram.business_discovery import BusinessDiscovery
from socials.platforms.instagram.login import InstagramLogin
from socials.platforms.instagram.sandbox import fields, tokens
from socials.sandbox import CREDENTIALS, Sandbox
from socials.types import Ask, Context, PostKind, Quality, Reading, StopReason, Token

NOW = datetime.now(UTC)


@pytest.fixture
def context(platform_settings: dict[str, str]) -> Context:
    return Context(Http(Limits.within(10)), platform_settings, Meter())


def discover(context: Context, handle: str, **ask: Any) -> Reading | Failure:
    [(_, outcome)] = BusinessDiscovery().read_many([Ask(1, "INSTAGRAM", handle, **ask)], context)
    return outcome


def log_in(context: Context, handle: str, kind: str = "long", **ask: Any) -> Reading | Failure:
    token = Token(tokens.token(handle, kind))
    [(_, outcome)] = InstagramLogin().read_many(
        [Ask(1, "INSTAGRAM", handle, token=token, **ask)], context
    )
    return outcome


def test_it_accepts_the_credentials_that_the_app_is_given() -> None:
    assert CREDENTIALS["META_ACCESS_TOKEN"] == instagram.META_ACCESS_TOKEN
    assert CREDENTIALS["META_IG_USER_ID"] == instagram.META_IG_USER_ID
    assert CREDENTIALS["META_APP_SECRET"] == instagram.META_APP_SECRET
    assert CREDENTIALS["INSTAGRAM_CLIENT_ID"] == tokens.CLIENT_ID
    assert CREDENTIALS["INSTAGRAM_CLIENT_SECRET"] == tokens.CLIENT_SECRET


def test_both_doors_show_the_same_account(context: Context) -> None:
    public, own = discover(context, "jane.smith"), log_in(context, "jane.smith")
    assert isinstance(public, Reading)
    assert isinstance(own, Reading)
    assert public.profile.external_id == own.profile.external_id
    assert public.profile.followers == own.profile.followers
    assert [post.external_id for post in public.posts] == [post.external_id for post in own.posts]
    assert {post.kind for post in public.posts} == {
        PostKind.IMAGE,
        PostKind.REEL,
        PostKind.CAROUSEL,
    }
    assert any(post.likes.quality is Quality.HIDDEN for post in public.posts)
    assert all(post.reach.value is not None for post in own.posts)
    assert context.meter.drift == {}


def test_a_deep_listing_turns_pages_at_both_doors(context: Context) -> None:
    for read in (discover, log_in):
        reading = read(context, "jane.smith", post_limit=130)
        assert isinstance(reading, Reading)
        assert len({post.external_id for post in reading.posts}) == 130
        assert reading.stop_reason is StopReason.LIMIT


def test_posts_older_than_the_conversion_have_no_insights(context: Context) -> None:
    reading = log_in(context, "jane.smith", post_limit=1000)
    assert isinstance(reading, Reading)
    without = [post for post in reading.posts if post.note]
    assert len(without) == 5
    assert {post.views.quality for post in without} == {Quality.UNKNOWN}
    assert reading.stop_reason is StopReason.END


@pytest.mark.parametrize(
    ("handle", "kind"),
    [
        ("nonexistent.one", NotFound),
        ("private.one", NotFound),
        ("personal.one", NotFound),
        ("down.one", PlatformUnavailable),
        ("garbled.one", BadResponse),
        ("expired.one", NotConfigured),
    ],
)
def test_a_mood_decides_what_the_agency_sees(
    context: Context, handle: str, kind: type[Failure]
) -> None:
    assert isinstance(discover(context, handle), kind)


@pytest.mark.parametrize(
    ("handle", "kind"),
    [("down.one", PlatformUnavailable), ("garbled.one", BadResponse), ("expired.one", ReauthRequired)],
)  # fmt: skip
def test_a_mood_decides_what_the_talents_token_sees(
    context: Context, handle: str, kind: type[Failure]
) -> None:
    assert isinstance(log_in(context, handle), kind)


def test_a_limited_account_says_until_when(context: Context) -> None:
    failed = discover(context, "ratelimited.one")
    assert isinstance(failed, RateLimited)
    assert failed.retry_at is not None
    # One account's limit holds up no other.
    assert failed.bucket == ""


def test_a_flaky_account_fails_twice_at_each_door(context: Context) -> None:
    for read in (discover, log_in):
        outcomes = [type(read(context, "flaky.one")) for _ in range(3)]
        assert outcomes == [PlatformUnavailable, PlatformUnavailable, Reading]


def test_a_renamed_account_keeps_its_id(context: Context) -> None:
    reading = discover(context, "renamed.one")
    assert isinstance(reading, Reading)
    assert reading.profile.handle == "renamed.one.now"


def test_photos_are_absent_or_stand_ins_by_mood(context: Context) -> None:
    without, stand_in = discover(context, "noimage.one"), discover(context, "placeholder.one")
    assert isinstance(without, Reading)
    assert isinstance(stand_in, Reading)
    assert without.profile.avatar_url is None
    assert "44884218_345707102882519" in (stand_in.profile.avatar_url or "")


def test_a_token_that_died_is_refused_though_its_account_is_fine(context: Context) -> None:
    assert isinstance(log_in(context, "jane.smith", "dead"), ReauthRequired)
    assert isinstance(discover(context, "jane.smith"), Reading)


# --- strictness ----------------------------------------------------------------------------------


def ask(sandbox: Sandbox, path: str, **params: str) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"{sandbox.origin}{path}", params, timeout=5).json()
    return answer


def refusal_of(sandbox: Sandbox, path: str, **params: str) -> tuple[int, str]:
    error = ask(sandbox, path, **params)["error"]
    return error["code"], error["message"]


AGENCY = {"access_token": instagram.META_ACCESS_TOKEN}
OWN = f"/meta/v26.0/{instagram.META_IG_USER_ID}"


def test_the_documented_question_gets_the_documented_shape(sandbox: Sandbox) -> None:
    fields = "business_discovery.username(bluebottle){followers_count,media_count,media{comments_count,like_count}}"
    answer = ask(sandbox, OWN, fields=fields, **AGENCY)
    found = answer["business_discovery"]
    assert answer.keys() == {"business_discovery", "id"}
    assert found.keys() == {"followers_count", "media_count", "media", "id"}
    assert len(found["media"]["data"]) == 25
    assert found["media"]["data"][0].keys() <= {"comments_count", "like_count", "id"}
    assert found["media"]["paging"].keys() == {"cursors"}


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ("business_discovery.username(x){emails}", 100, "nonexisting field (emails)"),
        ("business_discovery.username(x){media{saved}}", 100, "on node type (IGMedia)"),
        ("business_discovery.username(x){id", 2500, "Expected closing brace"),
        ("business_discovery.username(x){id}}", 2500, "Expected end of string"),
        ("business_discovery.username(x){}", 2500, "Expected name"),
        ("business_discovery.username(x){media.limit(many){id}}", 100, "limit"),
        ("business_discovery.username(x){media.after(??){id}}", 100, "cursor"),
        ("email", 100, "on node type (IGUser)"),
    ],
)
def test_a_question_that_meta_would_refuse_is_refused(
    sandbox: Sandbox, asked: str, code: int, message: str
) -> None:
    found = refusal_of(sandbox, OWN, fields=asked, **AGENCY)
    assert found[0] == code
    assert message in found[1]


def test_a_request_without_a_good_token_is_refused(sandbox: Sandbox) -> None:
    assert refusal_of(sandbox, OWN, fields="id")[0] == 104
    assert refusal_of(sandbox, "/instagram/v26.0/me", fields="id")[0] == 2500
    assert refusal_of(sandbox, OWN, fields="id", access_token="wrong")[0] == 190
    assert refusal_of(sandbox, OWN, fields="id", appsecret_proof="0", **AGENCY)[0] == 100
    assert refusal_of(sandbox, "/meta/v26.0/1784", fields="id", **AGENCY)[0] == 100


def test_one_metric_that_a_post_does_not_take_refuses_them_all(
    sandbox: Sandbox, context: Context
) -> None:
    reading = log_in(context, "jane.smith", post_limit=1)
    assert isinstance(reading, Reading)
    path = f"/instagram/v26.0/{reading.posts[0].external_id}/insights"
    token = tokens.token("jane.smith")
    code, message = refusal_of(sandbox, path, metric="views,impressions", access_token=token)
    assert code == 100
    assert message.startswith("(#100) metric[1] must be one of the following values:")


def test_the_fields_language_is_parsed_whole() -> None:
    [wanted] = fields.parse("a.b(c).d(e_=){f,g{h}}")
    assert (wanted.name, wanted.arguments) == ("a", {"b": "c", "d": "e_="})
    assert [inner.name for inner in wanted.fields] == ["f", "g"]
    assert wanted.fields[1].fields[0].name == "h"


# --- tokens --------------------------------------------------------------------------------------


def consent(context: Context, redirect_uri: str, **more: str) -> dict[str, str]:
    url = oauth.authorize_url(context.settings, redirect_uri=redirect_uri, state="s")
    answer = requests.get(url, more, timeout=5, allow_redirects=False)
    assert answer.status_code == 302
    back = answer.headers["Location"]
    assert back.startswith(redirect_uri)
    assert back.endswith("#_")
    return {name: value for name, [value] in parse_qs(urlsplit(back).query).items()}


def test_a_talent_can_go_all_the_way(context: Context) -> None:
    redirect = "http://127.0.0.1:8000/oauth/instagram/callback"
    back = consent(context, redirect, handle="jane.smith")
    assert back["state"] == "s"
    given = oauth.exchange(context, code=back["code"] + "#_", redirect_uri=redirect)
    grant = oauth.refresh(context, given)
    assert grant.expires_at is not None
    assert (grant.expires_at - NOW).days >= 59
    profile = oauth.whoami(context, grant)
    assert (profile.handle, profile.external_id) == ("jane.smith", given.external_id)


def test_a_code_works_once_and_for_its_own_address(context: Context) -> None:
    redirect = "http://127.0.0.1:8000/oauth/instagram/callback"
    code = consent(context, redirect, handle="jane.smith")["code"]
    with pytest.raises(ReauthRequired):
        oauth.exchange_code(context, code=code, redirect_uri="http://127.0.0.1:8000/other")
    oauth.exchange_code(context, code=code, redirect_uri=redirect)
    with pytest.raises(ReauthRequired, match="already used"):
        oauth.exchange_code(context, code=code, redirect_uri=redirect)


def test_a_talent_may_refuse(context: Context) -> None:
    back = consent(context, "http://127.0.0.1:8000/x", cancel="1")
    assert (back["error"], back["error_reason"]) == ("access_denied", "user_denied")


def test_the_consent_page_can_be_answered_by_a_person(context: Context) -> None:
    url = oauth.authorize_url(context.settings, redirect_uri="http://x.example/y", state="<s>")
    page = requests.get(url, timeout=5)
    assert page.status_code == 200
    assert "<s>" not in page.text
    assert "name=handle" in page.text


# --- the website ---------------------------------------------------------------------------------


def test_the_website_and_graph_know_the_same_account(context: Context) -> None:
    graph = discover(context, "jane.smith")
    public = PUBLIC_PROVIDER.scrape("INSTAGRAM", ["jane.smith"], post_limit=12, context=context)
    [(_, scraped)] = public
    assert isinstance(graph, Reading)
    assert isinstance(scraped, ScrapedAccount)
    assert scraped.profile.external_id == graph.profile.external_id
    assert [post.likes for post in scraped.posts] == [post.likes for post in graph.posts[:12]]
