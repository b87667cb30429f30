"""What reading spent and told of its source goes into the books: units, limits, costs, drift."""

from __future__ import annotations

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now

from scraping import ledger
from scraping.errors import PlatformUnavailable
from socials import breaker, quota
from socials.models import Connection, SyncStatus
from socials.sync.reading import Chunk

log = structlog.get_logger(__name__)


def settle(reservation: quota.Reservation, chunk: Chunk) -> None:
    """Book a chunk; where the database goes away, nothing of it is, and all can be booked later."""
    with transaction.atomic():
        quota.settle(reservation, chunk.meter.units)
        for bucket in sorted(chunk.emptied):
            quota.exhaust(chunk.platform, bucket)
        _note(chunk)


def came_back(platform: str, source: str) -> None:
    """A source answered: if its circuit was not closed, the rows that wait for it are due now."""
    with transaction.atomic():
        if breaker.succeeded(platform, source):
            Connection.objects.filter(
                platform=platform, sync_status=SyncStatus.PENDING,
                error_code=PlatformUnavailable.code, next_attempt_at__gt=Now(),
            ).update(next_attempt_at=Now())  # fmt: skip


def _note(chunk: Chunk) -> None:
    """Limits, costs and unknown fields. One that makes no sense must not stop the others."""
    try:
        with transaction.atomic():
            for usage in chunk.meter.usages:
                quota.observe(usage)
                if usage.blocked_until is not None:
                    breaker.block(
                        chunk.platform, chunk.source.name, usage.blocked_until, "RATE_LIMITED"
                    )
            ledger.record(chunk.meter.runs)
            if chunk.meter.drift:
                _sight(chunk)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("sync.defect", platform=chunk.platform, source=chunk.source.name)


def _sight(chunk: Chunk) -> None:
    """Count the fields and shapes that no parser knows, for people to look at."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO socials_drift_sighting AS kept
                (platform, source, path, times, first_seen_at, last_seen_at)
            VALUES (%s, %s, %s, %s, statement_timestamp(), statement_timestamp())
            ON CONFLICT (platform, source, path) DO UPDATE SET
                times = kept.times + EXCLUDED.times, last_seen_at = EXCLUDED.last_seen_at
            """,
            [
                (chunk.platform, source[:40], path[:300], times)
                for (source, path), times in sorted(chunk.meter.drift.items())
            ],
        )
