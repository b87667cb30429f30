"""clockworks/tiktok-profile-scraper and clockworks/tiktok-scraper: one row per video.

Reference: https://apify.com/clockworks/tiktok-profile-scraper
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from scraping.errors import PrivateAccount
from scraping.providers.apify.actor import Gathered
from scraping.providers.apify.rows import failure_told, last_segment, texts
from scraping.providers.posts import TIKTOK_VIEWS, Listed, count, salvage
from scraping.types import Post, PostKind, Profile
from scraping.wire import Fields


class TikTokActor:
    platform = "TIKTOK"
    name = "clockworks~tiktok-profile-scraper"
    page = 100

    def rows(self, handles: int, post_limit: int) -> int:
        return handles * max(post_limit, 1)

    def body(self, handles: Sequence[str], post_limit: int) -> dict[str, Any]:
        """Rows are what is paid for; a profile comes with its videos, so one is the least."""
        return {
            "profiles": list(handles),
            "resultsPerPage": max(post_limit, 1),
            "profileScrapeSections": ["videos"],
            "profileSorting": "latest",
            "excludePinnedPosts": False,
            "shouldDownloadVideos": False,
            "shouldDownloadCovers": False,
            "shouldDownloadSubtitles": False,
            "shouldDownloadSlideshowImages": False,
            "shouldDownloadAvatars": False,
            "shouldDownloadMusicCovers": False,
        }

    def key(self, handle: str) -> str:
        return last_segment(handle)

    def names(self, row: Fields) -> list[str]:
        author = row.value.get("authorMeta")
        named = texts(row.child("authorMeta"), "name") if isinstance(author, dict) else []
        return [*texts(row, "input"), *named, *texts(row, "url")]

    def read(self, row: Fields, into: Gathered, now: datetime) -> None:
        failure = failure_told(row)
        author = row.child("authorMeta")
        if failure or author is None:
            if failure:
                raise failure
            return
        if author.flag("privateAccount"):
            raise PrivateAccount(platform=row.platform, source=row.source)
        if into.profile is None:
            into.profile = _profile(author, into.handle)
        # A row with a note has no video ("Profile has no videos"): only the profile counts.
        if row.text("note") is None and "id" in row:
            post = salvage(row, _post, PostKind.VIDEO)
            if post:
                into.posts.append(Listed(post, pinned=row.value.get("isPinned") is True))


def _profile(author: Fields, asked: str) -> Profile:
    """``fans`` are followers, ``heart`` likes received, ``digg`` likes given."""
    author.known(
        "id", "name", "profileUrl", "nickName", "verified", "signature", "bioLink",
        "originalAvatarUrl", "avatar", "commerceUserInfo", "privateAccount", "roomId", "ttSeller",
        "following", "friends", "fans", "heart", "video", "digg", "region",
    )  # fmt: skip
    handle = author.ident("name") or asked
    return Profile(
        external_id=author.need("id"),
        handle=handle,
        display_name=(author.text("nickName") or "")[:300],
        bio=author.text("signature"),
        avatar_url=author.text("originalAvatarUrl") or author.text("avatar"),
        profile_url=f"https://www.tiktok.com/@{handle}",
        followers=count(author, "fans"),
        following=count(author, "following"),
        posts=count(author, "video"),
        likes=count(author, "heart"),
        verified=author.flag("verified"),
        private=author.flag("privateAccount"),
    )


def _post(row: Fields, external_id: str) -> Post:
    row.known(
        "id", "text", "textLanguage", "createTime", "createTimeISO", "locationCreated", "isAd",
        "authorMeta", "musicMeta", "webVideoUrl", "mediaUrls", "videoMeta", "diggCount",
        "shareCount", "playCount", "collectCount", "commentCount", "repostCount", "mentions",
        "detailedMentions", "hashtags", "effectStickers", "isSlideshow", "slideshowImageLinks",
        "isPinned", "isSponsored", "input", "fromProfileSection", "submittedVideoUrl", "url",
    )  # fmt: skip
    video = row.child("videoMeta")
    views = count(row, "playCount")
    return Post(
        external_id=external_id,
        kind=PostKind.CAROUSEL if row.flag("isSlideshow") else PostKind.VIDEO,
        posted_at=row.epoch("createTime") or row.time("createTimeISO"),
        caption=row.text("text"),
        url=row.text("webVideoUrl"),
        thumbnail_url=(video.text("coverUrl") or video.text("originalCoverUrl")) if video else None,
        duration_seconds=video.number("duration") if video else None,
        likes=count(row, "diggCount"),
        comments=count(row, "commentCount"),
        shares=count(row, "shareCount"),
        saves=count(row, "collectCount"),
        views=views,
        view_definition=TIKTOK_VIEWS if views.value is not None else "",
        kind_confidence="declared",
    )


ACTOR = TikTokActor()
