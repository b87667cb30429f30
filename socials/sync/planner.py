"""When each account and each post is read again, inside what the platforms allow."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
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
from socials.types import Ask, Depth
from talent.models import Talent

LADDER = (
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=7), timedelta(hours=6)),
    (timedelta(days=30), timedelta(days=1)),
    (timedelta(days=90), timedelta(days=7)),
)
"""A post younger than the first is read again after the second; older ones are at rest."""

EARLY = (0.85, 0.95)
"""Share of the target age after which a refresh is queued, so that it is done in time."""

SECOND_LOOK = timedelta(minutes=5)
HOPELESS = timedelta(hours=24)
UNCONFIGURED = timedelta(minutes=10)


def metrics_due_at(posted_at: datetime | None, read_at: datetime) -> datetime | None:
    """When a post's metrics are due again after a reading; None: it is at rest."""
    if posted_at is None:
        return read_at + timedelta(days=1)
    age = read_at - posted_at
    for younger, wait in LADDER:
        if age < younger:
            return read_at + wait
    return None


def refresh_in(row: Connection, *, again_soon: bool = False) -> timedelta:
    """How long after a reading a row is due again."""
    if again_soon:
        return SECOND_LOOK
    minutes = row.freshness_minutes or settings.SYNC_FRESHNESS_MINUTES
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


def queue_due(platform: str, *, limit: int = 2000) -> int:
    """Queue the accounts that are due for a refresh, as many as the budget covers. How many."""
    affordable = min(limit, affordable_syncs(platform))
    if affordable <= 0:
        return 0
    with transaction.atomic():
        due = (
            Connection.objects.filter(
                platform=platform,
                sync_status__in=[SyncStatus.READY, SyncStatus.ERROR],
                next_refresh_at__lte=Now(),
                talent__status=Talent.Status.ACTIVE,
            )
            .order_by("next_refresh_at", F("profile__followers").desc(nulls_last=True))
            .select_for_update(of=("self",), skip_locked=True, no_key=True)
            .values_list("pk", flat=True)[:affordable]
        )
        rows = Connection.objects.filter(pk__in=list(due))
        return rows.request(trigger=Trigger.SCHEDULE, priority=Priority.SCHEDULED)


def affordable_syncs(platform: str) -> int:
    """How many scheduled syncs the platform's present quota windows still cover."""
    asked = next(
        (s for s in platforms.sources(platform) if not platforms.missing_settings(s)), None
    )
    if asked is None:
        return 2000
    batch = max(asked.batch_size, 1)
    sample = [
        Ask(connection_id=n, platform=platform, handle="sample", external_id="sample",
            depth=Depth.CHEAP, known_posts=0)
        for n in range(batch)
    ]  # fmt: skip
    price = asked.price(sample)
    kept_back = {b.name: b.keep_back for b in platforms.get(platform).buckets}
    free = [
        (int(level.limit * (1 - kept_back[level.bucket])) - level.used)
        * batch
        // price[level.bucket]
        for level in quota.levels(platform)
        if price.get(level.bucket, 0) > 0
    ]
    return max(min(free, default=2000), 0)
