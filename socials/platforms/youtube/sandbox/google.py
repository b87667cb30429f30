"""The sandbox's Google: the consent page, the tokens and their revocation. PKCE is checked.

A refresh token names its person; an access token is the data API's (``data.token_of``).
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping

from socials.platforms.kit.consent import back, consent
from socials.platforms.kit.sandbox import Account, Mood, Request, Response, memory
from socials.platforms.youtube.sandbox import refusals
from socials.platforms.youtube.sandbox.data import token_of

CLIENT_ID = "sandbox-google-client"
CLIENT_SECRET = "sandbox-google-secret"  # noqa: S105  the sandbox's own
READ = "https://www.googleapis.com/auth/youtube.readonly"
SCOPES = frozenset(
    {
        READ,
        "https://www.googleapis.com/auth/yt-analytics.readonly",
        "openid",
        "email",
        "profile",
    }
)
REFRESH = "1//sandbox-"
ACCESS_SECONDS = 3599
TESTING_SECONDS = 604_799
"""Refresh tokens of apps in testing end after a week: for handles that begin with ``testing``."""

revoked: set[str] = set()


def handle(request: Request) -> Response:
    route = ROUTES.get(request.path)
    if route is None:
        return refusals.no_such_page(request.path)
    method, answer = route
    if request.method != method:
        return _error("invalid_request", f"Method must be {method}", 405)
    return answer(request)


def refresh_token(handle: str) -> str:
    return f"{REFRESH}{time.time_ns()}-{handle}"


def _authorize(request: Request) -> Response:
    """The consent page; with ``handle`` it is answered, with ``cancel`` refused."""
    asked = request.query
    problem = _problem(asked)
    if problem:
        return Response(400, f"Error 400: {problem}".encode(), {"Content-Type": "text/plain"})
    state = {"state": asked["state"]} if "state" in asked else {}
    if "cancel" in asked:
        return back(asked["redirect_uri"], {**state, "error": "access_denied"})
    if asked.get("handle"):
        wanted = asked["scope"].split(" ")
        given = [name for name in wanted if f"without.{name}" not in asked]
        if not given:
            return back(asked["redirect_uri"], {**state, "error": "access_denied"})
        answer = {**state, "code": _code(asked, given), "scope": " ".join(given)}
        return back(asked["redirect_uri"], answer)
    return consent(
        "Google",
        asked,
        wants="your YouTube channel",
        refusable={scope: scope.rpartition("/")[2] for scope in asked["scope"].split(" ")},
        account="Channel",
    )


def _problem(asked: Mapping[str, str]) -> str:
    if asked.get("client_id") != CLIENT_ID:
        return "invalid_client"
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if not asked.get("redirect_uri", "").startswith(("http://", "https://")):
        return "redirect_uri_mismatch"
    if not asked.get("scope") or not set(asked["scope"].split(" ")) <= SCOPES:
        return "invalid_scope"
    if asked.get("code_challenge_method", "S256") != "S256":
        return "invalid_request"
    return ""


def _code(asked: Mapping[str, str], given: list[str]) -> str:
    """With a slash, as Google's own; it remembers whose it is and where it may be used."""
    offline = asked.get("access_type") == "offline" and "consent" in asked.get("prompt", "")
    held = json.dumps(
        [
            asked["handle"],
            given,
            _digest(asked["redirect_uri"]),
            asked.get("code_challenge", ""),
            offline,
            time.time_ns(),
        ]
    )
    return "4/0A" + base64.urlsafe_b64encode(held.encode()).decode().rstrip("=")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _token(request: Request) -> Response:
    form = request.form
    if form.get("client_id") != CLIENT_ID:
        return _error("invalid_client", "The OAuth client was not found.", 401)
    if form.get("client_secret") != CLIENT_SECRET:
        return _error("invalid_client", "Unauthorized", 401)
    match form.get("grant_type"):
        case "authorization_code":
            return _for_code(form)
        case "refresh_token":
            return _for_refresh(form.get("refresh_token", ""))
    return _error("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}", 400)


def _for_code(form: Mapping[str, str]) -> Response:
    code = form.get("code", "")
    text = code.removeprefix("4/0A")
    try:
        held = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        handle, given, where, challenge, offline, _ = held
    except (ValueError, TypeError):
        return _error("invalid_grant", "Malformed auth code.", 400)
    if where != _digest(form.get("redirect_uri", "")):
        return _error("redirect_uri_mismatch", "Bad Request", 400)
    if challenge and challenge != _challenge(form.get("code_verifier", "")):
        return _error("invalid_grant", "Invalid code verifier.", 400)
    if memory.times(f"google|code|{code}"):
        return _error("invalid_grant", "Bad Request", 400)
    answer: dict[str, object] = _tokens(handle, given)
    if offline:
        answer["refresh_token"] = refresh_token(handle)
    if handle.startswith("testing"):
        answer["refresh_token_expires_in"] = TESTING_SECONDS
    return Response.of(answer)


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _for_refresh(value: str) -> Response:
    """A fresh access token and, as Google does it, no new refresh token."""
    person = _person(value)
    if person is None or Account("YOUTUBE", person).mood is Mood.EXPIRED:
        return _error("invalid_grant", "Token has been expired or revoked.", 400)
    return Response.of(_tokens(person, [READ]))


def _person(value: str) -> str | None:
    """Whose refresh token this is, if it is good."""
    _, _, person = value.removeprefix(REFRESH).partition("-")
    good = value.startswith(REFRESH) and person and value not in revoked
    return person if good else None


def _tokens(handle: str, scopes: list[str]) -> dict[str, object]:
    return {
        "access_token": token_of(handle),
        "expires_in": ACCESS_SECONDS,
        "scope": " ".join(scopes),
        "token_type": "Bearer",
    }


def _revoke(request: Request) -> Response:
    token = request.form.get("token") or request.query.get("token", "")
    if not token.startswith((REFRESH, token_of(""))) or token in revoked:
        return _error("invalid_token", "Token expired or revoked", 400)
    revoked.add(token)
    return Response.of({})


def _error(error: str, description: str, status: int) -> Response:
    return Response.of({"error": error, "error_description": description}, status)


ROUTES: Mapping[str, tuple[str, Callable[[Request], Response]]] = {
    "/o/oauth2/v2/auth": ("GET", _authorize),
    "/token": ("POST", _token),
    "/revoke": ("POST", _revoke),
}
