"""YouTube: who tells what about a channel, and what Google's quota allows."""

from __future__ import annotations

from socials.platforms.kit.platform import Bucket, Platform, ViewChange, Window
from socials.platforms.kit.scraped import APIFY, PUBLIC
from socials.platforms.youtube.data import YouTubeData
from socials.platforms.youtube.failures import STATS, UNITS
from socials.platforms.youtube.parse import ONE_COUNTING, VIEWS_BEFORE, VIEWS_SINCE

PLATFORM = Platform(
    id="YOUTUBE",
    name="YouTube",
    sources=(YouTubeData(), APIFY, PUBLIC),
    # Reference: https://developers.google.com/youtube/v3/determine_quota_cost
    buckets=(
        Bucket(UNITS, 10_000, Window.PACIFIC_DAY, cap_setting="YOUTUBE_DAILY_QUOTA"),
        Bucket(STATS, 10_000, Window.PACIFIC_DAY),
    ),
    image_hosts=(".ggpht.com", ".googleusercontent.com", ".ytimg.com"),
    # Reference: https://developers.google.com/youtube/terms/developer-policies
    retention_days=30,
    oauth="socials.platforms.youtube.oauth",
    # Reference: https://developers.google.com/youtube/v3/revision_history
    view_changes=(
        ViewChange(
            ONE_COUNTING.date(),
            VIEWS_BEFORE,
            VIEWS_SINCE,
            "a view now counts from the moment a video starts to play, in every format",
        ),
    ),
    tells={
        "followers": "subscriberCount, cut to three figures; nothing when the owner hides it",
        "following": "not told",
        "posts": "videoCount: public videos, Shorts and broadcasts together",
        "likes": "likeCount of each video; left out when the owner hides ratings",
        "comments": "commentCount of each video; left out when comments are off",
        "shares": "not told",
        "saves": "not told",
        "views": "viewCount of the channel and of each video; counted anew since 27 August 2026",
        "reach": "not told",
        "duration": "whole seconds",
        "kind": "broadcasts are declared; a Short is guessed by its length (three minutes at most)",
        "verified": "not told",
        "private": "not told: a private channel looks like none",
    },
)
