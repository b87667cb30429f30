"""TikTok's Login Kit by its wire."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from scraping.errors import Failure, NotConfigured, ReauthRequired
from scraping.http import Http, Limits
from scraping.meter import Meter
from socials.platforms.tiktok import oauth
from socials.platforms.tiktok.sandbox.tokens import open_id
from socials.sandbox import Sandbox
from socials.types import Context, TokenGrant
from tests.platforms.tiktok_stage import NOW, Stage, payload, refuse, reply

REDIRECT = "https://greenroom.example/oauth/tiktok/callback"


@pytest.fixture
def tiktok(httpserver: HTTPServer) -> Stage:
    return Stage(httpserver)


def answer_tokens(tiktok: Stage, body: Any, status: int = 200) -> None:
    tiktok.answers["/v2/oauth/token/"] = lambda _: reply(body, status)
    tiktok.answers["/v2/oauth/revoke/"] = lambda _: reply(body, status)


def test_the_browser_is_sent_with_a_client_key_and_commas_between_scopes(tiktok: Stage) -> None:
    url = urlsplit(oauth.authorize_url(tiktok.settings, redirect_uri=REDIRECT, state="st"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://www.tiktok.com/v2/auth/authorize/"
    assert {name: values[0] for name, values in parse_qs(url.query).items()} == {
        "client_key": "aw1key",
        "response_type": "code",
        "scope": "user.info.basic,user.info.profile,user.info.stats,video.list",
        "redirect_uri": REDIRECT,
        "state": "st",
    }
    again = oauth.authorize_url(tiktok.settings, redirect_uri=REDIRECT, state="st", again=True)
    assert parse_qs(urlsplit(again).query)["disable_auto_auth"] == ["1"]


def test_a_code_becomes_tokens_by_the_documented_form(tiktok: Stage) -> None:
    answer_tokens(tiktok, payload("token"))
    grant = oauth.exchange(tiktok.context, code="abc*0!6410", redirect_uri=REDIRECT)
    [request] = tiktok.asked
    assert request.content_type == "application/x-www-form-urlencoded"
    assert "Authorization" not in request.headers
    assert request.form.to_dict() == {
        "client_key": "aw1key", "client_secret": "client-secret", "code": "abc*0!6410",
        "grant_type": "authorization_code", "redirect_uri": REDIRECT,
    }  # fmt: skip
    assert (grant.access_token, grant.refresh_token) == ("act.example", "rft.example")
    assert grant.scopes == ("user.info.basic", "video.list")
    assert grant.external_id == "afd97af1-b87b-48b9-ac98-410aghda5344"


@pytest.mark.parametrize(("access", "refresh"), [(86400, 31536000), (7200, 15552000)])
def test_both_generations_of_lifetimes_are_taken_as_told(
    access: int, refresh: int, tiktok: Stage
) -> None:
    answer_tokens(tiktok, payload("token") | {"expires_in": access, "refresh_expires_in": refresh})
    grant = oauth.exchange(tiktok.context, code="c", redirect_uri=REDIRECT)
    assert grant.expires_at == NOW + timedelta(seconds=access)
    assert grant.refresh_expires_at == NOW + timedelta(seconds=refresh)


def test_a_refresh_takes_the_rotated_token_and_keeps_what_is_not_told(tiktok: Stage) -> None:
    old = TokenGrant("act.old", "rft.old", ("user.info.basic",), external_id="open")
    answer_tokens(tiktok, payload("token") | {"refresh_token": "rft.new"})
    assert oauth.refresh(tiktok.context, old).refresh_token == "rft.new"
    answer_tokens(tiktok, {"access_token": "act.new", "expires_in": 7200})
    grant = oauth.refresh(tiktok.context, old)
    assert (grant.access_token, grant.refresh_token) == ("act.new", "rft.old")
    assert (grant.scopes, grant.external_id) == (("user.info.basic",), "open")


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("invalid_grant", "REAUTH_REQUIRED"), ("access_denied", "REAUTH_REQUIRED"),
        ("invalid_client", "NOT_CONFIGURED"), ("unauthorized_client", "NOT_CONFIGURED"),
        ("invalid_scope", "NOT_CONFIGURED"), ("invalid_request", "INTERNAL"),
        ("server_error", "PLATFORM_UNAVAILABLE"), ("temporarily_unavailable", "PLATFORM_UNAVAILABLE"),
        ("brand_new", "BAD_RESPONSE"),
    ],
)  # fmt: skip
def test_the_error_word_decides_whatever_the_status(
    error: str, code: str, status: int, tiktok: Stage
) -> None:
    answer_tokens(tiktok, payload("token_error") | {"error": error}, status)
    with pytest.raises(Failure) as caught:
        oauth.exchange(tiktok.context, code="c", redirect_uri=REDIRECT)
    assert caught.value.code == code
    assert "client-secret" not in f"{caught.value!r}{vars(caught.value)}"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda _: reply({"data": payload("token")}), "BAD_RESPONSE"),
        (lambda _: reply({"access_token": ""}), "BAD_RESPONSE"),
        (lambda _: reply("", 200), "BAD_RESPONSE"),
        (lambda _: reply("nothing", 200), "BAD_RESPONSE"),
        (lambda _: Response("<html>", 503), "PLATFORM_UNAVAILABLE"),
        (refuse(429, "rate_limit_exceeded"), "RATE_LIMITED"),
        (refuse(401, "access_token_invalid"), "REAUTH_REQUIRED"),
    ],
)
def test_an_answer_without_a_token_is_one_typed_failure(
    answer: Any, code: str, tiktok: Stage
) -> None:
    tiktok.answers["/v2/oauth/token/"] = answer
    with pytest.raises(Failure) as caught:
        oauth.refresh(tiktok.context, TokenGrant("a", "r"))
    assert caught.value.code == code


@pytest.mark.parametrize("body", ["", "{}", b"  "])
def test_a_permission_is_revoked_by_its_access_token(body: Any, tiktok: Stage) -> None:
    answer_tokens(tiktok, body)
    oauth.revoke(tiktok.context, TokenGrant("act.mine", "rft.mine"))
    [request] = tiktok.asked
    assert request.path == "/v2/oauth/revoke/"
    assert request.form["token"] == "act.mine"


def test_revoking_what_has_ended_is_no_failure(tiktok: Stage) -> None:
    answer_tokens(tiktok, {"error": "invalid_grant", "error_description": "…"}, 400)
    oauth.revoke(tiktok.context, TokenGrant("act.mine"))
    assert len(tiktok.asked) == 1


# --- with the sandbox ---------------------------------------------------------------------------------


def outside(values: dict[str, str]) -> Context:
    return Context(Http(Limits.within(5)), values, Meter())


def code_for(values: dict[str, str], handle: str, **more: str) -> dict[str, str]:
    """What the redirect back says when this person logs in."""
    url = oauth.authorize_url(values, redirect_uri=REDIRECT, state="st")
    answer = Http(Limits.within(5)).get(url, params={"handle": handle, **more})
    assert answer.status == 302
    back = urlsplit(answer.headers["location"])
    return {name: found[0] for name, found in parse_qs(back.query).items()}


def test_a_whole_grants_life_in_the_sandbox(
    sandbox: Sandbox, platform_settings: dict[str, str]
) -> None:
    context = outside(platform_settings)
    back = code_for(platform_settings, "jane.smith")
    assert back["state"] == "st"
    grant = oauth.exchange(context, code=back["code"], redirect_uri=REDIRECT)
    profile = oauth.read_profile(context, grant.access_token, grant.scopes)
    assert (profile.handle, profile.external_id) == ("jane.smith", open_id("jane.smith"))
    renewed = oauth.refresh(context, grant)
    assert renewed.refresh_token != grant.refresh_token
    with pytest.raises(ReauthRequired):
        oauth.refresh(context, grant)  # the old one is worth nothing
    with pytest.raises(ReauthRequired):
        oauth.exchange(context, code=back["code"], redirect_uri=REDIRECT)
    oauth.revoke(context, renewed)
    with pytest.raises(ReauthRequired):
        oauth.read_profile(context, renewed.access_token, renewed.scopes)
    code = code_for(platform_settings, "jane.smith")["code"]
    anew = oauth.exchange(context, code=code, redirect_uri=REDIRECT)
    assert oauth.read_profile(context, anew.access_token, anew.scopes).handle == "jane.smith"


def test_a_scope_that_was_unticked_is_missing_from_the_grant(
    sandbox: Sandbox, platform_settings: dict[str, str]
) -> None:
    context = outside(platform_settings)
    back = code_for(platform_settings, "jane", **{"without.user.info.stats": "on"})
    assert "user.info.stats" not in back["scopes"].split(",")
    grant = oauth.exchange(context, code=back["code"], redirect_uri=REDIRECT)
    assert "user.info.stats" not in grant.scopes
    assert oauth.read_profile(context, grant.access_token, grant.scopes).followers.value is None


def test_the_sandbox_refuses_another_redirect_and_another_secret(
    sandbox: Sandbox, platform_settings: dict[str, str]
) -> None:
    back = code_for(platform_settings, "jane")
    with pytest.raises(Failure):
        oauth.exchange(outside(platform_settings), code=back["code"], redirect_uri="https://x")
    wrong = outside(platform_settings | {"TIKTOK_CLIENT_SECRET": "wrong"})
    with pytest.raises(NotConfigured) as caught:
        oauth.exchange(wrong, code=back["code"], redirect_uri=REDIRECT)
    assert caught.value.setting == "TIKTOK_CLIENT_SECRET"
