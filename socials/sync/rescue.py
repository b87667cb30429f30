"""Taking back what a lost worker held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from django.db import transaction

from socials import outbox
from socials.models import Connection, Outcome, SyncRun
from socials.models.moves import LOST_TOO_OFTEN, MAX_LOST_WORKERS, ConnectionQuerySet
from socials.sync.runs import attempt

log = structlog.get_logger(__name__)


def rescue_expired() -> int:
    """Rows whose lease has run out go back to the queue. How many."""
    return _rescue(Connection.objects.expired(), "the lease ran out")


def rescue_owners(owners: Sequence[str]) -> int:
    """Rows of workers that are known to be dead go back at once. How many."""
    if not owners:
        return 0
    return _rescue(Connection.objects.filter(lease_owner__in=owners), "the worker died")


def _rescue(rows: ConnectionQuerySet, reason: str) -> int:
    with transaction.atomic():
        lost = rows.rescue()
        for row in lost:
            if row.lost_workers >= MAX_LOST_WORKERS - 1 and row.told != "INTERNAL":
                outbox.failed(row, code="INTERNAL", message=LOST_TOO_OFTEN)
        SyncRun.objects.bulk_create([_run(row, reason) for row in lost])
    for row in lost:
        log.warning(
            "lease.rescued",
            request_id=row.request_id,
            sync_id=row.sync_id,
            connection_id=row.pk,
            platform=row.platform,
            worker=row.lease_owner,
            attempt=row.attempt,
            reason=reason,
        )
    return len(lost)


def _run(row: Connection, reason: str) -> SyncRun:
    now = datetime.now(UTC)
    started_at = min(row.started_at or now, now)
    return attempt(
        row,
        Outcome.RETRY,
        started_at=started_at,
        duration=now - started_at,
        error_code="INTERNAL",
        message=f"{reason} before the account was read",
    )
