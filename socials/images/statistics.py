"""How photos are doing: refreshes of the last days, why some failed, how old what is shown is.

Two questions to the database, whatever the size of the roster.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.db import connection as database
from django.utils import timezone

from socials.images.refusals import TITLES
from talent.models import ImageSource

DAYS: Final = 7
BANDS: Final = ("under 24 h", "1 to 2 days", "2 to 7 days", "over 7 days")
EDGES: Final = (86_400, 172_800, 604_800)
"""Between the bands, in seconds."""


@dataclass(frozen=True, slots=True)
class Day:
    """Refreshes of one day (UTC) by how they ended."""

    date: date
    successful: int
    failed: int

    @property
    def rate(self) -> float | None:
        """Percent; None when none ended well or badly."""
        return _rate(self.successful, self.failed)


@dataclass(frozen=True, slots=True)
class Age:
    """Shown photos of accounts by the time since the account was last found to show them."""

    label: str
    talents: int
    is_late: bool


@dataclass(frozen=True, slots=True)
class PhotoStats:
    successful: int
    failed: int
    skipped: int
    """Nothing to look at: an upload, or accounts without a picture."""
    days: tuple[Day, ...]
    """The last seven, today's last."""
    causes: dict[str, int]
    """Failed refreshes by cause in words, the most frequent first."""
    ages: tuple[Age, ...]
    sources: dict[str, int]
    """Active talents by where their photo is from: every source, also unused ones."""

    @property
    def rate(self) -> float | None:
        """Percent of the refreshes that ended well, of those that ended well or badly."""
        return _rate(self.successful, self.failed)

    @property
    def round_days(self) -> int | None:
        """In how many days the daily job has looked at every photo; None when it is switched off."""
        photos = sum(age.talents for age in self.ages)
        a_day = settings.PROFILE_IMAGE_DAILY_LIMIT
        return max(1, -(-photos // a_day)) if a_day else None


def photo_stats() -> PhotoStats:
    """All of it at this moment."""
    runs = _runs()
    ended = Counter[str]()
    by_day = Counter[tuple[date, str]]()
    causes = Counter[str]()
    for day, outcome, cause, count in runs:
        ended[outcome] += count
        by_day[day, outcome] += count
        if outcome == "failed":
            causes[TITLES.get(cause, cause)] += count
    today = timezone.now().date()
    shown = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    sources, ages = _shown()
    return PhotoStats(
        successful=ended["successful"],
        failed=ended["failed"],
        skipped=ended["skipped"],
        days=tuple(Day(day, by_day[day, "successful"], by_day[day, "failed"]) for day in shown),
        causes=dict(sorted(causes.items(), key=lambda item: (-item[1], item[0]))),
        ages=tuple(Age(band, ages[band], band == BANDS[-1]) for band in BANDS),
        sources={source: sources[source] for source in ImageSource.values},
    )


def _runs() -> list[tuple[date, str, str, int]]:
    first = timezone.now().date() - timedelta(days=DAYS - 1)
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT (at AT TIME ZONE 'UTC')::date, outcome, cause, count(*) "
            "FROM socials_photo_run WHERE at >= %s GROUP BY 1, 2, 3",
            [datetime.combine(first, time.min, tzinfo=UTC)],
        )
        return list(cursor.fetchall())


def _shown() -> tuple[Counter[str], Counter[str]]:
    """Active talents by source, and the photos of accounts among them by age."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT talent.profile_image_source,
                   width_bucket(
                       extract(epoch FROM statement_timestamp() - kept.checked_at), %s::numeric[]),
                   count(*)
            FROM talent_talent talent
            LEFT JOIN (
                SELECT talent_id, source, max(checked_at) AS checked_at
                FROM socials_photo WHERE connection_id IS NOT NULL GROUP BY talent_id, source
            ) kept ON kept.talent_id = talent.id AND kept.source = talent.profile_image_source
            WHERE talent.status = 'active'
            GROUP BY 1, 2
            """,
            [list(EDGES)],
        )
        rows = cursor.fetchall()
    sources, ages = Counter[str](), Counter[str]()
    for source, band, talents in rows:
        sources[source] += talents
        if band is not None:
            ages[BANDS[band]] += talents
    return sources, ages


def _rate(successful: int, failed: int) -> float | None:
    ended = successful + failed
    return round(successful / ended * 100, 2) if ended else None
