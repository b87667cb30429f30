"""Graph objects become profiles and posts; fields without a value are omitted by Graph, not null."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from scraping.errors import BadResponse
from scraping.shortcodes import shortcode
from scraping.types import UNKNOWN, Count, Post, PostKind, Profile
from scraping.wire import Fields
from socials.platforms.instagram.graph import PLATFORM
from socials.types import Context

# Fields that both hosts document for an account and for a media item.
PROFILE_FIELDS = (
    "id",
    "username",
    "name",
    "biography",
    "website",
    "profile_picture_url",
    "followers_count",
    "follows_count",
    "media_count",
)
MEDIA_FIELDS = (
    "id",
    "caption",
    "media_type",
    "media_product_type",
    "permalink",
    "timestamp",
    "like_count",
    "comments_count",
    "media_url",
    "thumbnail_url",
)

# Answered without being asked for, or named by the documents for other readers.
PROFILE_KNOWN = (*PROFILE_FIELDS, "user_id", "ig_id", "account_type", "media", "is_published")
MEDIA_KNOWN = (
    *MEDIA_FIELDS, "view_count", "shortcode", "username", "owner", "children", "alt_text",
    "is_comment_enabled", "is_shared_to_feed", "is_ai_generated", "boost_eligibility_info",
)  # fmt: skip

# Views replaced impressions and plays for every version on 21 April 2025. What Business Discovery
# counts includes paid views; the owner's insights count organic ones only: two definitions.
DISCOVERY_VIEWS = "instagram.view_count.paid-and-organic.2025-04-21"
INSIGHT_VIEWS = "instagram.insights.views.organic.2025-04-21"

_KINDS = {
    "IMAGE": PostKind.IMAGE,
    "VIDEO": PostKind.VIDEO,
    "CAROUSEL_ALBUM": PostKind.CAROUSEL,
}
_PRODUCTS = {"REELS": PostKind.REEL, "STORY": PostKind.STORY}


def fields_of(value: Any, context: Context, source: str, path: str = "") -> Fields:
    return Fields(value, platform=PLATFORM, source=source, path=path, meter=context.meter)


def profile(account: Fields, *, external_id: str, handle: str, extra: dict[str, str]) -> Profile:
    """Raises BadResponse for a wrong type."""
    account.known(*PROFILE_KNOWN)
    username = account.text("username") or handle
    return Profile(
        external_id=external_id,
        handle=username,
        display_name=account.text("name") or "",
        bio=account.text("biography"),
        avatar_url=account.text("profile_picture_url"),
        profile_url=f"https://www.instagram.com/{username}/",
        followers=_count(account, "followers_count"),
        following=_count(account, "follows_count"),
        posts=_count(account, "media_count"),
        extra={name: value for name, value in extra.items() if value},
    )


def media(listing: Fields) -> Iterator[Post]:
    """The posts of a ``{data, paging}`` edge; an odd item keeps its reason, the others stand.

    Raises BadResponse when the edge itself has not its shape.
    """
    for index, value in enumerate(listing.items("data")):
        path = f"{listing.path}.data[{index}]".strip(".")
        try:
            item = Fields(
                value,
                platform=listing.platform,
                source=listing.source,
                path=path,
                meter=listing.meter,
            )
            external_id = item.need("id")
        except BadResponse:
            if listing.meter is not None:
                listing.meter.unknown(listing.source, f"{listing.path}.data[].id".strip("."))
            continue
        yield post(item, external_id)


def post(item: Fields, external_id: str) -> Post:
    """One media item. A field of a wrong type is named on the post instead of spoiling it."""
    item.known(*MEDIA_KNOWN)
    kind, confidence = _kind(item)
    readers: dict[str, Callable[[], Any]] = {
        "posted_at": lambda: item.time("timestamp"),
        "caption": lambda: item.text("caption"),
        "url": lambda: item.text("permalink"),
        "thumbnail_url": lambda: _thumbnail(item, kind),
        "likes": lambda: _likes(item),
        "comments": lambda: _count(item, "comments_count"),
        "views": lambda: _count(item, "view_count"),
    }
    told: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for name, read in readers.items():
        try:
            told[name] = read()
        except BadResponse as bad:
            refused[name] = bad.detail[:300]
    return Post(
        external_id=external_id,
        kind=kind,
        kind_confidence=confidence,
        shared_id=shortcode(told.get("url")),
        view_definition=DISCOVERY_VIEWS if told.get("views", UNKNOWN).value is not None else "",
        partial=tuple(refused),
        note=next(reversed(refused.values()), ""),
        **told,
    )


def after(listing: Fields) -> str:
    """The cursor of the next page; "" on the last one. ``paging.next`` holds the token: unread."""
    paging = listing.child("paging")
    cursors = paging.child("cursors") if paging else None
    return (cursors.text("after") if cursors else None) or ""


def insight_values(body: Fields) -> dict[str, int]:
    """Metric → value of an insights answer, in either documented form; no data, no entry.

    Raises BadResponse for a wrong type.
    """
    values: dict[str, int] = {}
    for insight in body.children("data"):
        name = insight.need("name")
        for holder in _holders(insight):
            value = holder.count("value")
            if value is not None:
                values[name] = value
    return values


def _holders(insight: Fields) -> Iterable[Fields]:
    total = insight.child("total_value")
    return [total] if total else list(insight.children("values"))[-1:]


def _count(item: Fields, key: str) -> Count:
    return Count.of(item.count(key))


def _likes(item: Fields) -> Count:
    """Absent (or -1) means that the owner hides them."""
    if item.value.get("like_count") in (None, -1, "-1"):
        return Count.hidden()
    return _count(item, "like_count")


def _thumbnail(item: Fields, kind: PostKind) -> str | None:
    still = item.text("thumbnail_url")
    if still or item.value.get("media_type") == "VIDEO" or kind is PostKind.REEL:
        return still
    return item.text("media_url")


def _kind(item: Fields) -> tuple[PostKind, str]:
    product, media_type = item.value.get("media_product_type"), item.value.get("media_type")
    found = _PRODUCTS.get(str(product)) or _KINDS.get(str(media_type))
    if found:
        return found, "declared"
    if item.meter is not None and media_type is not None:
        item.meter.unknown(item.source, f"media_type={media_type!s:.40}")
    return (PostKind.VIDEO if item.value.get("thumbnail_url") else PostKind.IMAGE), "guessed"
