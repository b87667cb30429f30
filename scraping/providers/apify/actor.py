"""What differs between actors: their input, their rows, and how a row is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from scraping.errors import Failure
from scraping.providers.posts import Listed
from scraping.types import Profile
from scraping.wire import Fields


@dataclass(slots=True)
class Gathered:
    """What the rows have told so far of one handle."""

    handle: str
    profile: Profile | None = None
    posts: list[Listed] = field(default_factory=list)
    failure: Failure | None = None
    partial: set[str] = field(default_factory=set)


class Actor(Protocol):
    """An Apify program that reads one platform."""

    platform: str
    name: str
    """``user~actor``, unless APIFY_<PLATFORM>_ACTOR names another one of the same kind."""
    page: int
    """Items asked for at a time, so that a page stays below the size that we accept."""

    def rows(self, handles: int, post_limit: int) -> int:
        """The most rows that such a run brings: the cap on what it may cost."""

    def body(self, handles: Sequence[str], post_limit: int) -> dict[str, Any]:
        """The actor's input."""

    def names(self, row: Fields) -> list[str]:
        """Whom the row may be about, as keys, the surest first."""

    def key(self, handle: str) -> str:
        """The form in which ``names`` are compared."""

    def read(self, row: Fields, into: Gathered, now: datetime) -> None:
        """Take what the row tells. Raises Failure when it tells why there is nothing."""
