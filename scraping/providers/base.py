"""What a scraping provider is, what it may use, and what it brings: no Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from scraping.errors import Failure
from scraping.http import Http
from scraping.meter import Meter
from scraping.types import Post, ScrapedAccount

Outcome = tuple[str, ScrapedAccount | Failure]
"""The handle as it was asked for, and what became of it."""


class Outside(Protocol):
    """The outside world of one scrape: it comes in as an argument."""

    @property
    def http(self) -> Http: ...
    @property
    def settings(self) -> Mapping[str, str]: ...
    @property
    def meter(self) -> Meter: ...
    @property
    def clock(self) -> Callable[[], datetime]: ...


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ScrapeContext:
    """An ``Outside`` for callers that have none of their own."""

    http: Http
    settings: Mapping[str, str]
    """Platform settings by their environment name; an unset one is the empty string."""
    meter: Meter
    clock: Callable[[], datetime] = utc_now


class ScrapingProvider(Protocol):
    """Somebody who reads public accounts for us."""

    name: str
    needs: tuple[str, ...]
    """Settings without which this provider can't answer."""
    batch_size: int
    """Handles that one ``scrape`` may be asked for."""

    def scrape(
        self, platform: str, handles: Sequence[str], *, post_limit: int, context: Outside
    ) -> Iterator[Outcome]:
        """Yield exactly one outcome for each different handle. Never raises Failure.

        ``platform`` is INSTAGRAM, TIKTOK or YOUTUBE; handles are as ``socials.handles`` writes
        them. Paid runs are reported on ``context.meter``.
        """

    def cost(self, platform: str, run_id: str, context: Outside) -> Decimal | None:
        """What a run that has ended has cost, in US dollars. None: nothing. Raises Failure."""


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
