"""Pages of media by cursor, down to the asked depth, and what may be said of posts not in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from scraping.errors import Failure, NotFound, PermissionMissing, RateLimited, UnsupportedAccount
from scraping.meter import Meter, Usage
from scraping.types import Post
from scraping.wire import Fields
from socials.platforms.instagram import parse
from socials.types import StopReason

PAGE_SIZE = 50
REFUSALS = (PermissionMissing, NotFound, UnsupportedAccount)
"""Failures of a listing that say nothing against the profile."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Page = Callable[[str, int], Fields]
"""The ``{data, paging}`` edge after a cursor ("" for the newest) with at most n items."""


@dataclass(slots=True)
class Listing:
    """The newest posts, and why there are no more of them."""

    posts: list[Post] = field(default_factory=list)
    stop_reason: StopReason = StopReason.END
    fault: Failure | None = None
    listed_since: datetime | None = None
    unreadable: bool = False
    """An item came without an id: it might be any of the stored ones."""

    @property
    def partial(self) -> tuple[str, ...]:
        faulty = self.stop_reason in {StopReason.FAULT, StopReason.REFUSED}
        return ("posts",) if faulty else ()


def read(page: Page, *, limit: int, total: int | None, first: Fields | None = None) -> Listing:
    """Newest first, at most ``limit`` posts; a later page that fails keeps what came before.

    ``total`` is the platform's own number of posts; ``first`` is the newest page when it came with
    the profile. Raises the Failure of the first page, unless only the listing is refused.
    """
    listing = Listing()
    seen: set[str] = set()
    cursor = ""
    try:
        while True:
            edge = first or page(cursor, min(PAGE_SIZE, limit - len(listing.posts)))
            first = None
            found = list(parse.media(edge))
            listing.unreadable |= len(found) < len(edge.items("data"))
            fresh = [post for post in found if post.external_id not in seen]
            seen.update(post.external_id for post in fresh)
            listing.posts += fresh
            cursor = parse.after(edge)
            if _is_over(listing, limit, total, cursor, fresh):
                break
    except Failure as failed:
        if not listing.posts and not isinstance(failed, REFUSALS):
            raise
        listing.fault = failed
        listing.stop_reason = StopReason.FAULT if listing.posts else StopReason.REFUSED
    if total and not listing.posts:
        listing.stop_reason = StopReason.REFUSED
    listing.listed_since = _listed_since(listing, total)
    return listing


def _is_over(
    listing: Listing, limit: int, total: int | None, cursor: str, fresh: list[Post]
) -> bool:
    """A page may be short though more follow, and a last page may have a cursor to an empty one;
    a page that brings nothing new ends it, so that no platform can keep us turning pages."""
    if len(listing.posts) >= limit:
        more = len(listing.posts) > limit or (cursor and total != len(listing.posts))
        del listing.posts[limit:]
        listing.stop_reason = StopReason.LIMIT if more else StopReason.END
        return True
    return not fresh or not cursor or len(listing.posts) == total


def _listed_since(listing: Listing, total: int | None) -> datetime | None:
    """All posts are here: from the beginning. As far as we went: from the last one listed."""
    if listing.fault or listing.unreadable:
        return None
    everything = listing.stop_reason is StopReason.END and total is not None
    if everything and len(listing.posts) >= (total or 0):
        return BEGINNING
    return listing.posts[-1].posted_at if listing.posts else None


def report(fault: Failure | None, meter: Meter) -> None:
    """A shared limit that was met halfway is told to the meter, for the reading itself is good."""
    if isinstance(fault, RateLimited) and fault.bucket:
        meter.observe(Usage(fault.bucket, 100, fault.retry_at))
