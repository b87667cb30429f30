"""One talent's figures: gathered in a fixed number of statements, kept until anything moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from socials import platforms
from socials.intelligence import clocks, history, kept
from socials.intelligence import flags as unusual
from socials.intelligence import marks as counting
from socials.intelligence import posts as posts_of
from socials.intelligence.posts import PARTS, Sums
from socials.intelligence.types import (
    SPANS,
    Account,
    Growth,
    GrowthBySpan,
    Intelligence,
    Sample,
    State,
    Totals,
)
from socials.models import Connection, Profile, SyncStatus
from talent.models import Talent

STALE = timedelta(hours=24)


def intelligence(talent_id: int, *, days: int = 30) -> Intelligence:
    """A talent's figures over ``days`` (1 to 730), as of the last sync: never older, and nothing
    of an account that is gone. Raises Talent.DoesNotExist.
    """
    return kept.unless_moved(
        "figures",
        talent_id,
        days,
        kept.version_of(talent_id),
        lambda: compute(talent_id, days=days, now=kept.step(timezone.now())),
    )


# --- gathering ---


class _Window(NamedTuple):
    """Posts after ``start`` and up to ``end`` count."""

    start: datetime
    end: datetime
    days: int


def compute(talent_id: int, *, days: int, now: datetime) -> Intelligence:
    """As ``intelligence``, read from the tables: twelve statements for any number of posts and
    accounts. Raises Talent.DoesNotExist.
    """
    talent = Talent.objects.only("timezone").get(pk=talent_id)
    zone = clocks.known(talent.timezone)
    # What comes in while this step of time lasts counts at once.
    window = _Window(start=now - timedelta(days=days), end=now + kept.STEP, days=days)
    rows = _rows(talent_id)
    names = {row.pk: row.platform for row in rows}
    ids = list(names)
    today = now.date()
    accounts = _accounts(rows, window, today)
    hours = posts_of.hours(ids, start=window.start, now=window.end, zone=zone)
    lines = history.series(names, days=days, today=today)
    marks = counting.marks(lines, days=days, today=today)
    return Intelligence(
        talent_id=talent_id,
        days=days,
        timezone=zone.key,
        state=state_of(rows, now),
        as_of=max((row.last_synced_at for row in rows if row.last_synced_at), default=None),
        totals=_totals(accounts),
        platforms=accounts,
        series=lines,
        marks=marks,
        best_posts=posts_of.best(ids, start=window.start, now=window.end),
        posting_times=posts_of.posting_times(hours),
        best_times=posts_of.best_times(
            hours, {one.connection_id: (one.platform, one.followers) for one in accounts}
        ),
        flags=(
            *unusual.flags(
                {one.connection_id: (one.platform, one.handle, one.followers) for one in accounts},
                now=now,
            ),
            *counting.flags(marks),
        ),
    )


def _rows(talent_id: int) -> list[Connection]:
    order = platforms.synced()
    rows = (
        Connection.objects.filter(talent_id=talent_id, platform__in=order)
        .select_related("profile")
        .defer("held_reading", "metadata", "profile__bio", "profile__extra")
    )
    return sorted(rows, key=lambda row: (order.index(row.platform), row.created_at, row.pk))


def _profile(row: Connection) -> Profile | None:
    return getattr(row, "profile", None)


def last_readings(
    rows: Iterable[Connection], last_days: Mapping[int, date]
) -> dict[int, tuple[date, int]]:
    """Up to when each account's followers are known, and what they are."""
    known = {}
    for row in rows:
        profile = _profile(row)
        if profile is None or profile.followers is None:
            continue
        read = _followers_at(profile).astimezone(UTC).date()
        known[row.pk] = max(read, last_days.get(row.pk, read)), profile.followers
    return known


def _followers_at(profile: Profile) -> datetime:
    told = profile.provenance.get("followers", {}).get("fetchedAt")
    return (parse_datetime(told) if told else None) or profile.fetched_at


def _accounts(rows: Sequence[Connection], window: _Window, today: date) -> tuple[Account, ...]:
    ids = [row.pk for row in rows]
    found = posts_of.sums(ids, start=window.start, now=window.end)
    medians = posts_of.medians(ids, start=window.start, now=window.end)
    stored = posts_of.stored(ids)
    growth = history.growth(last_readings(rows, history.last_days(ids, today=today)))
    return tuple(
        _account(
            row,
            found.get(row.pk, Sums()),
            medians[row.pk],
            _sample(found.get(row.pk, Sums()), stored[row.pk], window.start, _profile(row)),
            window,
            growth.get(row.pk, history.NO_GROWTH),
        )
        for row in rows
    )


def _account(
    row: Connection,
    found: Sums,
    median_views: float | None,
    sample: Sample,
    window: _Window,
    growth: GrowthBySpan,
) -> Account:
    profile = _profile(row)
    followers = profile.followers if profile else None
    told = dict(zip(PARTS, found.told, strict=True))
    weeks = _weeks(sample, window)
    return Account(
        connection_id=row.pk,
        platform=row.platform,
        handle=row.handle,
        profile_url=row.profile_url,
        sync_status=row.sync_status,
        error_code=row.error_code,
        connected=row.connected,
        failing=is_failing(row),
        source=row.source,
        fetched_at=profile.fetched_at if profile else None,
        last_synced_at=row.last_synced_at,
        partial=tuple(row.partial),
        followers=followers,
        followers_quality=profile.quality.get("followers", "unknown") if profile else "unknown",
        followers_source=_followers_source(profile),
        followers_at=_followers_at(profile) if profile else None,
        growth=growth,
        engagement_rate_by_followers=found.earned.by_followers(followers),
        engagement_rate_by_views=found.earned.by_views(),
        average_views=found.average_views,
        median_views=median_views,
        posts_per_week=round(found.posts / weeks, 2) if profile and weeks else None,
        absent_parts=tuple(part for part, posts in told.items() if not posts)
        if found.posts
        else (),
        view_definitions=found.definitions,
        posts_at=found.read_at,
        posts_source=found.source,
        sample=sample,
    )


def _followers_source(profile: Profile | None) -> str:
    if profile is None:
        return ""
    source: str = profile.provenance.get("followers", {}).get("source", profile.source)
    return source


def _sample(
    found: Sums, stored: tuple[int, datetime | None], start: datetime, profile: Profile | None
) -> Sample:
    told, counted = dict(zip(PARTS, found.told, strict=True)), found.earned.counted
    sample = Sample(
        in_window=found.posts,
        by_followers=counted,
        by_views=found.earned.counted_by_views,
        with_views=found.with_views,
        hidden_likes=found.posts - counted,
        without={part: counted - n for part, n in told.items() if 0 < n < counted},
        stored=stored[0],
        on_platform=profile.posts if profile else None,
    )
    oldest = stored[1]
    return replace(
        sample, since=max(start, oldest) if sample.is_cut and oldest is not None else start
    )


def _weeks(sample: Sample, window: _Window) -> float:
    """The window's weeks, or those that the stored posts reach back."""
    if sample.since is None or sample.since <= window.start:
        return window.days / 7
    return max((window.end - sample.since) / timedelta(weeks=1), 1 / 7)


def _totals(accounts: Sequence[Account]) -> Totals:
    known = [one for one in accounts if one.followers is not None]
    paces = [one.posts_per_week for one in accounts if one.posts_per_week is not None]
    spans = [f"d{span}" for span in SPANS]
    grown = {
        span: [(one.followers or 0, growth) for one in known if (growth := one.growth[span])]
        for span in spans
    }
    return Totals(
        followers=sum(one.followers or 0 for one in known) if known else None,
        growth={
            span: Growth.between(
                sum(now - growth.absolute for now, growth in grown[span]),
                sum(now for now, _ in grown[span]),
            )
            if grown[span]
            else None
            for span in spans
        },
        posts_per_week=round(sum(paces), 2) if paces else None,
        platforms=len({one.platform for one in known}),
        accounts=len(known),
        growth_accounts={span: len(grown[span]) for span in spans},
        oldest_fetched_at=min(
            (one.followers_at for one in known if one.followers_at), default=None
        ),
    )


# --- the state of it all ---


def is_failing(row: Connection) -> bool:
    """Whether a person or the platform must act before this account's numbers go on."""
    return row.sync_status == SyncStatus.ERROR or not row.connected


def state_of(rows: Sequence[Connection], now: datetime) -> State:
    """``error``: every account fails; ``stale``: no good sync for a day; ``partial``: some account
    fails, lags a day behind, has not been read yet, or told only a part."""
    if not rows:
        return "empty"
    if all(row.sync_status == SyncStatus.ERROR for row in rows):
        return "error"
    if all(_profile(row) is None for row in rows):
        return "syncing"
    late = [row.last_synced_at is None or row.last_synced_at < now - STALE for row in rows]
    if all(late):
        return "stale"
    if any(late) or any(is_failing(row) or row.partial for row in rows):
        return "partial"
    return "ready"
