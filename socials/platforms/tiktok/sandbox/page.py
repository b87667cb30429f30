"""The public profile page, with the JSON that TikTok's own script reads from it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account, Item, Mood, Request, Response, memory
from socials.platforms.tiktok.sandbox.display import public


def profile(request: Request) -> Response:
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
        "itemList": [_page_item(item, request) for item in islice(public(account), 12)],
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
