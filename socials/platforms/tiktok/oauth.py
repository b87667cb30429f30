"""TikTok's Login Kit as an authorisation: its address, its code, its tokens that rotate.

Reference: https://developers.tiktok.com/doc/oauth-user-access-token-management
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
    PermissionMissing,
    PlatformUnavailable,
    RateLimited,
    ReauthRequired,
)
from scraping.http import Reply
from scraping.wire import Fields, plain_word
from socials.platforms.kit.oauth import end_of
from socials.platforms.tiktok.api import PLATFORM, SOURCE
from socials.platforms.tiktok.display import read_profile
from socials.types import Context, Profile, TokenGrant

NEEDS = ("TIKTOK_CLIENT_KEY", "TIKTOK_CLIENT_SECRET")
SCOPES = {
    "user.info.basic": "The account can't be recognised.",
    "user.info.profile": "Handle, bio and the verified mark can't be read.",
    "user.info.stats": "Followers and likes can't be read.",
    "video.list": "Videos and their views can't be read.",
}
LEAD = timedelta(minutes=30)
"""A quarter of the shorter of the two documented lives."""
YOUNGEST = timedelta(0)
USES_PKCE = False


def authorize_url(
    settings: Mapping[str, str],
    *,
    redirect_uri: str,
    state: str,
    challenge: str = "",
    again: bool = False,
) -> str:
    """Where the talent's browser goes. ``again`` asks even where TikTok remembers a yes.

    TikTok takes ``client_key``, comma-separated scopes, and no proof key on the web.
    """
    query = {
        "client_key": settings["TIKTOK_CLIENT_KEY"],
        "response_type": "code",
        "scope": ",".join(SCOPES),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if again:
        query["disable_auto_auth"] = "1"
    return f"{settings['TIKTOK_AUTHORIZE_URL']}?{urlencode(query)}"


def exchange(context: Context, *, code: str, redirect_uri: str, verifier: str = "") -> TokenGrant:
    """The tokens for the code of the redirect, decoded once. The code works once.

    Raises ReauthRequired (begin again), NotConfigured (names the setting), RateLimited,
    PlatformUnavailable or BadResponse.
    """
    form = {"code": code, "grant_type": "authorization_code", "redirect_uri": redirect_uri}
    return _grant(_post(context, "token", form), context)


def whoami(context: Context, grant: TokenGrant) -> Profile:
    """The account that was granted: one real read. Raises PermissionMissing where the talent kept
    her handle to herself, and Failure otherwise."""
    account = read_profile(context, grant.access_token, grant.scopes)
    if not account.handle:
        raise PermissionMissing(
            "TikTok did not tell the handle", platform=PLATFORM, source=SOURCE, field="username"
        )
    return account


def refresh(context: Context, grant: TokenGrant) -> TokenGrant:
    """New tokens for the refresh token, which then is worth nothing: store them at once.

    Raises ReauthRequired (it is dead), NotConfigured, RateLimited, PlatformUnavailable or
    BadResponse.
    """
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
    told = _grant(_post(context, "token", form), context)
    return replace(
        told,
        refresh_token=told.refresh_token or grant.refresh_token,
        refresh_expires_at=told.refresh_expires_at or grant.refresh_expires_at,
        scopes=told.scopes or grant.scopes,
        external_id=told.external_id or grant.external_id,
        app_user_id=told.app_user_id or grant.app_user_id,
    )


def revoke(context: Context, grant: TokenGrant) -> None:
    """End the permission at TikTok. One that has ended already is no failure.

    Raises NotConfigured, RateLimited, PlatformUnavailable or BadResponse.
    """
    try:
        _post(context, "revoke", {"token": grant.access_token})
    except ReauthRequired:
        pass


def _post(context: Context, path: str, form: Mapping[str, str]) -> Fields:
    """The answer's object; empty for an empty body. Errors may come with any status.

    Reference: https://developers.tiktok.com/doc/oauth-error-handling
    """
    settings = context.settings
    context.meter.call()
    reply = context.http.post(
        f"{settings['TIKTOK_API_URL'].rstrip('/')}/v2/oauth/{path}/",
        platform=PLATFORM,
        data={
            "client_key": settings["TIKTOK_CLIENT_KEY"],
            "client_secret": settings["TIKTOK_CLIENT_SECRET"],
            **form,
        },
    )
    if reply.ok and not reply.body.strip():
        return Fields({}, platform=PLATFORM, source=SOURCE)
    try:
        told = Fields(reply.json(), platform=PLATFORM, source=SOURCE, meter=context.meter)
        error = _error_in(told)
    except BadResponse:
        if reply.ok:
            raise
        raise _failure("", reply, context) from None
    if error or not reply.ok:
        raise _failure(error, reply, context)
    return told


def _error_in(told: Fields) -> str:
    """A word in ``error``; the data API's form, an object with a ``code``, is met too."""
    error = told.value.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        return code if isinstance(code, str) and code != "ok" else ""
    return error if isinstance(error, str) else ""


def _failure(error: str, reply: Reply, context: Context) -> Failure:
    """Only TikTok's documented word counts; its description may quote what we sent."""
    where: dict[str, Any] = {"platform": PLATFORM, "source": SOURCE}
    match error:
        case "invalid_client" | "unauthorized_client":
            return NotConfigured(
                "TikTok refuses this app: check TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET.",
                setting="TIKTOK_CLIENT_SECRET",
                **where,
            )
        case "invalid_grant" | "access_denied" | "access_token_invalid":
            return ReauthRequired("TikTok says that the permission or its code has ended", **where)
        case "invalid_scope":
            return NotConfigured(
                "TikTok has not approved this app for the scopes that it asks for.",
                setting="TIKTOK_CLIENT_KEY",
                **where,
            )
        case "invalid_request" | "unsupported_grant_type" | "unsupported_response_type":
            return Internal(f"TikTok did not understand the request ({error})", **where)
    told = plain_word(error)
    said = f"TikTok answered HTTP {reply.status}" + (f" ({told})" if told else "")
    retry_at = reply.retry_at(context.clock())
    if reply.status == 429 or error == "rate_limit_exceeded":
        return RateLimited(said, retry_at=retry_at, **where)
    if reply.status >= 500 or error in {"server_error", "temporarily_unavailable"}:
        return PlatformUnavailable(said, retry_at=retry_at, **where)
    return BadResponse(said, field="error" if error else "status", **where)


def _grant(told: Fields, context: Context) -> TokenGrant:
    told.known(
        "access_token", "expires_in", "open_id", "refresh_expires_in", "refresh_token", "scope",
        "token_type", "log_id",
    )  # fmt: skip
    token = told.text("access_token")
    if token is None:
        raise BadResponse(
            "the answer carries no token", platform=PLATFORM, source=SOURCE, field="access_token"
        )
    open_id = told.ident("open_id") or ""
    # Both generations of lifetimes are about, so none is assumed.
    return TokenGrant(
        access_token=token,
        refresh_token=told.text("refresh_token") or "",
        scopes=_scopes(told.text("scope") or ""),
        expires_at=end_of(told, "expires_in", context),
        refresh_expires_at=end_of(told, "refresh_expires_in", context),
        external_id=open_id,
        app_user_id=open_id,
    )


def _scopes(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.replace(" ", ",").split(",") if (name := part.strip()))
