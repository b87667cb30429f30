"""Rows of streamers/youtube-scraper: a video each, its channel repeated."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from typing import Any

from socials.platforms.apify_sandbox.rows import lost, newest, shown_handle
from socials.platforms.apify_sandbox.runs import time
from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account, Mood, three_figures


def rows(account: Account, given: str, limit: int, origin: str, now: datetime) -> list[Any]:
    if lost(account):
        return []
    if account.mood in {Mood.NONEXISTENT, Mood.PRIVATE}:
        return [
            {"input": given, "error": "CHANNEL_DOES_NOT_EXIST", "note": "Channel does not exist"}
        ]
    channel = {
        "channelName": account.display_name,
        "channelUsername": shown_handle(account),
        "channelId": _channel_id(account),
        "channelUrl": f"https://www.youtube.com/channel/{_channel_id(account)}",
        "numberOfSubscribers": "plenty"
        if account.mood == Mood.GARBLED
        else three_figures(account.followers(now)),
        "aboutChannelInfo": {
            "channelDescription": account.bio,
            "channelAvatarUrl": cdn.avatar(origin, account, now),
            "channelTotalVideos": account.total_posts(now),
            "channelTotalViews": f"{account.followers(now) * 210:,}",
            "isChannelVerified": account.followers(now) > 100_000,
            "inputChannelUrl": given,
        },
    }
    return [
        {
            **channel,
            "id": urlsafe_b64encode(sha256(item.key.encode()).digest())[:11].decode(),
            "title": f"{account.display_name}, no. {item.index}",
            "url": f"https://www.youtube.com/watch?v={item.index}",
            "type": "shorts" if item.index % 4 == 0 else "video",
            "duration": f"{item.index % 20}:{item.index % 60:02d}",
            "date": time(item.posted_at),
            "viewCount": item.number("views", 0.6, now),
            "likes": item.number("likes", 0.03, now),
            "commentsCount": item.number("comments", 0.002, now),
            "thumbnailUrl": cdn.thumbnail(origin, item, now),
            "text": "",
            "order": place,
            "fromYTUrl": given,
            "input": given,
        }
        for place, item in enumerate(newest(account, limit, now))
    ]


def _channel_id(account: Account) -> str:
    if re.fullmatch(r"UC[A-Za-z0-9_-]{22}", account.handle):
        return account.handle
    return "UC" + urlsafe_b64encode(sha256(account.handle.lower().encode()).digest())[:22].decode()
