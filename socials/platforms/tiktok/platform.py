"""TikTok: the talent's own permission first, the scraping provider for everybody else."""

from __future__ import annotations

from socials.platforms.kit.platform import Bucket, Platform, Window
from socials.platforms.kit.scraped import APIFY, PUBLIC
from socials.platforms.tiktok.display import TikTokDisplay

PLATFORM = Platform(
    id="TIKTOK",
    name="TikTok",
    sources=(TikTokDisplay(), APIFY, PUBLIC),
    # Reference: https://developers.tiktok.com/doc/tiktok-api-v2-rate-limit
    buckets=(
        Bucket("tiktok.user_info", 600, Window.MINUTE),
        Bucket("tiktok.video_list", 600, Window.MINUTE),
        Bucket("tiktok.video_query", 600, Window.MINUTE),
    ),
    image_hosts=(
        ".tiktokcdn.com",
        ".tiktokcdn-us.com",
        ".tiktokcdn-eu.com",
        ".tiktokcdn-in.com",
        ".ibyteimg.com",
        ".byteoversea.com",
        ".muscdn.com",
    ),
    oauth="socials.platforms.tiktok.oauth",
    tells={
        "followers": "follower_count; scraped: fans, exact",
        "following": "following_count; scraped: following",
        "posts": "video_count; public ones can be listed",
        "likes": "of the account: likes_count; of a post: like_count; scraped: diggCount",
        "comments": "comment_count of each post",
        "shares": "share_count of each post",
        "saves": "scraped only: collectCount",
        "views": "view_count of each post; none for the account",
        "reach": "not told",
        "duration": "whole seconds",
        "verified": "with user.info.profile; scraped too",
        "private": "scraped only",
    },
)
