"""When each account and each post is read again, inside what the platforms allow."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from scraping.errors import (
    Blocked,
    Failure,
    IdentityChanged,
    InvalidHandle,
    NotConfigured,
)
from socials import platforms, quota
from socials.models import Connection, Priority, SyncStatus, Trigger
from socials.platforms.kit.platform import Source, Window
from socials.types import Ask, Depth
from talent.models import Talent

LADDER = (
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=7), timedelta(hours=6)),
    (timedelta(days=30), timedelta(days=1)),
    (timedelta(days=90), timedelta(days=7)),
)
"""A post younger than the first is read again after the second; older ones are at rest."""

UNDATED = timedelta(days=1)
"""One of unknown age is read again after this."""

METRICS_WAITS = (UNDATED, *(wait for _, wait in LADDER))

EARLY = (0.85, 0.95)
"""Share of the target age after which a refresh is queued, so that it is done in time."""

UNBOUNDED = 2000
"""Scheduled syncs that are queued at once where no quota is counted."""

AHEAD = 1 / 24
"""Share of a day's units that may be spent before their time."""

WEARY_PERCENT = 85
"""From here on a limit that headers tell of is left to people."""

LENGTHS = {
    Window.PACIFIC_DAY: timedelta(days=1),
    Window.HOUR: timedelta(hours=1),
    Window.MINUTE: timedelta(minutes=1),
}

SECOND_LOOK = timedelta(minutes=5)
HOPELESS = timedelta(hours=24)
UNCONFIGURED = timedelta(minutes=10)


def metrics_wait(posted_at: datetime | None, read_at: datetime) -> timedelta | None:
    """How long after a reading a post's metrics are due again; None: it is at rest."""
    if posted_at is None:
        return UNDATED
    age = read_at - posted_at
    for younger, wait in LADDER:
        if age < younger:
            return wait
    return None


def metrics_due_at(posted_at: datetime | None, read_at: datetime) -> datetime | None:
    """When a post's metrics are due again after a reading; None: it is at rest."""
    wait = metrics_wait(posted_at, read_at)
    return None if wait is None else read_at + wait


def refresh_in(row: Connection, *, again_soon: bool = False) -> timedelta:
    """How long after a reading a row is due again."""
    if again_soon:
        return SECOND_LOOK
    minutes = row.freshness_minutes or target_minutes(row.platform)
    return timedelta(minutes=minutes) * random.uniform(*EARLY)  # noqa: S311  jitter


def next_refresh_after(failure: Failure, row: Connection) -> Any:
    """When the schedule tries a row in ERROR again; None where only a person can mend it."""
    if isinstance(failure, (IdentityChanged, InvalidHandle)):
        return None
    if isinstance(failure, NotConfigured):
        return Now() + UNCONFIGURED
    if failure.later and not isinstance(failure, Blocked):
        return Now() + refresh_in(row)
    return Now() + HOPELESS * random.uniform(*EARLY)  # noqa: S311  jitter


def target_minutes(platform: str) -> int:
    """The age that no account of a platform should pass, unless it has its own."""
    return int(settings.FRESHNESS_MINUTES.get(platform, settings.SYNC_FRESHNESS_MINUTES))


def queue_due(platform: str, *, limit: int = 2000) -> int:
    """Queue the accounts that are due for a refresh, as many as the budget covers. How many.

    Where it covers all, the most stale goes first; where it does not, the most stale and watched.
    """
    budget = _budget(platform)
    affordable = min(limit, _affordable(budget))
    if affordable <= 0 or _weary(platform):
        return 0
    due = Connection.objects.filter(
        platform=platform,
        sync_status__in=[SyncStatus.READY, SyncStatus.ERROR],
        next_refresh_at__lte=Now(),
        talent__status=Talent.Status.ACTIVE,
    )
    if any(share.is_short for share in budget):
        due = due.order_by(RawSQL(_URGENCY, []).desc(), "pk")  # noqa: S611  a constant
    else:
        due = due.order_by("next_refresh_at")
    with transaction.atomic():
        taken = due.select_for_update(of=("self",), skip_locked=True, no_key=True)
        rows = Connection.objects.filter(
            pk__in=list(taken.values_list("pk", flat=True)[:affordable])
        )
        return rows.request(trigger=Trigger.SCHEDULE, priority=Priority.SCHEDULED)


# --- the budget ---


@dataclass(frozen=True, slots=True)
class Share:
    """What one bucket leaves to scheduled syncs, and what they ask of it."""

    level: quota.Level
    window: Window
    limit: int
    price: float
    """Units of one scheduled sync: learnt, and before that the dearest course."""
    covered: int
    """Accounts that it can keep within the platform's target."""
    is_short: bool

    @property
    def affordable(self) -> int:
        """Syncs that may begin now. A day that is too short is spent evenly over its hours."""
        limit = float(self.limit)
        if self.is_short and self.window is Window.PACIFIC_DAY:
            limit *= min(1.0, self.level.elapsed + AHEAD)
        return max(0, int((limit - self.level.used) / self.price))


def covered(platform: str) -> int | None:
    """How many accounts the quota keeps within the target; None where no quota is counted."""
    return min((share.covered for share in _budget(platform)), default=None)


def _affordable(budget: Sequence[Share]) -> int:
    """How many scheduled syncs may begin now."""
    return min((share.affordable for share in budget), default=UNBOUNDED)


def _budget(platform: str) -> list[Share]:
    source = next(
        (s for s in platforms.sources(platform) if not platforms.missing_settings(s)), None
    )
    if source is None:
        return []
    prices = _dearest(platform, source) | quota.learnt_price(platform, source.name)
    buckets = {bucket.name: bucket for bucket in platforms.get(platform).buckets}
    accounts = Connection.objects.filter(platform=platform, talent__status=Talent.Status.ACTIVE)
    number = accounts.count()
    found = []
    for level in quota.levels(platform):
        price, bucket = prices.get(level.bucket, 0), buckets[level.bucket]
        if price <= 0:
            continue
        limit = int(level.limit * (1 - bucket.keep_back))
        every = timedelta(minutes=target_minutes(platform)) * (sum(EARLY) / len(EARLY))
        can = int(limit / (price * (LENGTHS[bucket.window] / every)))
        found.append(Share(level, bucket.window, limit, price, can, is_short=number > can))
    return found


def _dearest(platform: str, source: Source) -> dict[str, float]:
    """Units of one of a full call's scheduled syncs when every one of them has news."""
    size = max(source.batch_size, 1)
    known = Connection.objects.filter(platform=platform).exclude(external_id="")
    name = known.values_list("external_id", flat=True).first() or "sample"
    asks = [
        Ask(connection_id=n, platform=platform, handle="sample", external_id=name,
            depth=Depth.CHEAP, known_posts=0)
        for n in range(size)
    ]  # fmt: skip
    return {bucket: units / size for bucket, units in source.price(asks).items()}


def _weary(platform: str) -> bool:
    """Whether a usage header says that the schedule had better wait for its window's end."""
    return any(
        level.used >= WEARY_PERCENT and level.limit == 100 for level in quota.told_levels(platform)
    )


_URGENCY = """
    extract(epoch FROM statement_timestamp() - socials_connection.next_refresh_at + interval '1 hour')
    * (1 + log(1 + COALESCE((
        SELECT followers FROM socials_profile
        WHERE socials_profile.connection_id = socials_connection.id
    ), 0)))
"""
"""Overdue time, weighed by how many follow: a hundred times the followers count for some hours."""
