"""The figures of one talent as frozen values. Rates are percent; null is unknown, never zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

State = Literal["empty", "syncing", "ready", "partial", "error", "stale"]

SPANS = (7, 30, 90, 365)
"""Days back over which growth is told."""

FORMULAS = {
    "followers": "As the platform tells it. The total is the sum over the platforms, calculated by "
    "Greenroom.",
    "growth": "Followers now minus followers that many days before the last reading (a point up to "
    "one day off counts); percent of the earlier number.",
    "engagementRateByFollowers": "(likes + comments + shares + saves) of the window's posts ÷ "
    "(posts · followers) · 100. A post with hidden likes is left out of both.",
    "engagementRateByViews": "(likes + comments + shares + saves) of the window's posts ÷ views of "
    "the same posts · 100. A post with hidden likes or unknown views is left out of both.",
    "averageViews": "Views of the window's posts that tell them ÷ their number.",
    "medianViews": "The middle of the views of the window's posts that tell them.",
    "postsPerWeek": "Posts in the window ÷ its weeks; where older posts are not stored, the window "
    "begins with the oldest one that is.",
}


@dataclass(frozen=True, slots=True)
class Growth:
    absolute: int
    percent: float | None
    """Null when the earlier number was 0."""

    @classmethod
    def between(cls, before: int, now: int) -> Growth:
        return cls(now - before, round((now - before) / before * 100, 2) if before else None)


GrowthBySpan = dict[str, Growth | None]
"""d7, d30, d90, d365; null where no point is that old."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The posts behind an account's numbers."""

    in_window: int = 0
    by_followers: int = 0
    """Of which so many tell their likes."""
    by_views: int = 0
    """Of which so many tell likes and views."""
    with_views: int = 0
    hidden_likes: int = 0
    """Left out because their likes are hidden or unknown."""
    without: dict[str, int] = field(default_factory=dict)
    """Part → counted posts that do not tell it, though others do."""
    stored: int = 0
    on_platform: int | None = None
    since: datetime | None = None
    """Where the posts begin: the window's begin, or the oldest stored post when older ones are on
    the platform alone."""

    @property
    def is_cut(self) -> bool:
        return self.on_platform is not None and self.on_platform > self.stored


@dataclass(frozen=True, slots=True)
class Account:
    """One account's figures."""

    connection_id: int
    platform: str
    handle: str
    profile_url: str
    sync_status: str
    error_code: str
    connected: bool
    failing: bool
    source: str
    fetched_at: datetime | None
    last_synced_at: datetime | None
    partial: tuple[str, ...]
    followers: int | None
    followers_quality: str
    followers_source: str
    followers_at: datetime | None
    growth: GrowthBySpan
    engagement_rate_by_followers: float | None
    engagement_rate_by_views: float | None
    average_views: float | None
    median_views: float | None
    posts_per_week: float | None
    absent_parts: tuple[str, ...]
    view_definitions: tuple[str, ...]
    posts_at: datetime | None
    """When the window's newest numbers of posts were read."""
    posts_source: str
    sample: Sample

    @property
    def is_read(self) -> bool:
        return self.fetched_at is not None

    @property
    def posts_in_window(self) -> int:
        return self.sample.in_window

    @property
    def posts_in_sample(self) -> int:
        return self.sample.by_followers


@dataclass(frozen=True, slots=True)
class Point:
    """One day's followers of one account. A day without a reading has no point."""

    date: date
    platform: str
    connection_id: int
    followers: int


@dataclass(frozen=True, slots=True)
class Series:
    """One account's followers from its first point in the window to its last."""

    platform: str
    connection_id: int
    first: date
    followers: tuple[int | None, ...]
    """Day by day; None for a day without a reading."""

    def points(self) -> Iterator[Point]:
        """Oldest first, without the days that have no reading."""
        for number, followers in enumerate(self.followers):
            if followers is not None:
                day = self.first + timedelta(days=number)
                yield Point(day, self.platform, self.connection_id, followers)


@dataclass(frozen=True, slots=True)
class Mark:
    """From this day on an account's views are counted in another way: no growth, no collapse."""

    date: date
    platform: str
    connection_id: int
    before: str
    after: str
    message: str


@dataclass(frozen=True, slots=True)
class RankedPost:
    """A post with its place among those of its platform."""

    id: int
    connection_id: int
    platform: str
    followers: int | None
    external_id: str
    kind: str
    caption: str
    url: str
    thumbnail_url: str
    posted_at: datetime
    duration_seconds: float | None
    likes: int | None
    comments: int | None
    shares: int | None
    saves: int | None
    views: int | None
    reach: int | None
    deleted_at: datetime | None
    rank: int
    source: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class Slot:
    """The two hours in which an account's posts earn most, against its posts at other times."""

    platform: str
    connection_id: int
    weekday: int
    """0 is Monday."""
    hour: int
    posts: int
    rate: float
    other_rate: float


@dataclass(frozen=True, slots=True)
class Flag:
    """An unusual move, with the numbers behind it."""

    kind: Literal["follower_jump", "follower_drop", "engagement_collapse", "views_counted_anew"]
    platform: str
    connection_id: int
    message: str
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Totals:
    """What may be added across platforms: followers, and posts per week. Nothing else is."""

    followers: int | None
    growth: GrowthBySpan
    posts_per_week: float | None
    platforms: int
    accounts: int
    """How many accounts' followers the sum holds."""
    growth_accounts: dict[str, int]
    """Span → how many accounts' growth the sum holds."""
    oldest_fetched_at: datetime | None


@dataclass(frozen=True, slots=True)
class Intelligence:
    """Everything about one talent over a window of ``days``."""

    talent_id: int
    days: int
    timezone: str
    state: State
    as_of: datetime | None
    """The newest good sync."""
    totals: Totals
    platforms: tuple[Account, ...]
    series: tuple[Series, ...]
    marks: tuple[Mark, ...]
    best_posts: tuple[RankedPost, ...]
    posting_times: tuple[tuple[int, ...], ...]
    """7 by 24 counts, Monday first, in the talent's time zone."""
    best_times: tuple[Slot, ...]
    flags: tuple[Flag, ...]

    @property
    def history(self) -> list[Point]:
        """The points of all accounts, oldest first."""
        found = [point for series in self.series for point in series.points()]
        return sorted(found, key=lambda point: (point.date, point.connection_id))
