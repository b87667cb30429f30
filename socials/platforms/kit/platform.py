"""What a platform declares of itself, and what each of its sources can do. Data first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from scraping.errors import Failure
from socials.types import Ask, Context, Reading

Outcome = tuple[Ask, Reading | Failure]


class Window(StrEnum):
    """When a quota begins anew."""

    PACIFIC_DAY = "pacific-day"  # midnight in Los Angeles
    HOUR = "hour"
    MINUTE = "minute"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A quota that all workers share. ``cap_setting`` overrides ``cap`` when it is set."""

    name: str
    cap: int
    window: Window
    cap_setting: str = ""
    keep_back: float = 0.1
    """Share that scheduled work leaves to people."""


@dataclass(frozen=True, slots=True)
class ViewChange:
    """From this day on the platform counts views in another way: no growth, a new beginning."""

    day: date
    before: str
    """The definition's name, as posts and points carry it."""
    after: str
    words: str
    """What changed, to go on after "YouTube counts views in another way since then:"."""


class Source(Protocol):
    """One way of reading a platform's accounts."""

    name: str
    """The contract's name (``youtube_data``); it becomes the provenance of every number."""
    needs: tuple[str, ...]
    """Settings without which this source can't answer."""
    batch_size: int
    """Accounts that one ``read_many`` call may take."""

    def can_read(self, ask: Ask) -> bool:
        """Whether this source could answer (an OAuth source wants a token)."""

    def price(self, asks: Sequence[Ask]) -> Mapping[str, int]:
        """The most units, by bucket, that reading ``asks`` may spend: reserved beforehand."""

    def read_many(self, asks: Sequence[Ask], context: Context) -> Iterator[Outcome]:
        """Yield exactly one outcome for each ask, as each arrives. Never raises Failure."""


def each_in_turn(
    asks: Sequence[Ask], read: Callable[[Ask], Reading], *, platform: str, source: str
) -> Iterator[Outcome]:
    """Every ask's reading, or the failure that it met, which is told whose it is."""
    for ask in asks:
        try:
            yield ask, read(ask)
        except Failure as failed:
            failed.platform, failed.source = platform, source
            yield ask, failed


@dataclass(frozen=True, slots=True)
class Platform:
    """A network: its name, how it is read, what it allows."""

    id: str
    name: str
    sources: tuple[Source, ...] = ()
    """In default order; empty for a platform that is link-only."""
    buckets: tuple[Bucket, ...] = ()
    image_hosts: tuple[str, ...] = ()
    """Host suffixes of its image CDN, with the leading dot."""
    retention_days: int | None = None
    """How long its data may be kept without a refresh, by its terms."""
    oauth: str = ""
    """Dotted name of its OAuth flow, when it has one."""
    post_ids_differ: bool = False
    """Whether the official sources and the scraped ones name posts differently."""
    view_changes: tuple[ViewChange, ...] = ()
    """Oldest first."""
    tells: Mapping[str, str] = field(default_factory=dict)
    """Field → what this platform calls it or how it limits it (capabilities.md is made of this)."""

    @property
    def syncs(self) -> bool:
        return bool(self.sources)
