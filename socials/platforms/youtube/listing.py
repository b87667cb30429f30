"""A channel's newest uploads, page by page, and how far back they are known to be complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from scraping.errors import Failure, NotFound, PermissionMissing, PrivateAccount
from scraping.types import Profile
from socials.platforms.youtube import parse
from socials.platforms.youtube.api import MOST, Api
from socials.platforms.youtube.parse import Entry
from socials.types import StopReason

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Listing:
    """The newest uploads, and why there are no more of them."""

    entries: list[Entry] = field(default_factory=list)
    stop: StopReason = StopReason.END
    since: datetime | None = None

    @property
    def partial(self) -> tuple[str, ...]:
        return ("posts",) if self.stop in {StopReason.FAULT, StopReason.REFUSED} else ()


def listed(api: Api, profile: Profile, limit: int) -> Listing:
    """The newest public uploads. Raises the Failure of the first page, unless it says that
    there are none or that they may not be seen."""
    listing = Listing()
    if limit <= 0:
        listing.stop = StopReason.LIMIT
        return listing
    try:
        _turn_pages(api, listing, profile.extra["uploads_playlist"], limit)
    except NotFound:
        # A channel that never uploaded has no such playlist.
        pass
    except (PrivateAccount, PermissionMissing):
        listing.stop = StopReason.REFUSED
    if listing.stop in {StopReason.END, StopReason.LIMIT}:
        listing.since = _complete_since(listing, profile.posts.value)
    return listing


def _turn_pages(api: Api, listing: Listing, playlist: str, limit: int) -> None:
    seen: dict[str, Entry] = {}
    page_token = following = ""
    for number in range(most_pages(limit)):
        try:
            page = api.uploads(playlist, size=MOST, page_token=page_token)
            fresh = {e.video_id: e for e in parse.entries(page) if e.video_id not in seen}
            following = page.text("nextPageToken") or ""
        except Failure:
            if number == 0:
                raise
            listing.stop = StopReason.FAULT
            break
        seen |= fresh
        if len(seen) >= limit or not following or following == page_token:
            break
        page_token = following
    more = bool(following) or len(seen) > limit
    listing.entries = list(seen.values())[:limit]
    if listing.stop is not StopReason.FAULT:
        listing.stop = StopReason.LIMIT if more else StopReason.END


def _complete_since(listing: Listing, total: int | None) -> datetime | None:
    """Since when every public video is in the listing: from the beginning when it has them all.

    Else since the newest of its last three: one that was published long after it was uploaded may
    stand out of order, and must not make us believe that we saw further back than we did.
    """
    if listing.stop is StopReason.END and total is not None and len(listing.entries) >= total:
        return BEGINNING
    times = [entry.published_at for entry in listing.entries[-3:] if entry.published_at]
    return max(times, default=None)


def calls(ids: int) -> int:
    """Calls for so many ids, fifty a call."""
    return -(-ids // MOST)


def most_pages(posts: int) -> int:
    """One more than would do, for entries that are private or deleted."""
    return calls(posts) + 1 if posts > 0 else 0
