"""Instagram: who tells what about an account, and in which order they are asked."""

from __future__ import annotations

from datetime import date

from socials.platforms.instagram import usage
from socials.platforms.instagram.business_discovery import BusinessDiscovery
from socials.platforms.instagram.login import InstagramLogin
from socials.platforms.instagram.parse import DISCOVERY_VIEWS
from socials.platforms.kit.platform import Bucket, Platform, ViewChange, Window
from socials.platforms.kit.scraped import APIFY, PUBLIC

PLATFORM = Platform(
    id="INSTAGRAM",
    name="Instagram",
    sources=(InstagramLogin(), BusinessDiscovery(), APIFY, PUBLIC),
    # Meta tells this limit in percent of the hour.
    buckets=(Bucket(usage.APP, 100, Window.HOUR),),
    image_hosts=(".cdninstagram.com", ".fbcdn.net"),
    # Reference: https://developers.facebook.com/docs/graph-api/changelog/version22.0
    view_changes=(
        ViewChange(
            date(2025, 4, 21),
            "instagram.impressions-and-plays",
            DISCOVERY_VIEWS,
            "views took the place of impressions and plays",
        ),
    ),
    oauth="socials.platforms.instagram.oauth",
    post_ids_differ=True,
    tells={
        "followers": "followers_count, exact",
        "following": "follows_count, exact",
        "posts": "media_count, exact",
        "likes": "like_count of each post; left out when the owner hides it",
        "comments": "comments_count of each post",
        "shares": "insights `shares`, with the talent's permission only",
        "saves": "insights `saved`, with the talent's permission only",
        "views": "insights `views` (organic) or, of reels, `view_count` (paid and organic)",
        "reach": "insights `reach`, with the talent's permission only",
        "duration": "not told",
        "verified": "not told by the official sources",
        "private": "not told: only professional accounts are shown, and those are public",
    },
)
