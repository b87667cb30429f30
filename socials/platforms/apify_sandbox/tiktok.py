"""Rows of clockworks/tiktok-profile-scraper: a video each, its author repeated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from socials.platforms.apify_sandbox.rows import lost, newest, shown_handle
from socials.platforms.apify_sandbox.runs import time
from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account, Item, Mood


def rows(account: Account, given: str, limit: int, origin: str, now: datetime) -> list[Any]:
    url = f"https://www.tiktok.com/@{account.handle}"
    if lost(account):
        return []
    if account.mood == Mood.NONEXISTENT:
        return [
            {"url": url, "input": given, "error": "This profile/hashtag does not exist.", "errorCode": "NOT_FOUND"}
        ]  # fmt: skip
    author = _author(account, origin, now)
    if account.mood == Mood.PRIVATE:
        return [{"authorMeta": author, "input": given, "note": "Profile is private"}]
    if account.mood == Mood.GARBLED:
        return [{"authorMeta": {**author, "fans": "plenty"}, "input": given, "id": "1"}]
    return [_video(item, author, given, origin, now) for item in newest(account, limit, now)]


def _author(account: Account, origin: str, now: datetime) -> dict[str, Any]:
    avatar = cdn.avatar(origin, account, now)
    handle = shown_handle(account)
    return {
        "id": str(6_700_000_000_000_000_000 + account.number % 10**17),
        "name": handle,
        "profileUrl": f"https://www.tiktok.com/@{handle}",
        "nickName": account.display_name,
        "verified": account.followers(now) > 100_000,
        "signature": account.bio,
        "bioLink": None,
        "originalAvatarUrl": avatar,
        "avatar": avatar,
        "commerceUserInfo": {"commerceUser": False},
        "privateAccount": account.mood == Mood.PRIVATE,
        "roomId": "",
        "ttSeller": False,
        "following": account.following(now),
        "friends": 0,
        "fans": account.followers(now),
        "heart": account.followers(now) * (9 + account.number % 20),
        "video": account.total_posts(now),
        "digg": account.number % 500,
    }


def _video(
    item: Item, author: dict[str, Any], given: str, origin: str, now: datetime
) -> dict[str, Any]:
    video_id = item.long_id
    cover = cdn.thumbnail(origin, item, now)
    return {
        "id": video_id,
        "text": f"{item.account.display_name}, no. {item.index} #fyp",
        "textLanguage": "en",
        "createTime": int(item.posted_at.timestamp()),
        "createTimeISO": time(item.posted_at),
        "locationCreated": "GB",
        "isAd": False,
        "authorMeta": author,
        "musicMeta": {"musicName": "original sound", "musicAuthor": item.account.display_name, "musicOriginal": True},
        "webVideoUrl": f"https://www.tiktok.com/@{author['name']}/video/{video_id}",
        "mediaUrls": [],
        "videoMeta": {"height": 1024, "width": 576, "duration": 12 + item.index % 80, "coverUrl": cover,
                      "originalCoverUrl": cover, "definition": "540p", "format": "mp4", "subtitleLinks": []},
        "diggCount": item.number("likes", 0.08, now),
        "shareCount": item.number("shares", 0.006, now),
        "playCount": item.number("views", 0.9, now),
        "collectCount": item.number("saves", 0.01, now),
        "commentCount": item.number("comments", 0.004, now),
        "mentions": [], "detailedMentions": [], "hashtags": [{"id": "1", "name": "fyp", "title": "", "cover": ""}],
        "effectStickers": [], "isSlideshow": item.index % 11 == 0, "isPinned": False, "isSponsored": False,
        "input": given, "fromProfileSection": "videos",
    }  # fmt: skip
