"""What reading posts has in common, whoever scrapes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from scraping.errors import BadResponse
from scraping.types import Count, Post, PostKind
from scraping.wire import Fields

TIKTOK_VIEWS = "tiktok.views"
"""TikTok's own public number of plays."""
YOUTUBE_VIEWS = "youtube.views.2026-08-27"
"""Counted at the start of playing, for all forms alike, since that day."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A post and whether its owner pinned it above newer ones."""

    post: Post
    pinned: bool = False


def listed(
    items: Sequence[Listed], *, limit: int, total: int | None
) -> tuple[tuple[Post, ...], datetime | None]:
    """The newest ``limit`` posts, newest first, and since when they are complete.

    They are complete only if the source gave as many as it could: ``limit``, or all there are.
    Pinned ones may be old, so they don't tell how far back the listing reaches.
    """
    seen: dict[str, Listed] = {}
    for item in items:
        seen.setdefault(item.post.external_id, item)
    beginning = datetime.min.replace(tzinfo=UTC)
    newest = sorted(seen.values(), key=lambda item: item.post.posted_at or beginning, reverse=True)
    posts = tuple(item.post for item in newest[:limit])
    full = len(newest) >= limit > 0 or (total is not None and len(newest) >= total > 0)
    times = [item.post.posted_at for item in newest[:limit] if not item.pinned]
    since = min((time for time in times if time), default=None) if all(times) else None
    return posts, since if full else None


def salvage(row: Fields, parse: Callable[[Fields, str], Post], kind: PostKind) -> Post | None:
    """The row's post; an odd one keeps its id and the reason. None when it has not even an id."""
    try:
        external_id = row.ident("id")
    except BadResponse:
        external_id = None
    if external_id is None:
        if row.meter is not None:
            row.meter.unknown(row.source, f"{row.platform.lower()} post without id")
        return None
    try:
        return parse(row, external_id)
    except BadResponse as fault:
        return Post(external_id, kind, note=fault.detail[:300])


def count(row: Fields, key: str) -> Count:
    return Count.of(row.count(key))
