"""Units of a platform's quota, shared by every worker: reserved before they are spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.db import connection as database
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from scraping.meter import Usage
from socials import platforms
from socials.models import QuotaWindow
from socials.platforms.kit.platform import Bucket, Window

_BEGIN = {
    Window.PACIFIC_DAY: "date_trunc('day', moment AT TIME ZONE 'America/Los_Angeles')",
    Window.HOUR: "date_trunc('hour', moment AT TIME ZONE 'UTC')",
    Window.MINUTE: "date_trunc('minute', moment AT TIME ZONE 'UTC')",
}
_ZONE = {Window.PACIFIC_DAY: "America/Los_Angeles", Window.HOUR: "UTC", Window.MINUTE: "UTC"}
_LENGTH = {Window.PACIFIC_DAY: "1 day", Window.HOUR: "1 hour", Window.MINUTE: "1 minute"}


LEARNT_FROM = 100
"""Syncs from which the price of the next is learnt."""

MANY = 50_000
"""So many syncs tell the same price ten minutes later."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units set aside, by bucket and the start of the window that they count in."""

    units: Mapping[str, int]
    windows: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Refusal:
    """This bucket is used up until then."""

    bucket: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Level:
    """How far a bucket is used in its current window."""

    bucket: str
    used: int
    limit: int
    resets_at: datetime
    elapsed: float = 0.0
    """Share of the window that is over."""


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def cap(bucket: Bucket) -> int:
    """The operator's limit where it is set, else the platform's default."""
    told = settings.PLATFORM_SETTINGS.get(bucket.cap_setting, "") if bucket.cap_setting else ""
    return int(told) if told.isdigit() else bucket.cap


def reserve(platform: str, price: Mapping[str, int], *, interactive: bool) -> Reservation | Refusal:
    """Set aside every bucket's units, or none of them. Exact over any number of processes.

    Scheduled work leaves each bucket's kept-back share to people.
    """
    buckets = {bucket.name: bucket for bucket in platforms.get(platform).buckets}
    wanted = {name: units for name, units in price.items() if units > 0 and name in buckets}
    if not wanted:
        return Reservation({}, {})
    try:
        with transaction.atomic():
            # In one order everywhere, so that two workers never wait for each other.
            windows = {
                name: _take(buckets[name], wanted[name], interactive=interactive)
                for name in sorted(wanted)
            }
    except _Refused as refused:
        return refused.refusal
    return Reservation(wanted, windows)


def settle(reservation: Reservation, spent: Mapping[str, int]) -> None:
    """Correct what was set aside to what was really spent."""
    for name, units in reservation.units.items():
        if units == spent.get(name, 0):
            continue
        with database.cursor() as cursor:
            cursor.execute(
                "UPDATE socials_quota_window SET used = LEAST(cap, GREATEST(0, used - %s + %s)) "
                "WHERE bucket = %s AND starts_at = %s",
                [units, spent.get(name, 0), name, reservation.windows[name]],
            )


def exhaust(platform: str, name: str) -> datetime | None:
    """The platform says that this bucket is empty: believe it. When the window ends."""
    bucket = next((b for b in platforms.get(platform).buckets if b.name == name), None)
    if bucket is None:
        return None
    begin, end = _span(bucket.window)
    QuotaWindow.objects.update_or_create(
        bucket=name,
        starts_at=begin,
        defaults={"ends_at": end, "used": cap(bucket), "cap": cap(bucket)},
    )
    return end


def observe(usage: Usage) -> None:
    """Keep what a usage header told, in percent, so that people see it."""
    begin, end = _span(Window.HOUR)
    QuotaWindow.objects.update_or_create(
        bucket=usage.bucket,
        starts_at=begin,
        defaults={"ends_at": end, "used": max(0, min(usage.percent, 100)), "cap": 100},
    )


def levels(platform: str) -> list[Level]:
    """Every bucket of a platform as it stands now, in the platform's own order."""
    found = []
    for bucket in platforms.get(platform).buckets:
        with database.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT COALESCE(kept.used, 0), ends,
                    extract(epoch FROM statement_timestamp() - begins)
                        / extract(epoch FROM ends - begins)
                FROM {_window(bucket.window)}
                LEFT JOIN socials_quota_window kept ON kept.bucket = %s AND kept.starts_at = begins
                """,  # noqa: S608  built from this module's constants alone
                [bucket.name],
            )
            used, ends, elapsed = cursor.fetchone()
        found.append(Level(bucket.name, used, cap(bucket), ends, float(elapsed)))
    return found


def told_levels(platform: str) -> list[Level]:
    """Limits that only a usage header tells of, in percent."""
    declared = [bucket.name for bucket in platforms.get(platform).buckets]
    mine = Q(bucket__istartswith=f"{platform}.") | Q(bucket__iexact=platform)
    told = QuotaWindow.objects.filter(mine, starts_at__lte=Now(), ends_at__gt=Now())
    rows = told.exclude(bucket__in=declared).order_by("bucket")
    return [Level(row.bucket, row.used, row.cap, row.ends_at) for row in rows]


def learnt_price(platform: str, source: str) -> dict[str, float]:
    """Units of each bucket that a sync of this source cost on average, over a day or two.

    Empty until enough syncs were made to tell. Where they are very many, it is learnt anew every
    ten minutes.
    """
    key = f"learnt-price:{platform}:{source}"
    if (kept := cache.get(key)) is not None:
        return dict(kept)
    names = [bucket.name for bucket in platforms.get(platform).buckets]
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT bucket, spent / runs, runs FROM (
                SELECT bucket, sum(used) AS spent, min(starts_at) AS since
                FROM socials_quota_window
                WHERE bucket = ANY(%s) AND ends_at > statement_timestamp() - interval '1 day'
                GROUP BY bucket
            ) spent CROSS JOIN LATERAL (
                SELECT count(*) AS runs FROM socials_sync_run run
                WHERE finished_at >= since AND platform = %s AND source = %s AND outcome = 'ready'
            ) made WHERE runs >= %s
            """,
            [names, platform, source, LEARNT_FROM],
        )
        found = cursor.fetchall()
    price = {bucket: float(units) for bucket, units, _ in found}
    if any(runs > MANY for _, _, runs in found):
        cache.set(key, price, timeout=600)
    return price


def _take(bucket: Bucket, units: int, *, interactive: bool) -> datetime:
    whole = cap(bucket)
    limit = whole if interactive else int(whole * (1 - bucket.keep_back))
    with database.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO socials_quota_window AS kept (bucket, starts_at, ends_at, used, cap)
            SELECT %s, begins, ends, %s, %s FROM {_window(bucket.window)} WHERE %s <= %s
            ON CONFLICT (bucket, starts_at) DO UPDATE
                SET used = kept.used + EXCLUDED.used, cap = EXCLUDED.cap
                WHERE kept.used + EXCLUDED.used <= %s
            RETURNING starts_at
            """,  # noqa: S608  built from this module's constants alone
            [bucket.name, units, whole, units, limit, limit],
        )
        row = cursor.fetchone()
    if row is None:
        raise _Refused(Refusal(bucket.name, _span(bucket.window)[1]))
    begins: datetime = row[0]
    return begins


def _span(window: Window) -> tuple[datetime, datetime]:
    with database.cursor() as cursor:
        cursor.execute(f"SELECT begins, ends FROM {_window(window)}")  # noqa: S608
        begins, ends = cursor.fetchone()
    return begins, ends


def _window(window: Window) -> str:
    """A one-row table of when the current window begins and ends, by the database's clock."""
    return (
        f"(SELECT begin AT TIME ZONE '{_ZONE[window]}' AS begins, "  # noqa: S608
        f"(begin + interval '{_LENGTH[window]}') AT TIME ZONE '{_ZONE[window]}' AS ends "
        f"FROM (SELECT {_BEGIN[window]} AS begin "
        "FROM (SELECT statement_timestamp() AS moment) clock) local) span"
    )
