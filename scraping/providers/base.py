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
from scraping.types import ScrapedAccount

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
