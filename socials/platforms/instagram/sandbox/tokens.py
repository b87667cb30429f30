"""The sandbox's tokens, and the addresses that give them. A token names its account.

``IGAAsandbox-long-HANDLE`` is a good one; ``short`` lives an hour, ``dead`` is refused; ``shorter``
and ``longer`` are those of a talent who kept her insights to herself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from socials.platforms.instagram.sandbox import errors
from socials.platforms.kit.consent import consent
from socials.platforms.kit.sandbox import Account, Mood, Request, Response, memory

PREFIX = "IGAAsandbox"
SIXTY_DAYS = 5_184_000
SCOPES = frozenset(
    f"instagram_business_{name}"
    for name in (
        "basic",
        "manage_insights",
        "manage_comments",
        "manage_messages",
        "content_publish",
    )
)

BASIC, INSIGHTS = "instagram_business_basic", "instagram_business_manage_insights"
SCOPES_OF = {
    "short": (BASIC, INSIGHTS), "long": (BASIC, INSIGHTS), "shorter": (BASIC,), "longer": (BASIC,),
}  # fmt: skip
LONG_FOR = {"short": "long", "shorter": "longer"}

CLIENT_ID = "sandbox-instagram-client"
CLIENT_SECRET = "sandbox-instagram-secret"  # noqa: S105  the sandbox's own


def token(handle: str, kind: str = "long") -> str:
    return f"{PREFIX}-{kind}-{handle}"


def read(value: str) -> tuple[str, str] | None:
    """(kind, handle) of one of our tokens."""
    prefix, _, rest = value.partition("-")
    kind, _, handle = rest.partition("-")
    if prefix != PREFIX or kind not in {*SCOPES_OF, "dead"} or not handle:
        return None
    return kind, handle


def owner(value: str) -> Account | Response:
    """The account that a token speaks for, or the refusal of a token that is no good."""
    found = read(value)
    if found is None:
        return errors.invalid_token()
    kind, handle = found
    account = Account("INSTAGRAM", handle)
    if kind == "dead" or account.mood is Mood.EXPIRED:
        return errors.expired_token()
    return account


def authorize(request: Request) -> Response:
    """The consent page; with ``handle`` it is answered, with ``cancel`` refused."""
    query = request.query
    problem = _problem(query)
    if problem:
        return Response(400, problem.encode(), {"Content-Type": "text/plain"})
    if "cancel" in query:
        return _back(
            query["redirect_uri"],
            error="access_denied",
            error_reason="user_denied",
            error_description="The user denied your request",
            state=query.get("state", ""),
        )
    if query.get("handle"):
        kind = "shorter" if f"without.{INSIGHTS}" in query else "short"
        code = _code(query["handle"], query["redirect_uri"], kind)
        return _back(query["redirect_uri"], code=code, state=query.get("state", ""))
    return consent(
        "Instagram",
        query,
        wants="your profile, posts and insights",
        refusable={INSIGHTS: "insights"},
    )


def exchange(request: Request) -> Response:
    """POST the code: a short-lived token, in the flat form with a numeric id."""
    form = request.form
    if request.method != "POST":
        return errors.rejected_code("Method must be POST")
    if form.get("client_id") != CLIENT_ID:
        return errors.rejected_code("Invalid platform app")
    if form.get("client_secret") != CLIENT_SECRET:
        return errors.rejected_code("Error validating client secret")
    if form.get("grant_type") != "authorization_code":
        return errors.rejected_code("Invalid grant_type")
    found = _of_code(form.get("code", ""), form.get("redirect_uri", ""))
    if found is None or memory.times(f"instagram|code|{form['code']}"):
        return errors.rejected_code("Matching code was not found or was already used")
    handle, kind = found
    number = Account("INSTAGRAM", handle).number
    return Response.of(
        {
            "access_token": token(handle, kind),
            "user_id": int(f"1784{number % 10**13:013d}"),
            "permissions": list(SCOPES_OF[kind]),
        }
    )


def long_lived(request: Request) -> Response:
    """GET the token of sixty days for one of an hour."""
    if request.query.get("grant_type") != "ig_exchange_token":
        return errors.refusal("(#100) Invalid grant_type", 100)
    if request.query.get("client_secret") != CLIENT_SECRET:
        return errors.refusal("Error validating client secret.", 101)
    return _renewed(request, LONG_FOR)


def refresh(request: Request) -> Response:
    """GET sixty more days."""
    if request.query.get("grant_type") != "ig_refresh_token":
        return errors.refusal("(#100) Invalid grant_type", 100)
    return _renewed(request, {kind: kind for kind in LONG_FOR.values()})


def _renewed(request: Request, following: Mapping[str, str]) -> Response:
    account = owner(request.query.get("access_token", ""))
    if isinstance(account, Response):
        return account
    known = read(request.query["access_token"])
    kind = following.get(known[0]) if known else None
    if kind is None:
        return errors.refusal("Error validating access token: wrong kind of token.", 190, 467)
    return Response.of(
        {
            "access_token": token(account.handle, kind),
            "token_type": "bearer",
            "expires_in": SIXTY_DAYS,
            "permissions": ",".join(SCOPES_OF[kind]),
        }
    )


def _problem(asked: Mapping[str, str]) -> str:
    if asked.get("client_id") != CLIENT_ID:
        return "Invalid platform app: client_id"
    if asked.get("response_type") != "code":
        return "Invalid response_type: it must be code"
    if not asked.get("redirect_uri", "").startswith(("http://", "https://")):
        return "Invalid redirect_uri"
    unknown = set(asked.get("scope", "").split(",")) - SCOPES
    if unknown:
        return f"Invalid scopes: {', '.join(sorted(unknown)) or 'none'}"
    return ""


def _back(redirect_uri: str, **answer: str) -> Response:
    separator = "&" if "?" in redirect_uri else "?"
    query = urlencode({name: value for name, value in answer.items() if value})
    return Response(302, b"", {"Location": f"{redirect_uri}{separator}{query}#_"})


def _code(handle: str, redirect_uri: str, kind: str) -> str:
    """A code that remembers whose it is, where it may be used and what it is good for."""
    held = json.dumps([handle, _digest(redirect_uri), kind, time.time_ns()])
    return base64.urlsafe_b64encode(held.encode()).decode().rstrip("=")


def _of_code(code: str, redirect_uri: str) -> tuple[str, str] | None:
    """(handle, kind of token) of a code."""
    try:
        held = json.loads(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)))
        handle, digest, kind, _ = held
    except (ValueError, TypeError):
        return None
    return (str(handle), str(kind)) if digest == _digest(redirect_uri) else None


def _digest(redirect_uri: str) -> str:
    return hashlib.sha256(redirect_uri.encode()).hexdigest()[:16]
