"""The plain way that ours is measured against: one django-q2 task for each account."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now

from scraping.errors import Failure
from scraping.meter import Meter
from socials import platforms
from socials.models import Connection
from socials.sync import reading, store
from socials.sync.reading import Chunk


def sync_one(connection_id: int) -> None:
    """Read one account and store it: the same source, the same store, nobody beside it."""
    Connection.objects.filter(pk=connection_id).update(
        sync_status="SYNCING", lease_owner="plain", lease_expires_at=Now() + timedelta(minutes=2),
        sync_version=F("sync_version") + 1, started_at=Now(), attempt=1, next_attempt_at=None,
    )  # fmt: skip
    (held,) = reading.prepare([Connection.objects.get(pk=connection_id)])
    source = platforms.sources("YOUTUBE")[0]
    context = reading._context(Chunk(source, (held,), Meter()))
    ((_, outcome),) = source.read_many([held.ask], context)
    if isinstance(outcome, Failure):
        raise outcome
    store.save([(held, outcome)])
