"""Login Kit: the consent page, both grants of a token, and giving one back."""

from __future__ import annotations

from collections.abc import Mapping

from socials.platforms.kit.consent import back, consent
from socials.platforms.kit.sandbox import Account, Mood, Request, Response, memory
from socials.platforms.tiktok.sandbox.tokens import (
    ACCESS_SECONDS,
    CLASSIC_SECONDS,
    CLIENT_KEY,
    CLIENT_SECRET,
    REFRESH_SECONDS,
    SCOPES,
    access_token,
    log_id,
    new_code,
    of_code,
    open_id,
    read,
    refresh_token,
)


def authorize(request: Request) -> Response:
    """The consent page; with ``handle`` it is answered, with ``cancel`` refused."""
    asked = request.query
    problem = _problem(asked)
    if problem:
        return Response(400, problem.encode(), {"Content-Type": "text/plain"})
    state = asked.get("state", "")
    if "cancel" in asked:
        description = "User denied the authorization request"
        answer = {"error": "access_denied", "error_description": description, "state": state}
        return back(asked["redirect_uri"], answer)
    if asked.get("handle"):
        wanted = asked["scope"].split(",")
        letters = "".join(
            letter
            for letter, name in SCOPES.items()
            if name in wanted and f"without.{name}" not in asked
        )
        names = ",".join(SCOPES[letter] for letter in letters)
        value = new_code(asked["handle"], letters, asked["redirect_uri"])
        return back(asked["redirect_uri"], {"code": value, "scopes": names, "state": state})
    return consent(
        "TikTok",
        asked,
        wants="your profile, numbers and videos",
        refusable={name: name for name in SCOPES.values() if name != SCOPES["b"]},
    )


def _problem(asked: Mapping[str, str]) -> str:
    if asked.get("client_key") != CLIENT_KEY:
        return "client_key"
    if asked.get("response_type") != "code":
        return "response_type"
    if not asked.get("redirect_uri", "").startswith(("http://", "https://")):
        return "redirect_uri"
    if not set(asked.get("scope", "").split(",")) <= set(SCOPES.values()):
        return "scope"
    return ""


def token(request: Request) -> Response:
    """Both grants. Errors come with statuses as different as the reports about TikTok's."""
    form = request.form
    refusal = _refused_client(request)
    if refusal:
        return refusal
    match form.get("grant_type"):
        case "authorization_code":
            found = of_code(form.get("code", ""), form.get("redirect_uri", ""))
            if isinstance(found, str):
                kind = "invalid_request" if found.startswith("Redirect") else "invalid_grant"
                return _oauth_error(kind, found, 200 if kind == "invalid_grant" else 400)
            return _tokens(*found)
        case "refresh_token":
            value = form.get("refresh_token", "")
            told = read(value, "rft")
            dead = told is None or Account("TIKTOK", told[2]).mood is Mood.EXPIRED
            if told is None or dead or memory.times(f"tiktok|rft|{value}"):
                return _oauth_error("invalid_grant", "Refresh token is invalid or expired.", 400)
            return _tokens(told[2], told[0])
    return _oauth_error("unsupported_grant_type", "The request parameters are malformed.", 400)


def _refused_client(request: Request) -> Response | None:
    form = request.form
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return _oauth_error("invalid_request", "The request parameters are malformed.", 400)
    if not form.get("client_secret"):
        return _oauth_error("invalid_request", "Client secret is missed in request.", 400)
    if form.get("client_key") != CLIENT_KEY or form["client_secret"] != CLIENT_SECRET:
        return _oauth_error("invalid_client", "Client key or secret is incorrect.", 401)
    return None


def _tokens(name: str, scopes: str) -> Response:
    classic = name.startswith("classic")
    access, refresh = CLASSIC_SECONDS if classic else (ACCESS_SECONDS, REFRESH_SECONDS)
    return Response.of(
        {
            "access_token": access_token(name, scopes=scopes, seconds=access),
            "expires_in": access,
            "open_id": open_id(name),
            "refresh_expires_in": refresh,
            "refresh_token": refresh_token(name, scopes=scopes),
            "scope": ",".join(SCOPES[letter] for letter in scopes),
            "token_type": "Bearer",
        }
    )


def revoke(request: Request) -> Response:
    refusal = _refused_client(request)
    if refusal:
        return refusal
    token = request.form.get("token", "")
    if read(token, "act") is None:
        return _oauth_error("invalid_request", "The request is missing a required parameter.", 400)
    revoked.add(token)
    return Response.of({})


revoked: set[str] = set()


def _oauth_error(error: str, description: str, status: int) -> Response:
    return Response.of(
        {"error": error, "error_description": description, "log_id": log_id()}, status
    )
