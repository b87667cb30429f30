"""What the sync engine asks a platform, and what it gets: frozen values, no Django."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from scraping.http import Http
from scraping.meter import Meter
from scraping.types import MAX_COUNT, UNKNOWN, Count, Post, PostKind, Profile, Quality

__all__ = [
    "MAX_COUNT",
    "UNKNOWN",
    "Ask",
    "Context",
    "Count",
    "Depth",
    "Post",
    "PostKind",
    "Profile",
    "Quality",
    "Reading",
    "StopReason",
    "Token",
    "TokenGrant",
]

T = TypeVar("T")
R = TypeVar("R")


class Depth(StrEnum):
    """How much one sync reads."""

    FULL = "full"  # a person asked, or the first sync: profile, posts, every metric
    CHEAP = "cheap"  # the schedule: profile; posts only if their number moved; metrics that are due


class StopReason(StrEnum):
    """Why a listing of posts ended."""

    END = "end"  # the platform has no more
    LIMIT = "limit"  # the configured depth is reached
    UNCHANGED = "unchanged"  # the number of posts did not move, so they were not listed
    REFUSED = "refused"  # the platform refused the listing; the profile stands
    FAULT = "fault"  # a later page failed; what came before is kept


@dataclass(frozen=True, slots=True)
class Token:
    """A grant's secrets for one reading. Its repr never shows them."""

    access_token: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What an authorisation or a refresh gave: secrets that its repr never shows, and their ends.

    An empty ``refresh_token``, ``scopes`` or id means that this answer did not tell it: what is
    stored stays.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    external_id: str = ""
    """The account's stable id, as in ``Profile.external_id``."""
    app_user_id: str = ""
    """The id under which the platform knows this person for our app (its callbacks use it)."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One account to read."""

    connection_id: int
    platform: str
    handle: str
    external_id: str = ""
    """The platform's stable id when it is known: it wins over the handle."""
    token: Token | None = None
    depth: Depth = Depth.FULL
    post_limit: int = 50
    known_posts: int | None = None
    """The number of posts that the platform told last time (Depth.CHEAP lists only if it moved)."""
    due_posts: tuple[str, ...] = ()
    """External ids whose metrics are due (Depth.CHEAP)."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """``Profile.extra`` of the last reading (uploads playlist, app user id …)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything one sync brings home, normalised."""

    profile: Profile
    posts: tuple[Post, ...]
    source: str
    fetched_at: datetime
    partial: tuple[str, ...] = ()
    """What could not be read: ``posts``, ``insights``, ``grant`` or a metric's name."""
    posts_total: int | None = None
    """The platform's own number of posts."""
    stop_reason: StopReason = StopReason.END
    listed_since: datetime | None = None
    """The listing is complete from here to now: a stored post of that span that is absent was
    deleted. None: nothing can be said of absent posts."""
    gone_posts: tuple[str, ...] = ()
    """External ids asked for one by one which the platform no longer has."""
    listed_posts: tuple[str, ...] = ()
    """External ids that the listing showed, though their numbers were not read now."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def one_by_one(step: Callable[[T], R], items: Iterable[T]) -> Iterable[R]:
    return map(step, items)


class Concurrently(Protocol):
    """Maps a step over items, perhaps in threads, keeping their order."""

    def __call__(self, step: Callable[[T], R], items: Iterable[T]) -> Iterable[R]: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What an adapter may use: the outside comes in as arguments."""

    http: Http
    settings: Mapping[str, str] = field(repr=False)
    """Platform settings by their environment name; an unset one is the empty string."""
    meter: Meter
    clock: Callable[[], datetime] = utc_now
    concurrently: Concurrently = one_by_one
