"""What a source tells about an account, normalised: frozen values that every layer above shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

MAX_COUNT = 2**63 - 1


class Quality(StrEnum):
    """How far a number can be trusted."""

    EXACT = "exact"
    ROUNDED = "rounded"  # the platform cuts digits (YouTube: three significant figures)
    HIDDEN = "hidden"  # the owner hides it: the value is null
    UNKNOWN = "unknown"  # this source does not tell it: the value is null


@dataclass(frozen=True, slots=True)
class Count:
    """A nullable 64-bit count with its quality; absent is never zero."""

    value: int | None = None
    quality: Quality = Quality.UNKNOWN

    @classmethod
    def exact(cls, value: int) -> Self:
        return cls(value, Quality.EXACT)

    @classmethod
    def rounded(cls, value: int) -> Self:
        return cls(value, Quality.ROUNDED)

    @classmethod
    def of(cls, value: int | None) -> Self:
        """Exact where it is told, else unknown."""
        return cls() if value is None else cls.exact(value)

    @classmethod
    def hidden(cls) -> Self:
        return cls(None, Quality.HIDDEN)

    @classmethod
    def unknown(cls) -> Self:
        return cls()


UNKNOWN = Count()


class PostKind(StrEnum):
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    CAROUSEL = "CAROUSEL"
    SHORT = "SHORT"
    REEL = "REEL"
    STORY = "STORY"
    LIVE = "LIVE"
    TEXT = "TEXT"


@dataclass(frozen=True, slots=True)
class Profile:
    """An account as its source shows it. ``None`` means that the source cannot tell."""

    external_id: str
    handle: str
    display_name: str = ""
    bio: str | None = None
    avatar_url: str | None = None
    profile_url: str | None = None
    followers: Count = UNKNOWN
    following: Count = UNKNOWN
    posts: Count = UNKNOWN
    likes: Count = UNKNOWN
    views: Count = UNKNOWN
    verified: bool | None = None
    private: bool | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further identifiers (``app_user_id``, ``uploads_playlist`` …), never secrets."""


@dataclass(frozen=True, slots=True)
class Post:
    """One published item. Durations are in seconds; times are aware UTC."""

    external_id: str
    kind: PostKind
    posted_at: datetime | None = None
    caption: str | None = None
    url: str | None = None
    thumbnail_url: str | None = None
    duration_seconds: float | None = None
    likes: Count = UNKNOWN
    comments: Count = UNKNOWN
    shares: Count = UNKNOWN
    saves: Count = UNKNOWN
    views: Count = UNKNOWN
    reach: Count = UNKNOWN
    view_definition: str = ""
    """What a view is here, e.g. ``youtube.views.2026-08-27``; empty when there are no views."""
    kind_confidence: str = ""
    """``declared`` by the platform, or ``guessed`` by a stated rule (YouTube shorts)."""
    shared_id: str = ""
    """A name that every source of the platform tells, where their ids differ (Instagram)."""
    partial: tuple[str, ...] = ()
    """Metrics that were asked and refused for this item."""
    note: str = ""
    """Why the item is incomplete, in plain words."""


@dataclass(frozen=True, slots=True)
class ScrapedAccount:
    """What a scraping provider brought for one handle."""

    profile: Profile
    posts: tuple[Post, ...]
    """Newest first, at most as many as were asked for."""
    source: str
    """The provider's name: the provenance of every number."""
    fetched_at: datetime
    partial: tuple[str, ...] = ()
    """What could not be read: ``posts``, or a field's name."""
    listed_since: datetime | None = None
    """The posts are complete from here to now; None when nothing can be said of absent ones."""
