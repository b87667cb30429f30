"""TikTok's Display API objects as ours."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from scraping.errors import BadResponse
from scraping.providers.posts import TIKTOK_VIEWS, count
from scraping.types import Post, PostKind, Profile
from scraping.wire import Fields
from socials.types import StopReason

BASIC_FIELDS = (
    "open_id", "union_id", "avatar_url", "avatar_url_100", "avatar_large_url", "display_name",
)  # fmt: skip
PROFILE_FIELDS = ("bio_description", "profile_deep_link", "is_verified", "username")
STATS_FIELDS = ("follower_count", "following_count", "likes_count", "video_count")
VIDEO_FIELDS = (
    "id", "create_time", "cover_image_url", "share_url", "video_description", "title", "duration",
    "like_count", "comment_count", "share_count", "view_count",
)  # fmt: skip


class PostsRead(NamedTuple):
    """What a listing or a query of posts brought."""

    posts: tuple[Post, ...]
    stop: StopReason
    since: datetime | None = None
    gone: tuple[str, ...] = ()


def profile(user: Fields, asked: str) -> Profile:
    """The user object. Without ``user.info.profile`` it names no handle: the asked one stays."""
    user.known(*BASIC_FIELDS, *PROFILE_FIELDS, *STATS_FIELDS)
    handle = (user.ident("username") or "").lstrip("@") or asked
    union_id = user.ident("union_id")
    return Profile(
        external_id=user.need("open_id"),
        handle=handle,
        display_name=(user.text("display_name") or "")[:300],
        bio=user.text("bio_description"),
        avatar_url=user.text("avatar_large_url") or user.text("avatar_url"),
        profile_url=f"https://www.tiktok.com/@{handle}" if handle else None,
        followers=count(user, "follower_count"),
        following=count(user, "following_count"),
        posts=count(user, "video_count"),
        likes=count(user, "likes_count"),
        verified=user.flag("is_verified"),
        extra={"union_id": union_id} if union_id else {},
    )


def videos(data: Fields) -> tuple[Post, ...]:
    """The posts of a page; an odd one keeps its id and the reason, one without id is counted."""
    found = (_video_or_reason(item, data) for item in data.items("videos"))
    return tuple(post for post in found if post is not None)


def _video_or_reason(item: object, data: Fields) -> Post | None:
    try:
        fields = Fields(
            item, platform=data.platform, source=data.source, path="data.videos[]", meter=data.meter
        )
        video_id = fields.need("id")
    except BadResponse:
        if data.meter is not None:
            data.meter.unknown(data.source, "data.videos[] without id")
        return None
    try:
        return _video(fields, video_id)
    except BadResponse as fault:
        return Post(video_id, PostKind.VIDEO, note=fault.detail[:300])


def _video(item: Fields, video_id: str) -> Post:
    """``create_time`` is in seconds (the listing's cursor is in milliseconds)."""
    item.known(*VIDEO_FIELDS, "height", "width", "embed_html", "embed_link", "is_aigc")
    views = count(item, "view_count")
    url = item.text("share_url")
    return Post(
        external_id=video_id,
        kind=PostKind.VIDEO,
        posted_at=item.epoch("create_time"),
        caption=item.text("video_description") or item.text("title"),
        url=url.partition("?")[0] if url else None,  # the rest tells our client key
        thumbnail_url=item.text("cover_image_url"),
        duration_seconds=item.number("duration"),
        likes=count(item, "like_count"),
        comments=count(item, "comment_count"),
        shares=count(item, "share_count"),
        views=views,
        view_definition=TIKTOK_VIEWS if views.value is not None else "",
        kind_confidence="declared",
    )


def posts_read(posts: tuple[Post, ...], stop: StopReason) -> PostsRead:
    """A listing is complete back to its oldest post; to its very end, back to the beginning."""
    times = [post.posted_at for post in posts]
    if stop is StopReason.FAULT or not all(times):
        return PostsRead(posts, stop)
    return PostsRead(posts, stop, min((time for time in times if time), default=None))
