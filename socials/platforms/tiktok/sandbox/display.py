"""Display API v2: ``fields`` in the query, everything else in JSON."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account, Item, Mood, Request, Response, memory
from socials.platforms.tiktok.sandbox.login import revoked
from socials.platforms.tiktok.sandbox.tokens import CLIENT_KEY, log_id, open_id, read

SLOW_SECONDS = 4.0
MOST_VIDEOS = 20

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


def user_info(request: Request) -> Response:
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


def video_list(request: Request) -> Response:
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
        for item in public(account)
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


def video_query(request: Request) -> Response:
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
    found = [item for item in public(account) if item.long_id in ids]
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
    told = read(request.bearer, "act")
    refused = _error(
        "access_token_invalid", "The access token is invalid or not found in the request.", 401
    )
    if told is None or told[1] < time.time_ns() or request.bearer in revoked:
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
    error = {"code": "ok", "message": "", "log_id": log_id()}
    answer = Response.of({"data": data, "error": error})
    delay = SLOW_SECONDS if account.mood is Mood.SLOW else 0.0
    return Response(answer.status, answer.body, answer.headers, delay)


def _error(code: str, message: str, status: int) -> Response:
    return Response.of({"error": {"code": code, "message": message, "log_id": log_id()}}, status)


def public(account: Account) -> list[Item]:
    now = datetime.now(UTC)
    return [item for item in account.items(now) if item.posted_at <= now]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
