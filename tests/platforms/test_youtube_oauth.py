"""Google's OAuth by its wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_httpserver import HTTPServer

from scraping.errors import Failure, NotFound, PermissionMissing, ReauthRequired
from scraping.http import Http, Limits
from scraping.meter import Meter
from socials.platforms.youtube import oauth
from socials.types import Context, TokenGrant

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
REDIRECT = "https://greenroom.example/oauth/youtube/callback"
TOKENS = {
    "access_token": "ya29.a0",
    "expires_in": 3599,
    "refresh_token": "1//0g",
    "scope": oauth.READ,
    "token_type": "Bearer",
    "refresh_token_expires_in": 604799,
}


@pytest.fixture
def google(httpserver: HTTPServer) -> Context:
    values = {
        "GOOGLE_CLIENT_ID": "client",
        "GOOGLE_CLIENT_SECRET": "the-secret",
        "GOOGLE_AUTHORIZE_URL": "https://accounts.google.com/o/oauth2/v2/auth",
        "GOOGLE_TOKEN_URL": httpserver.url_for("/token"),
        "GOOGLE_REVOKE_URL": httpserver.url_for("/revoke"),
        "YOUTUBE_API_URL": httpserver.url_for("").rstrip("/"),
        "YOUTUBE_API_KEY": "",
    }
    return Context(Http(Limits.within(5)), values, Meter(), clock=lambda: NOW)


def test_the_browser_is_sent_with_everything_that_a_lasting_permission_needs(
    google: Context,
) -> None:
    url = urlsplit(
        oauth.authorize_url(google.settings, redirect_uri=REDIRECT, state="st", challenge="ch")
    )
    assert f"{url.scheme}://{url.netloc}{url.path}" == google.settings["GOOGLE_AUTHORIZE_URL"]
    assert {name: values[0] for name, values in parse_qs(url.query).items()} == {
        "client_id": "client",
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": oauth.READ,
        "state": "st",
        "access_type": "offline",
        "include_granted_scopes": "true",
        "prompt": "select_account consent",
        "code_challenge": "ch",
        "code_challenge_method": "S256",
    }


def test_a_code_becomes_tokens_with_both_ends(google: Context, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/token", method="POST").respond_with_json(TOKENS)
    grant = oauth.exchange(google, code="4/0A/x", redirect_uri=REDIRECT, verifier="v" * 43)
    [(request, _)] = httpserver.log
    assert request.form.to_dict() == {
        "client_id": "client", "client_secret": "the-secret", "code": "4/0A/x",
        "grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": "v" * 43,
    }  # fmt: skip
    assert "Authorization" not in request.headers
    assert (grant.access_token, grant.refresh_token) == ("ya29.a0", "1//0g")
    assert grant.scopes == (oauth.READ,)
    assert grant.expires_at == NOW + timedelta(seconds=3599)
    assert grant.refresh_expires_at == NOW + timedelta(seconds=604799)


def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one(
    google: Context, httpserver: HTTPServer
) -> None:
    told = {"access_token": "ya29.new", "expires_in": "3599", "token_type": "Bearer"}
    httpserver.expect_request("/token", method="POST").respond_with_json(told)
    old = TokenGrant("ya29.old", "1//0g", (oauth.READ,), refresh_expires_at=NOW, external_id="UC1")
    grant = oauth.refresh(google, old)
    assert (grant.access_token, grant.refresh_token) == ("ya29.new", "1//0g")
    assert (grant.scopes, grant.external_id) == ((oauth.READ,), "UC1")
    assert grant.refresh_expires_at == NOW


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"error": "invalid_grant", "error_description": "Token revoked"}, "REAUTH_REQUIRED"),
        (400, {"error": "invalid_grant", "error_subtype": "rapt_required"}, "REAUTH_REQUIRED"),
        (401, {"error": "invalid_client"}, "NOT_CONFIGURED"),
        (400, {"error": "redirect_uri_mismatch"}, "NOT_CONFIGURED"),
        (400, {"error": "internal_failure"}, "PLATFORM_UNAVAILABLE"),
        (503, {"error": "temporarily_unavailable"}, "PLATFORM_UNAVAILABLE"),
        (500, "<html>", "PLATFORM_UNAVAILABLE"),
        (408, {}, "PLATFORM_UNAVAILABLE"),
        (429, {"error": "invalid_grant"}, "RATE_LIMITED"),
        (400, {"error": "brand_new"}, "BAD_RESPONSE"),
        (400, {"error": {"code": 400}}, "BAD_RESPONSE"),
        (200, {"token_type": "Bearer"}, "BAD_RESPONSE"),
        (200, "nothing", "BAD_RESPONSE"),
        (200, [], "BAD_RESPONSE"),
    ],
)
def test_googles_word_decides_and_no_secret_is_told(
    google: Context, httpserver: HTTPServer, status: int, body: Any, code: str
) -> None:
    if isinstance(body, str):
        httpserver.expect_request("/token").respond_with_data(body, status=status)
    else:
        httpserver.expect_request("/token").respond_with_json(body, status=status)
    with pytest.raises(Failure) as caught:
        oauth.refresh(google, TokenGrant("a", "1//the-token"))
    assert caught.value.code == code
    told = f"{caught.value!r}{vars(caught.value)}"
    assert "the-secret" not in told
    assert "1//the-token" not in told


def test_without_a_refresh_token_nothing_is_asked(google: Context, httpserver: HTTPServer) -> None:
    with pytest.raises(ReauthRequired):
        oauth.refresh(google, TokenGrant("a"))
    assert not httpserver.log


@pytest.mark.parametrize(("status", "body"), [(200, {}), (400, {"error": "invalid_token"})])
def test_a_permission_is_revoked_by_its_refresh_token_once(
    google: Context, httpserver: HTTPServer, status: int, body: Any
) -> None:
    httpserver.expect_request("/revoke", method="POST").respond_with_json(body, status=status)
    oauth.revoke(google, TokenGrant("ya29.a0", "1//0g"))
    [(request, _)] = httpserver.log
    assert request.form.to_dict() == {"token": "1//0g"}


def test_the_channel_is_read_once_with_the_new_token(
    google: Context, httpserver: HTTPServer
) -> None:
    channel = {
        "id": "UC" + "a" * 22,
        "snippet": {"title": "Jane", "customUrl": "@janesmith"},
        "statistics": {"subscriberCount": "1200", "videoCount": "3"},
    }
    httpserver.expect_request("/youtube/v3/channels").respond_with_json({"items": [channel]})
    account = oauth.whoami(google, TokenGrant("ya29.a0", scopes=(oauth.READ,)))
    [(request, _)] = httpserver.log
    assert request.headers["Authorization"] == "Bearer ya29.a0"
    assert request.args["mine"] == "true"
    assert "key" not in request.args
    assert (account.external_id, account.handle) == (channel["id"], "janesmith")
    assert account.followers.value == 1200


def test_an_account_without_a_channel_and_one_that_kept_it_back_are_told_apart(
    google: Context, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/youtube/v3/channels").respond_with_json({"kind": "x"})
    with pytest.raises(NotFound):
        oauth.whoami(google, TokenGrant("ya29.a0"))
    with pytest.raises(PermissionMissing):
        oauth.whoami(google, TokenGrant("ya29.a0", scopes=("openid",)))
