"""The record of each attempt."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from scraping.errors import Failure
from socials.models import Connection, Outcome, SyncRun, Trigger
from socials.sync.cleaning import clean, count
from socials.sync.reading import Held
from socials.types import Depth, Reading


def run_of(
    held: Held,
    outcome: Outcome,
    *,
    failure: Failure | None = None,
    reading: Reading | None = None,
    posts_new: int = 0,
) -> SyncRun:
    """How an attempt ended, not saved yet: with a failure, with a reading, or with neither."""
    row = held.row
    started_at = row.started_at or row.updated_at
    duration = timedelta(seconds=time.monotonic() - held.claimed_at)
    asked = held.ask.post_limit if held.ask.depth is Depth.FULL else len(held.ask.due_posts)
    return attempt(
        row,
        outcome,
        started_at=started_at,
        duration=duration,
        error_code=failure.code if failure else "",
        message=clean(failure.detail) if failure else "",
        source=reading.source if reading else held.source.name if held.sources else "",
        calls=held.calls,
        units=held.units,
        posts_asked=asked,
        posts_delivered=len(reading.posts) if reading else 0,
        posts_new=posts_new,
        posts_total=count(reading.posts_total) if reading else None,
        stop_reason=reading.stop_reason if reading else "",
    )


def attempt(
    row: Connection, outcome: Outcome, *, started_at: datetime, duration: timedelta, **more: Any
) -> SyncRun:
    """An attempt of this row as it was claimed, not saved yet."""
    return SyncRun(
        connection_id=row.pk,
        platform=row.platform,
        trigger=row.trigger if row.attempt <= 1 else Trigger.RETRY,
        sync_version=row.sync_version,
        attempt=row.attempt,
        requested_at=row.requested_at,
        started_at=started_at,
        finished_at=started_at + duration,
        duration_ms=round(duration.total_seconds() * 1000),
        outcome=outcome,
        worker=row.lease_owner,
        **more,
    )
