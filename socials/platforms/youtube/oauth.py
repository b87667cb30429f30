"""Google's OAuth as an authorisation for a YouTube channel: address, code, tokens, revocation.

Reference: https://developers.google.com/identity/protocols/oauth2/web-server
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from scraping.errors import (
    BadResponse,
    Failure,
    Internal,
    NotConfigured,
    NotFound,
    PermissionMissing,
    PlatformUnavailable,
    RateLimited,
    ReauthRequired,
)
from scraping.http import Reply
from scraping.wire import Fields, plain_word
from socials.platforms.kit.oauth import end_of
from socials.platforms.youtube import parse
from socials.platforms.youtube.api import Api
from socials.platforms.youtube.failures import PLATFORM, SOURCE
from socials.types import Context, Profile, TokenGrant

NEEDS = ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET")
READ = "https://www.googleapis.com/auth/youtube.readonly"
SCOPES = {READ: "The channel and its videos can't be read."}
LEAD = timedelta(minutes=15)
"""A quarter of an access token's hour."""
YOUNGEST = timedelta(0)
USES_PKCE = True

PASSING = frozenset({"server_error", "temporarily_unavailable", "internal_failure"})
OUR_CLIENT = frozenset({"invalid_client", "unauthorized_client", "deleted_client", "org_internal"})
ENDED = frozenset({"invalid_grant", "access_denied", "invalid_token", "invalid_rapt"})


def authorize_url(
    settings: Mapping[str, str],
    *,
    redirect_uri: str,
    state: str,
    challenge: str = "",
    again: bool = False,
) -> str:
    """Where the talent's browser goes. She is always asked for the account and its channel;
    asking for her consent too makes Google give a refresh token each time."""
    query = {
        "client_id": settings["GOOGLE_CLIENT_ID"],
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "state": state,
        "access_type": "offline",
        "include_granted_scopes": "true",
        "prompt": "select_account consent",
    }
    if challenge:
        query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{settings['GOOGLE_AUTHORIZE_URL']}?{urlencode(query)}"


def exchange(context: Context, *, code: str, redirect_uri: str, verifier: str = "") -> TokenGrant:
    """The tokens for the code of the redirect. The code works once.

    Raises ReauthRequired (begin again), NotConfigured (names the setting), RateLimited,
    PlatformUnavailable or BadResponse.
    """
    form = {"code": code, "grant_type": "authorization_code", "redirect_uri": redirect_uri}
    if verifier:
        form["code_verifier"] = verifier
    return _grant(_token(context, form), context)


def whoami(context: Context, grant: TokenGrant) -> Profile:
    """The channel that was granted: one real read.

    Raises PermissionMissing (the box was left unticked), NotFound (an account without a channel)
    and Failure otherwise.
    """
    where: dict[str, Any] = {"platform": PLATFORM, "source": SOURCE}
    if grant.scopes and READ not in grant.scopes:
        raise PermissionMissing("Reading the channel was not allowed", field="scope", **where)
    channels = Api(context, token=grant.access_token).own_channels()
    if not channels:
        raise NotFound("This Google account has no YouTube channel", **where)
    account = parse.channel(channels[0], "")
    return account if account.handle else replace(account, handle=account.external_id)


def refresh(context: Context, grant: TokenGrant) -> TokenGrant:
    """A fresh access token; the refresh token normally stays what it was.

    Raises ReauthRequired (it is dead), NotConfigured, RateLimited, PlatformUnavailable or
    BadResponse.
    """
    if not grant.refresh_token:
        raise ReauthRequired("Google gave no refresh token", platform=PLATFORM, source=SOURCE)
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
    told = _grant(_token(context, form), context)
    return replace(
        told,
        refresh_token=told.refresh_token or grant.refresh_token,
        refresh_expires_at=told.refresh_expires_at or grant.refresh_expires_at,
        scopes=told.scopes or grant.scopes,
        external_id=grant.external_id,
        app_user_id=grant.app_user_id,
    )


def revoke(context: Context, grant: TokenGrant) -> None:
    """End the permission at Google. One that has ended already is no failure.

    Raises NotConfigured, RateLimited, PlatformUnavailable or BadResponse.
    """
    try:
        token = grant.refresh_token or grant.access_token
        _post(context, context.settings["GOOGLE_REVOKE_URL"], {"token": token})
    except ReauthRequired:
        pass


def _token(context: Context, form: Mapping[str, str]) -> Fields:
    settings = context.settings
    ours = {
        "client_id": settings["GOOGLE_CLIENT_ID"],
        "client_secret": settings["GOOGLE_CLIENT_SECRET"],
    }
    reply = _post(context, settings["GOOGLE_TOKEN_URL"], {**ours, **form})
    return Fields(reply.json(), platform=PLATFORM, source=SOURCE, meter=context.meter)


def _post(context: Context, url: str, form: Mapping[str, str]) -> Reply:
    """The answer, if it is a good one: the error is a word, not the data API's object."""
    context.meter.call()
    reply = context.http.post(url, platform=PLATFORM, data=form)
    error = _error_in(reply)
    if error or not reply.ok:
        raise _failure(error, reply, context)
    return reply


def _error_in(reply: Reply) -> str:
    try:
        told = reply.json()
    except BadResponse:
        return ""
    error = told.get("error") if isinstance(told, dict) else None
    return error if isinstance(error, str) else ""


def _failure(error: str, reply: Reply, context: Context) -> Failure:
    """Only Google's documented word counts; its description may quote what we sent."""
    where: dict[str, Any] = {"platform": PLATFORM, "source": SOURCE}
    told = plain_word(error)
    said = f"Google answered HTTP {reply.status}" + (f" ({told})" if told else "")
    retry_at = reply.retry_at(context.clock())
    if reply.status == 429:
        return RateLimited(said, retry_at=retry_at, **where)
    if reply.status >= 500 or reply.status == 408 or error in PASSING:
        return PlatformUnavailable(said, retry_at=retry_at, **where)
    if error in ENDED:
        return ReauthRequired("Google says that the permission or its code has ended", **where)
    if error in OUR_CLIENT:
        return NotConfigured(
            f"Google refuses this app ({told}): check GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET.",
            setting="GOOGLE_CLIENT_SECRET",
            **where,
        )
    if error == "redirect_uri_mismatch":
        return NotConfigured(
            "Google does not know our redirect address: check PUBLIC_URL.",
            setting="PUBLIC_URL",
            **where,
        )
    if error == "invalid_scope":
        return NotConfigured(
            "Google has not approved this app for what it asks.", setting=NEEDS[0], **where
        )
    if error in {"invalid_request", "unsupported_grant_type", "unsupported_response_type"}:
        return Internal(f"Google did not understand the request ({error})", **where)
    return BadResponse(said, field="error" if error else "status", **where)


def _grant(told: Fields, context: Context) -> TokenGrant:
    told.known(
        "access_token", "expires_in", "refresh_token", "refresh_token_expires_in", "scope",
        "token_type", "id_token",
    )  # fmt: skip
    token = told.text("access_token")
    if token is None:
        raise BadResponse(
            "the answer carries no token", platform=PLATFORM, source=SOURCE, field="access_token"
        )
    return TokenGrant(
        access_token=token,
        refresh_token=told.text("refresh_token") or "",
        scopes=tuple((told.text("scope") or "").split()),
        expires_at=end_of(told, "expires_in", context),
        refresh_expires_at=end_of(told, "refresh_token_expires_in", context),
    )
