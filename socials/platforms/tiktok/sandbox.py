"""The sandbox's TikTok: Login Kit, Display API v2 and the public profile page.

Strict where TikTok is: slashes at the end, ``fields`` in the query, everything else in JSON.
An access token names its person, its scopes and its end; a refresh token works once.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account, Item, Mood, Request, Response, memory

CLIENT_KEY = "sandbox-tiktok-client"
CLIENT_SECRET = "sandbox-tiktok-secret"  # noqa: S105  the sandbox's own
ACCESS_SECONDS, REFRESH_SECONDS = 7_200, 15_552_000
CLASSIC_SECONDS = (86_400, 31_536_000)
"""The lifetimes of the older documentation: for handles that begin with ``classic``."""
SLOW_SECONDS = 4.0
MOST_VIDEOS = 20

SCOPES = {
    "b": "user.info.basic", "p": "user.info.profile", "s": "user.info.stats", "v": "video.list",
}  # fmt: skip
USER_FIELDS = {
    "open_id": "b", "union_id": "b", "avatar_url": "b", "avatar_url_100": "b",
    "avatar_large_url": "b", "display_name": "b", "bio_description": "p", "profile_deep_link": "p",
    "is_verified": "p", "username": "p", "follower_count": "s", "following_count": "s",
    "likes_count": "s", "video_count": "s",
}  # fmt: skip
VIDEO_FIELDS = frozenset(
    [
        "id",
        "create_time",
        "cover_image_url",
        "share_url",
        "video_description",
        "duration",
        "height",
        "width",
        "title",
        "embed_html",
        "embed_link",
        "like_count",
        "comment_count",
        "share_count",
        "view_count",
        "is_aigc",
    ]
)


def handle(request: Request) -> Response:
    if request.path.startswith("/@"):
        return _page(request)
    route = ROUTES.get(request.path)
    if route is None:
        return Response(404, b"404 page not found", {"Content-Type": "text/plain"})
    method, answer = route
    if request.method != method:
        return Response(405, b"Method Not Allowed", {"Content-Type": "text/plain"})
    return answer(request)


# --- tokens ---------------------------------------------------------------------------------------


def access_token(handle: str, *, scopes: str = "bpsv", seconds: int = ACCESS_SECONDS) -> str:
    """A good token. ``scopes``: b, p, s, v for basic, profile, stats and video.list."""
    return f"act.sandbox~{scopes}~{int(time.time()) + seconds}~{handle}"


def refresh_token(handle: str, *, scopes: str = "bpsv") -> str:
    return f"rft.sandbox~{scopes}~{time.time_ns()}~{handle}"


def open_id(handle: str) -> str:
    digest = hashlib.sha256(f"tiktok|{handle.lower()}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def _read(token: str, kind: str) -> tuple[str, int, str] | None:
    """(scopes, number, handle) of one of our tokens."""
    parts = token.split("~")
    if len(parts) != 4 or parts[0] != f"{kind}.sandbox" or not parts[2].isdecimal():
        return None
    return parts[1], int(parts[2]), parts[3]


def _authorize(request: Request) -> Response:
    """The consent page; with ``handle`` it is answered, with ``cancel`` refused."""
    asked = request.query
    problem = _problem(asked)
    if problem:
        return Response(400, problem.encode(), {"Content-Type": "text/plain"})
    state = asked.get("state", "")
    if "cancel" in asked:
        description = "User denied the authorization request"
        answer = {"error": "access_denied", "error_description": description, "state": state}
        return _back(asked["redirect_uri"], answer)
    if asked.get("handle"):
        wanted = asked["scope"].split(",")
        letters = "".join(
            letter
            for letter, name in SCOPES.items()
            if name in wanted and f"without.{name}" not in asked
        )
        names = ",".join(SCOPES[letter] for letter in letters)
        code = _code(asked["handle"], letters, asked["redirect_uri"])
        return _back(asked["redirect_uri"], {"code": code, "scopes": names, "state": state})
    return _consent(asked)


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


def _back(redirect_uri: str, answer: Mapping[str, str]) -> Response:
    return Response(302, b"", {"Location": f"{redirect_uri}?{urlencode(answer)}"})


def _consent(asked: Mapping[str, str]) -> Response:
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in asked.items()
    )
    boxes = "".join(
        f"<p><label><input type=checkbox name='without.{name}'> keep {name} to myself</label></p>"
        for name in SCOPES.values()
        if name != SCOPES["b"]
    )
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>TikTok (sandbox)</title>"
        "<meta name=viewport content='width=device-width'>"
        "<style>body{font:16px system-ui;max-width:24rem;margin:4rem auto}</style>"
        "<h1>TikTok sandbox</h1><p>Greenroom asks for your profile, numbers and videos.</p>"
        f"<form>{hidden}<p><label>Log in as <input name=handle value=jane.smith></label></p>"
        f"{boxes}<button>Allow</button> <button name=cancel value=1>Cancel</button></form></html>"
    )
    return Response(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _code(handle: str, scopes: str, redirect_uri: str) -> str:
    """With a ``*`` and a ``!``, as TikTok's own."""
    held = json.dumps([handle, scopes, _digest(redirect_uri), time.time_ns()])
    return base64.urlsafe_b64encode(held.encode()).decode().rstrip("=") + "*0!6410"


def _of_code(code: str, redirect_uri: str) -> tuple[str, str] | str:
    """(handle, scopes) of a code, or what is wrong with it."""
    text, _, tail = code.partition("*")
    try:
        name, scopes, digest, _ = json.loads(
            base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        )
    except (ValueError, TypeError):
        return "Authorization code is expired."
    if tail != "0!6410" or memory.times(f"tiktok|code|{code}"):
        return "Authorization code is expired."
    if digest != _digest(redirect_uri):
        return "Redirect_uri is not matched with the uri when requesting code."
    return str(name), str(scopes)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _token(request: Request) -> Response:
    """Both grants. Errors come with statuses as different as the reports about TikTok's."""
    form = request.form
    refusal = _refused_client(request)
    if refusal:
        return refusal
    match form.get("grant_type"):
        case "authorization_code":
            found = _of_code(form.get("code", ""), form.get("redirect_uri", ""))
            if isinstance(found, str):
                kind = "invalid_request" if found.startswith("Redirect") else "invalid_grant"
                return _oauth_error(kind, found, 200 if kind == "invalid_grant" else 400)
            return _tokens(*found)
        case "refresh_token":
            value = form.get("refresh_token", "")
            told = _read(value, "rft")
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


def _revoke(request: Request) -> Response:
    refusal = _refused_client(request)
    if refusal:
        return refusal
    token = request.form.get("token", "")
    if _read(token, "act") is None:
        return _oauth_error("invalid_request", "The request is missing a required parameter.", 400)
    revoked.add(token)
    return Response.of({})


revoked: set[str] = set()


def _oauth_error(error: str, description: str, status: int) -> Response:
    return Response.of(
        {"error": error, "error_description": description, "log_id": _log_id()}, status
    )


# --- the Display API ----------------------------------------------------------------------------------


def _user_info(request: Request) -> Response:
    person = _person(request)
    if isinstance(person, Response):
        return person
    account, scopes = person
    fields = _fields(request)
    if not fields or not set(fields) <= USER_FIELDS.keys():
        return _error("invalid_params", "The request parameters are not valid.", 400)
    if any(USER_FIELDS[name] not in scopes for name in fields):
        return _error(
            "scope_not_authorized",
            "The user did not authorize the scope required for completing this request.",
            401,
        )
    return _in_its_mood(account, {"user": {n: v for n, v in _user(account, request).items() if n in fields}})  # fmt: skip


def _user(account: Account, request: Request) -> dict[str, Any]:
    now = datetime.now(UTC)
    avatar = cdn.avatar(request.origin, account, now) or ""
    name = f"{account.handle}.now" if account.mood is Mood.RENAMED else account.handle
    return {
        "open_id": open_id(account.handle),
        "union_id": open_id(f"union-{account.handle}"),
        "avatar_url": avatar,
        "avatar_url_100": avatar,
        "avatar_large_url": avatar,
        "display_name": account.display_name,
        "bio_description": account.bio,
        "profile_deep_link": f"https://www.tiktok.com/@{name}",
        "is_verified": account.followers(now) > 100_000,
        "username": name,
        "follower_count": account.followers(now),
        "following_count": account.following(now),
        "likes_count": account.followers(now) * (9 + account.number % 20),
        "video_count": account.total_posts(now),
    }


def _video_list(request: Request) -> Response:
    """Newest first; ``cursor`` is in milliseconds, and anything before it is told."""
    asked = _videos_asked(request)
    if isinstance(asked, Response):
        return asked
    account, fields, body = asked
    count, cursor = body.get("max_count", 10), body.get("cursor", 0)
    if not _is_int(count) or not 1 <= count <= MOST_VIDEOS or not _is_int(cursor) or cursor < 0:
        return _error("invalid_params", "The request parameters are not valid.", 400)
    older = [
        item
        for item in _public(account)
        if not cursor or int(item.posted_at.timestamp() * 1000) < cursor
    ]
    page = older[:count]
    last = int(page[-1].posted_at.timestamp() * 1000) if page else cursor
    return _in_its_mood(
        account,
        {
            "videos": [_video(item, fields, request) for item in page],
            "cursor": last,
            "has_more": len(older) > count,
        },
    )


def _video_query(request: Request) -> Response:
    asked = _videos_asked(request)
    if isinstance(asked, Response):
        return asked
    account, fields, body = asked
    filters = body.get("filters")
    ids = filters.get("video_ids") if isinstance(filters, dict) else None
    if (
        not isinstance(ids, list)
        or not 1 <= len(ids) <= MOST_VIDEOS
        or not all(isinstance(video_id, str) for video_id in ids)
    ):
        return _error("invalid_params", "The request parameters are not valid.", 400)
    found = [item for item in _public(account) if item.long_id in ids]
    return _in_its_mood(account, {"videos": [_video(item, fields, request) for item in found]})


def _videos_asked(request: Request) -> tuple[Account, list[str], dict[str, Any]] | Response:
    """What both calls share: a token with ``video.list``, fields, a JSON object."""
    person = _person(request)
    if isinstance(person, Response):
        return person
    account, scopes = person
    if "v" not in scopes:
        return _error(
            "scope_not_authorized",
            "The user did not authorize the scope required for completing this request.",
            401,
        )
    fields = _fields(request)
    try:
        body = request.json()
    except ValueError:
        body = None
    if (
        not fields
        or not set(fields) <= VIDEO_FIELDS
        or not isinstance(body, dict)
        or not request.headers.get("content-type", "").startswith("application/json")
    ):
        return _error("invalid_params", "The request parameters are not valid.", 400)
    return account, fields, body


def _public(account: Account) -> list[Item]:
    now = datetime.now(UTC)
    return [item for item in account.items(now) if item.posted_at <= now]


def _video(item: Item, fields: list[str], request: Request) -> dict[str, Any]:
    now = datetime.now(UTC)
    video_id = item.long_id
    values: dict[str, Any] = {
        "id": video_id,
        "create_time": int(item.posted_at.timestamp()),
        "cover_image_url": cdn.thumbnail(request.origin, item, now),
        "share_url": f"https://www.tiktok.com/@{item.account.handle}/video/{video_id}"
        f"?utm_campaign=tt4d_open_api&utm_source={CLIENT_KEY}",
        "video_description": f"{item.account.display_name}, no. {item.index} #fyp",
        "title": f"{item.account.display_name}, no. {item.index}",
        "duration": 12 + item.index % 80,
        "height": 1024,
        "width": 576,
        "embed_html": "",
        "embed_link": f"https://www.tiktok.com/player/v1/{video_id}",
        "like_count": item.number("likes", 0.08, now),
        "comment_count": item.number("comments", 0.004, now),
        "share_count": item.number("shares", 0.006, now),
        "view_count": item.number("views", 0.9, now),
        "is_aigc": False,
    }
    return {name: value for name, value in values.items() if name in fields}


def _person(request: Request) -> tuple[Account, str] | Response:
    """Whose token it is, or the refusal that the account's mood or the token brings."""
    told = _read(request.bearer, "act")
    refused = _error(
        "access_token_invalid", "The access token is invalid or not found in the request.", 401
    )
    if told is None or told[1] < time.time() or request.bearer in revoked:
        return refused
    account = Account("TIKTOK", told[2])
    match account.mood:
        case Mood.EXPIRED:
            return refused
        case Mood.DOWN:
            return Response(503, b"<html><body>503</body></html>", {"Content-Type": "text/html"})
        case Mood.RATELIMITED:
            answer = _error("rate_limit_exceeded", "The API rate limit was exceeded.", 429)
            return Response(429, answer.body, {**answer.headers, "Retry-After": "30"})
        case Mood.FLAKY if memory.times(f"tiktok|{account.handle}") < 2:
            return Response(500, b"<html><body>500</body></html>", {"Content-Type": "text/html"})
    return account, told[0]


def _fields(request: Request) -> list[str]:
    return [name for name in request.query.get("fields", "").split(",") if name]


def _in_its_mood(account: Account, data: dict[str, Any]) -> Response:
    if account.mood is Mood.GARBLED:
        return Response(200, b'{"data": {"user": {"open_', {"Content-Type": "application/json"})
    error = {"code": "ok", "message": "", "log_id": _log_id()}
    answer = Response.of({"data": data, "error": error})
    delay = SLOW_SECONDS if account.mood is Mood.SLOW else 0.0
    return Response(answer.status, answer.body, answer.headers, delay)


def _error(code: str, message: str, status: int) -> Response:
    return Response.of({"error": {"code": code, "message": message, "log_id": _log_id()}}, status)


def _log_id() -> str:
    return (
        datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        + "0101300620725"
        + f"{time.time_ns() % 10**5:05d}"
    )


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# --- the public page ------------------------------------------------------------------------------------


def _page(request: Request) -> Response:
    account = Account("TIKTOK", request.path.removeprefix("/@").partition("/")[0])
    match account.mood:
        case Mood.NONEXISTENT:
            return _html({"statusCode": 10221, "statusMsg": ""})
        case Mood.PRIVATE:
            return _html({"statusCode": 10222, "statusMsg": ""})
        case Mood.DOWN:
            return Response(503, b"", {"Content-Type": "text/html"})
        case Mood.RATELIMITED:
            return Response(429, b"", {"Content-Type": "text/html", "Retry-After": "30"})
        case Mood.EXPIRED:
            return Response(302, b"", {"Location": f"{request.base_url}/login"})
        case Mood.GARBLED:
            return Response(200, b"<html>Please wait...</html>", {"Content-Type": "text/html"})
        case Mood.FLAKY if memory.times(f"tiktok|page|{account.handle}") < 2:
            return Response(500, b"", {"Content-Type": "text/html"})
    return _html({"statusCode": 0, "statusMsg": "", "userInfo": _user_info_of(account, request)})


def _user_info_of(account: Account, request: Request) -> dict[str, Any]:
    now = datetime.now(UTC)
    exact = {
        "followerCount": account.followers(now),
        "followingCount": account.following(now),
        "heart": account.followers(now) * (9 + account.number % 20),
        "heartCount": account.followers(now) * (9 + account.number % 20),
        "videoCount": account.total_posts(now),
        "diggCount": account.number % 500,
        "friendCount": 0,
    }
    avatar = cdn.avatar(request.origin, account, now) or ""
    return {
        "user": {
            "id": str(6_700_000_000_000_000_000 + account.number % 10**17),
            "uniqueId": account.handle,
            "nickname": account.display_name,
            "signature": account.bio,
            "avatarLarger": avatar,
            "avatarMedium": avatar,
            "avatarThumb": avatar,
            "verified": account.followers(now) > 100_000,
            "privateAccount": False,
            "secret": False,
            "secUid": "MS4wLjABAAAA" + hashlib.sha256(account.handle.encode()).hexdigest(),
        },
        "stats": {name: _rounded(value) for name, value in exact.items()},
        "statsV2": {name: str(value) for name, value in exact.items()},
        "itemList": [_page_item(item, request) for item in islice(_public(account), 12)],
    }


def _page_item(item: Item, request: Request) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": item.long_id,
        "desc": f"{item.account.display_name}, no. {item.index} #fyp",
        "createTime": int(item.posted_at.timestamp()),
        "author": {"uniqueId": item.account.handle},
        "video": {
            "duration": 12 + item.index % 80,
            "cover": cdn.thumbnail(request.origin, item, now),
        },
        "stats": {
            "diggCount": item.number("likes", 0.08, now),
            "shareCount": item.number("shares", 0.006, now),
            "commentCount": item.number("comments", 0.004, now),
            "playCount": item.number("views", 0.9, now),
            "collectCount": str(item.number("saves", 0.01, now)),
        },
    }


def _rounded(number: int) -> int:
    step = int(10 ** max(len(str(number)) - 2, 0)) if number > 10_000 else 1
    return number // step * step


def _html(detail: dict[str, Any]) -> Response:
    data = json.dumps({"__DEFAULT_SCOPE__": {"webapp.user-detail": detail}})
    page = (
        "<!DOCTYPE html><html><head><title>TikTok</title></head><body>"
        f'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">{data}</script>'
        "</body></html>"
    )
    return Response(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


ROUTES: dict[str, tuple[str, Callable[[Request], Response]]] = {
    "/v2/auth/authorize/": ("GET", _authorize),
    "/v2/oauth/token/": ("POST", _token),
    "/v2/oauth/revoke/": ("POST", _revoke),
    "/v2/user/info/": ("GET", _user_info),
    "/v2/video/list/": ("POST", _video_list),
    "/v2/video/query/": ("POST", _video_query),
}
