"""Rows of apify/instagram-profile-scraper: an account each, with its newest posts."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from typing import Any

from socials.platforms.apify_sandbox.rows import lost, newest, shown_handle
from socials.platforms.apify_sandbox.runs import time
from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account, Item, Mood, seed


def rows(account: Account, given: str, limit: int, origin: str, now: datetime) -> list[Any]:
    url = f"https://www.instagram.com/{account.handle}"
    if lost(account):
        return []
    if account.mood == Mood.NONEXISTENT:
        return [
            {"url": url, "username": account.handle, "error": "not_found", "errorDescription": "Post does not exist"}
        ]  # fmt: skip
    avatar = cdn.avatar(origin, account, now)
    private = account.mood == Mood.PRIVATE
    return [
        {
            "inputUrl": url,
            "id": str(10**9 + account.number % 10**10),
            "fbid": f"1784{account.number % 10**13:013d}",
            "username": shown_handle(account),
            "url": url,
            "fullName": account.display_name,
            "biography": account.bio,
            "externalUrl": None,
            "externalUrls": [],
            "followersCount": "plenty" if account.mood == Mood.GARBLED else account.followers(now),
            "followsCount": account.following(now),
            "hasChannel": False,
            "highlightReelCount": 3,
            "isBusinessAccount": account.mood != Mood.PERSONAL,
            "joinedRecently": False,
            "businessCategoryName": "None",
            "private": private,
            "verified": account.followers(now) > 100_000,
            "profilePicUrl": avatar,
            "profilePicUrlHD": avatar,
            "igtvVideoCount": 0,
            "relatedProfiles": [],
            "latestIgtvVideos": [],
            "postsCount": account.total_posts(now),
            "latestPosts": []
            if private
            else [_post(item, origin, now) for item in newest(account, 12, now)],
        }
    ]


def _post(item: Item, origin: str, now: datetime) -> dict[str, Any]:
    kind = ("Image", "Video", "Sidecar")[item.index % 3]
    code = urlsafe_b64encode(sha256(item.key.encode()).digest())[:11].decode()
    film = {"videoUrl": None, "videoViewCount": item.number("views", 0.5, now),
            "videoPlayCount": item.number("views", 0.7, now), "videoDuration": 8.0 + item.index % 60,
            "productType": "clips"}  # fmt: skip
    return {
        "id": str(3_000_000_000_000_000_000 + seed(item.key) % 10**17),
        "type": kind,
        "shortCode": code,
        "caption": f"{item.account.display_name}, no. {item.index}",
        "hashtags": [],
        "mentions": [],
        "url": f"https://www.instagram.com/p/{code}/",
        "commentsCount": item.number("comments", 0.003, now),
        "firstComment": "",
        "latestComments": [],
        "dimensionsHeight": 1350,
        "dimensionsWidth": 1080,
        "displayUrl": cdn.thumbnail(origin, item, now),
        "images": [],
        "alt": None,
        "likesCount": -1 if item.index % 17 == 0 else item.number("likes", 0.05, now),
        "timestamp": time(item.posted_at),
        "childPosts": [],
        "ownerUsername": item.account.handle,
        "ownerId": str(10**9 + item.account.number % 10**10),
        "isPinned": False,
        "isCommentsDisabled": False,
        **(film if kind == "Video" else {"productType": "feed"}),
    }
