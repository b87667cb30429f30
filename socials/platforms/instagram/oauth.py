"""Instagram Login as an authorisation: its address, its code, its long-lived token.

Reference: https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
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
    NotConfigured,
    PlatformUnavailable,
    RateLimited,
    ReauthRequired,
)
from scraping.http import Reply
from scraping.wire import Fields
from socials.platforms.instagram.failures import Whose, failure
from socials.platforms.instagram.graph import PLATFORM, Refusal, answer, scrub
from socials.platforms.instagram.login import PROFESSIONAL_ID, read_profile, unwrapped
from socials.platforms.instagram.parse import fields_of
from socials.platforms.kit.oauth import end_of
from socials.types import Context, Profile, TokenGrant

SOURCE = "instagram_login"
NEEDS = ("INSTAGRAM_CLIENT_ID", "INSTAGRAM_CLIENT_SECRET")
SCOPES = {
    "instagram_business_basic": "Profile and posts can't be read.",
    "instagram_business_manage_insights": "Views, reach, saves and shares of posts can't be read.",
}
LEAD = timedelta(days=30)
"""Half of a token's life: weeks are left for an outage, and for a person when it is refused."""
YOUNGEST = timedelta(hours=24)
"""Instagram refreshes no token that is younger."""
USES_PKCE = False
SHORT_LIFE = timedelta(hours=1)

# What Instagram says in error_message, and the setting to look at.
_OUR_SETTINGS = {
    "client_secret": "INSTAGRAM_CLIENT_SECRET",
    "client secret": "INSTAGRAM_CLIENT_SECRET",
    "platform app": "INSTAGRAM_CLIENT_ID",
    "client_id": "INSTAGRAM_CLIENT_ID",
    "redirect_uri": "PUBLIC_URL",
    "redirect uri": "PUBLIC_URL",
}
# Seen at refresh without a documented code: it passes.
_PASSING = "isn't available right now"


def authorize_url(
    settings: Mapping[str, str],
    *,
    redirect_uri: str,
    state: str,
    challenge: str = "",
    again: bool = False,
) -> str:
    """Where the talent's browser goes. ``again`` lets another account log in; Instagram takes no
    proof key."""
    query = {
        "client_id": settings["INSTAGRAM_CLIENT_ID"],
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": ",".join(SCOPES),
        "state": state,
    }
    if again:
        query["force_authentication"] = "1"
    return f"{settings['INSTAGRAM_AUTHORIZE_URL']}?{urlencode(query)}"


def exchange(context: Context, *, code: str, redirect_uri: str, verifier: str = "") -> TokenGrant:
    """The grant of sixty days for the code of the redirect. The code works once.

    Raises ReauthRequired (begin again), NotConfigured (names the setting), RateLimited,
    PlatformUnavailable or BadResponse.
    """
    return long_lived(context, exchange_code(context, code=code, redirect_uri=redirect_uri))


def whoami(context: Context, grant: TokenGrant) -> Profile:
    """The account that was granted: one real read. Raises Failure."""
    return read_profile(context, grant.access_token)


def exchange_code(context: Context, *, code: str, redirect_uri: str) -> TokenGrant:
    """The short-lived token (an hour) for the code of the redirect. Raises as ``exchange``."""
    settings = context.settings
    secret, code = settings["INSTAGRAM_CLIENT_SECRET"], code.removesuffix("#_")
    context.meter.call()
    reply = context.http.post(
        settings["INSTAGRAM_TOKEN_URL"],
        data={
            "client_id": settings["INSTAGRAM_CLIENT_ID"],
            "client_secret": secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            "code": code,
        },
        platform=PLATFORM,
    )
    _raise_for_rejection(reply, context, secret, code)
    told = _fields(_object(reply, context, secret, code), context)
    user_id = told.ident("user_id") or ""
    professional = user_id.startswith(PROFESSIONAL_ID)
    return TokenGrant(
        access_token=_token(told),
        scopes=_scopes(told),
        expires_at=end_of(told, "expires_in", context) or context.clock() + SHORT_LIFE,
        external_id=user_id if professional else "",
        app_user_id="" if professional else user_id,
    )


def long_lived(context: Context, short: TokenGrant) -> TokenGrant:
    """The same grant with a token of sixty days. Raises as ``exchange``."""
    secret = context.settings["INSTAGRAM_CLIENT_SECRET"]
    return _renewed(
        context,
        short,
        "access_token",
        grant_type="ig_exchange_token",
        client_secret=secret,
        access_token=short.access_token,
    )


def refresh(context: Context, grant: TokenGrant) -> TokenGrant:
    """Sixty more days for a long-lived token that is at least a day old and still alive.

    Raises ReauthRequired (it is dead), RateLimited, PlatformUnavailable or BadResponse.
    """
    return _renewed(
        context,
        grant,
        "refresh_access_token",
        grant_type="ig_refresh_token",
        access_token=grant.access_token,
    )


def revoke(context: Context, grant: TokenGrant) -> None:
    """Nothing: Instagram Login documents no way but the talent's own settings (Apps and websites).
    The forgotten token ends by itself within sixty days."""


def _renewed(context: Context, grant: TokenGrant, path: str, **params: str) -> TokenGrant:
    url = f"{context.settings['INSTAGRAM_GRAPH_URL'].rstrip('/')}/{path}"
    context.meter.call()
    reply = context.http.get(url, params=params, platform=PLATFORM)
    told = _fields(_object(reply, context, *params.values()), context)
    return replace(
        grant,
        access_token=_token(told),
        scopes=_scopes(told) or grant.scopes,
        expires_at=end_of(told, "expires_in", context),
    )


def _raise_for_rejection(reply: Reply, context: Context, *secrets: str) -> None:
    """The code exchange has an error form of its own: ``{error_type, code, error_message}``."""
    try:
        value = reply.json()
    except BadResponse:
        return
    if not isinstance(value, dict) or "error_message" not in value:
        return
    message = scrub(str(value["error_message"]), *secrets)[:300]
    facts: dict[str, Any] = {"platform": PLATFORM, "source": SOURCE}
    if reply.status == 429:
        raise RateLimited(message, retry_at=reply.retry_at(context.clock()), **facts)
    if reply.status >= 500 or value.get("code") in {1, 2}:
        raise PlatformUnavailable(f"Instagram has a passing fault: {message}", **facts)
    for words, setting in _OUR_SETTINGS.items():
        if words in message.lower():
            detail = f"Instagram refuses this app; check {setting}: {message}"
            raise NotConfigured(detail, setting=setting, **facts)
    raise ReauthRequired(f"Instagram did not take the code: {message}", **facts)


def _object(reply: Reply, context: Context, *secrets: str) -> Any:
    """The object of an answer, out of its documented ``data: [{…}]`` if need be."""
    try:
        body = answer(reply, SOURCE, reply.retry_at(context.clock()), secret=secrets[-1])
    except Refusal as refusal:
        raise _failure(refusal, *secrets) from None
    return unwrapped(body)


def _failure(refusal: Refusal, *secrets: str) -> Failure:
    refusal.message = scrub(refusal.message, *secrets)
    if _PASSING in refusal.message:
        return PlatformUnavailable(
            f"Instagram has a passing fault: {refusal}", platform=PLATFORM, source=SOURCE
        )
    return failure(refusal, source=SOURCE, whose=Whose.TALENT)


def _fields(value: Any, context: Context) -> Fields:
    return fields_of(value, context, SOURCE).known(
        "access_token", "user_id", "permissions", "expires_in", "token_type"
    )


def _token(told: Fields) -> str:
    token = told.text("access_token")
    if token is None:
        raise BadResponse(
            "access_token should be a string, not nothing",
            platform=PLATFORM,
            source=SOURCE,
            field="access_token",
        )
    return token


def _scopes(told: Fields) -> tuple[str, ...]:
    """A comma list or a list of strings; empty when it is not told."""
    value = told.value.get("permissions")
    names = value.split(",") if isinstance(value, str) else told.items("permissions")
    return tuple(name.strip() for name in names if isinstance(name, str) and name.strip())
