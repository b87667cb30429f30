"""Instagram's tokens: every documented and every seen form of the answers."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_httpserver import HTTPServer

from scraping.errors import (
    BadResponse,
    Failure,
    NotConfigured,
    PlatformUnavailable,
    RateLimited,
    ReauthRequired,
)
from socials.platforms.instagram import oauth
from socials.types import TokenGrant
from tests.platforms.instagram_stage import NOW, Stage, payload, refusal

REDIRECT = "https://agency.example/oauth/instagram/callback"
CODE = "AQBx-hBsH3codecodecode"


@pytest.fixture
def stage(httpserver: HTTPServer) -> Stage:
    return Stage(httpserver)


def exchange(stage: Stage, code: str = CODE) -> TokenGrant:
    return oauth.exchange_code(stage.context, code=code, redirect_uri=REDIRECT)


def test_the_browser_is_sent_with_the_documented_parameters(stage: Stage) -> None:
    url = oauth.authorize_url(stage.settings, redirect_uri=REDIRECT, state="s3cret")
    parts = urlsplit(url)
    assert parts.netloc + parts.path == "www.instagram.com/oauth/authorize"
    assert {name: value for name, [value] in parse_qs(parts.query).items()} == {
        "client_id": "990602627938098",
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "instagram_business_basic,instagram_business_manage_insights",
        "state": "s3cret",
    }


def test_the_code_is_posted_as_a_form_without_the_fragment(stage: Stage) -> None:
    stage.answers_always(payload("token"))
    exchange(stage, CODE + "#_")
    assert stage.asked == [
        (
            "/oauth/access_token",
            {
                "client_id": "990602627938098",
                "client_secret": "a1b2C3D4a1b2C3D4",
                "grant_type": "authorization_code",
                "redirect_uri": REDIRECT,
                "code": CODE,
            },
        )
    ]


def test_trap_3_a_numeric_id_of_17_digits_stays_whole(stage: Stage) -> None:
    stage.answers_always(payload("token"))
    assert exchange(stage).external_id == "17841405793187218"


def test_trap_4_the_flat_form_with_a_list_of_permissions(stage: Stage) -> None:
    stage.answers_always(payload("token"))
    grant = exchange(stage)
    assert grant.access_token == "IGAAshortshortshortshort"
    assert grant.scopes == ("instagram_business_basic", "instagram_business_manage_insights")
    assert grant.expires_at == NOW + timedelta(hours=1)


def test_trap_4_the_wrapped_form_with_a_comma_string(stage: Stage) -> None:
    stage.answers_always(payload("token_wrapped"))
    grant = exchange(stage)
    assert grant.scopes == ("instagram_business_basic", "instagram_business_manage_messages")
    assert (grant.app_user_id, grant.external_id) == ("10203040506070809", "")


def test_trap_5_a_rejected_code_has_a_form_of_its_own(stage: Stage) -> None:
    stage.answers_always(payload("code_rejected"), status=400)
    with pytest.raises(ReauthRequired, match="was not found or was already used"):
        exchange(stage)


@pytest.mark.parametrize(
    ("message", "setting"),
    [
        ("Invalid platform app", "INSTAGRAM_CLIENT_ID"),
        ("Error validating client secret.", "INSTAGRAM_CLIENT_SECRET"),
        ("Please make sure your redirect_uri is identical to the one you used", "PUBLIC_URL"),
    ],
)
def test_a_fault_of_ours_names_the_setting(stage: Stage, message: str, setting: str) -> None:
    rejected = {"error_type": "OAuthException", "code": 400, "error_message": message}
    stage.answers_always(rejected, status=400)
    with pytest.raises(NotConfigured) as raised:
        exchange(stage)
    assert raised.value.setting == setting


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, {"error_type": "X", "code": 429, "error_message": "slow"}, RateLimited),
        (500, {"error_type": "X", "code": 1, "error_message": "oops"}, PlatformUnavailable),
        (400, refusal(2), PlatformUnavailable),
        (400, refusal(190, 460), ReauthRequired),
        (502, "<html>", PlatformUnavailable),
        (200, "<html>", BadResponse),
        (200, {}, BadResponse),
        (200, {"data": []}, BadResponse),
        (200, {"access_token": 7}, BadResponse),
    ],
)
def test_every_other_answer_is_a_typed_failure(
    stage: Stage, status: int, body: object, kind: type[Failure]
) -> None:
    stage.answers_always(body, status=status)
    with pytest.raises(kind) as raised:
        exchange(stage)
    assert raised.value.platform == "INSTAGRAM"


def test_the_short_token_becomes_a_long_one_and_keeps_what_is_known(stage: Stage) -> None:
    stage.answers_always(payload("token_long"))
    short = TokenGrant("IGAAshort", scopes=("instagram_business_basic",), external_id="1784")
    grant = oauth.long_lived(stage.context, short)
    assert grant.access_token == "IGAAlonglonglonglonglong"
    assert grant.expires_at == NOW + timedelta(seconds=5183944)
    assert (grant.scopes, grant.external_id) == (("instagram_business_basic",), "1784")
    assert stage.asked == [
        (
            "/access_token",
            {
                "grant_type": "ig_exchange_token",
                "client_secret": "a1b2C3D4a1b2C3D4",
                "access_token": "IGAAshort",
            },
        )
    ]


def test_a_refresh_gives_a_new_token_and_perhaps_new_permissions(stage: Stage) -> None:
    stage.answers_always({**payload("token_long"), "permissions": "instagram_business_basic"})
    grant = oauth.refresh(stage.context, TokenGrant("IGAAold", scopes=("a", "b")))
    assert grant.access_token == "IGAAlonglonglonglonglong"
    assert grant.scopes == ("instagram_business_basic",)
    assert stage.asked == [
        ("/refresh_access_token", {"grant_type": "ig_refresh_token", "access_token": "IGAAold"})
    ]


def test_a_refresh_of_a_dead_token_asks_for_reconnection(stage: Stage) -> None:
    stage.answers_always(payload("expired_token"), status=400)
    with pytest.raises(ReauthRequired):
        oauth.refresh(stage.context, TokenGrant("IGAAold"))


def test_the_opaque_refusal_of_a_refresh_passes(stage: Stage) -> None:
    message = "Sorry, this content isn't available right now"
    stage.answers_always(refusal(10, message=message), status=400)
    with pytest.raises(PlatformUnavailable):
        oauth.refresh(stage.context, TokenGrant("IGAAold"))


def test_no_failure_tells_a_secret(stage: Stage) -> None:
    message = f"Invalid code {CODE} for secret a1b2C3D4a1b2C3D4"
    rejected = {"error_type": "OAuthException", "code": 400, "error_message": message}
    stage.answers_always(rejected, status=400)
    with pytest.raises(Failure) as raised:
        exchange(stage)
    assert CODE not in str(raised.value)
    assert "a1b2C3D4a1b2C3D4" not in str(raised.value)


def test_a_grant_shows_no_token() -> None:
    assert "IGAA" not in repr(TokenGrant("IGAAaccess", refresh_token="IGAArefresh"))
