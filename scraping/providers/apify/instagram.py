"""apify/instagram-profile-scraper: one item per profile, its newest dozen posts inside.

Reference: https://apify.com/apify/instagram-profile-scraper
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from scraping.errors import BadResponse, PrivateAccount
from scraping.providers.apify.actor import Gathered
from scraping.providers.apify.rows import failure_told, last_segment, texts
from scraping.providers.posts import Listed, count, salvage
from scraping.shortcodes import shortcode
from scraping.types import Count, Post, PostKind, Profile
from scraping.wire import Fields

VIEWS = "instagram.plays"
"""Plays as the public page counts them."""
MOST_POSTS = 12
"""As many as the actor tells of an account, whatever is asked."""
KINDS = {"Image": PostKind.IMAGE, "Video": PostKind.VIDEO, "Sidecar": PostKind.CAROUSEL}


class InstagramActor:
    platform = "INSTAGRAM"
    name = "apify~instagram-profile-scraper"
    page = 10

    def rows(self, handles: int, post_limit: int) -> int:
        return handles

    def body(self, handles: Sequence[str], post_limit: int) -> dict[str, Any]:
        return {"usernames": list(handles)}

    def key(self, handle: str) -> str:
        return last_segment(handle)

    def names(self, row: Fields) -> list[str]:
        return texts(row, "inputUrl", "username", "url")

    def read(self, row: Fields, into: Gathered, now: datetime) -> None:
        failure = failure_told(row)
        if failure:
            raise failure
        if row.flag("private"):
            raise PrivateAccount(platform=row.platform, source=row.source)
        if row.count("followersCount") is None:
            raise BadResponse(
                "the item tells no followersCount",
                platform=row.platform, source=row.source, field="followersCount",
            )  # fmt: skip
        into.profile = _profile(row, into.handle)
        try:
            items = row.items("latestPosts")
        except BadResponse:
            into.partial.add("posts")
            return
        for item in items:
            if isinstance(item, dict):
                fields = Fields(
                    item, platform=row.platform, source=row.source, path="latestPosts[]", meter=row.meter
                )  # fmt: skip
                post = salvage(fields, _post, PostKind.IMAGE)
                if post:
                    into.posts.append(Listed(post, pinned=item.get("isPinned") is True))


def _profile(row: Fields, asked: str) -> Profile:
    row.known(
        "inputUrl", "url", "username", "fullName", "biography", "id", "fbid", "followersCount",
        "followsCount", "postsCount", "highlightReelCount", "igtvVideoCount", "externalUrl",
        "externalUrls", "externalUrlShimmed", "private", "verified", "isBusinessAccount",
        "joinedRecently", "hasChannel", "businessCategoryName", "profilePicUrl", "profilePicUrlHD",
        "latestPosts", "latestIgtvVideos", "relatedProfiles", "about",
    )  # fmt: skip
    handle = row.ident("username") or asked
    # ``fbid`` is the id that Meta's own interfaces give the account; ``id`` is the website's.
    website_id, graph_id = row.ident("id"), row.ident("fbid")
    return Profile(
        external_id=graph_id or website_id or row.need("id"),
        handle=handle,
        display_name=(row.text("fullName") or "")[:300],
        bio=row.text("biography"),
        avatar_url=row.text("profilePicUrlHD") or row.text("profilePicUrl"),
        profile_url=f"https://www.instagram.com/{handle}/",
        followers=count(row, "followersCount"),
        following=count(row, "followsCount"),
        posts=count(row, "postsCount"),
        verified=row.flag("verified"),
        private=row.flag("private"),
        extra={"web_id": website_id} if website_id and graph_id else {},
    )


def _post(row: Fields, external_id: str) -> Post:
    row.known(
        "id", "type", "shortCode", "caption", "hashtags", "mentions", "url", "commentsCount",
        "firstComment", "latestComments", "dimensionsHeight", "dimensionsWidth", "displayUrl",
        "images", "videoUrl", "alt", "likesCount", "videoViewCount", "videoPlayCount",
        "videoDuration", "timestamp", "childPosts", "ownerUsername", "ownerId", "ownerFullName",
        "productType", "isPinned", "isCommentsDisabled", "taggedUsers", "musicInfo",
        "locationName", "locationId", "coauthorProducers", "inputUrl",
    )  # fmt: skip
    kind = KINDS.get(row.text("type") or "", PostKind.IMAGE)
    if row.text("productType") == "clips":
        kind = PostKind.REEL
    views = count(row, "videoPlayCount")
    if views.value is None:
        views = count(row, "videoViewCount")
    return Post(
        external_id=external_id,
        shared_id=shortcode(row.text("url")),
        kind=kind,
        posted_at=row.time("timestamp"),
        caption=row.text("caption"),
        url=row.text("url"),
        thumbnail_url=row.text("displayUrl"),
        duration_seconds=row.number("videoDuration"),
        likes=_likes(row),
        comments=count(row, "commentsCount"),
        views=views,
        view_definition=VIEWS if views.value is not None else "",
        kind_confidence="declared",
    )


def _likes(row: Fields) -> Count:
    """-1 is how the scrapers write likes that the owner hides."""
    return Count.hidden() if row.value.get("likesCount") == -1 else count(row, "likesCount")


ACTOR = InstagramActor()
