"""Many talents at once: begin, work through, tell how far it is. Crash-safe, like the rest.

The items are rows: a job takes a few of them at a time, and what a lost worker had taken is taken
again after a while. A sync's end is read off the connection itself, so nothing needs to report it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection as database
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from socials import connections, platforms
from socials.images import pick
from socials.models import Connection, Priority, SyncStatus, Trigger
from socials.models.batch import Batch, BatchItem
from talent.activity import record
from talent.models import Talent
from talent.queue import later

if TYPE_CHECKING:
    from talent.models import User

AT_ONCE = 20
TAKEN_BACK_SECONDS = 300
WORK = "socials.tasks.work_on_batch"


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` went well, ``failed`` did not; the rest of ``total`` is still to come."""

    id: int
    kind: str
    total: int
    done: int
    failed: int
    started_at: datetime
    finished_at: datetime | None

    @property
    def settled(self) -> int:
        return self.done + self.failed


def begin(
    kind: str, talents: QuerySet[Talent], *, force: bool = False, actor: User | None = None
) -> Progress:
    """Queue the work on these talents, in one transaction and a fixed number of statements."""
    ids = list(talents.order_by().values_list("pk", flat=True))
    if kind == Batch.Kind.SYNC:
        return begin_syncs(Connection.objects.filter(talent__in=ids), force=force, actor=actor)
    with transaction.atomic():
        batch = _begun(kind, [BatchItem(talent_id=pk) for pk in ids], force=force, actor=actor)
        if ids:
            later(WORK, batch.pk)
    return progress(batch.pk)


def begin_syncs(
    accounts: QuerySet[Connection], *, force: bool = False, actor: User | None = None
) -> Progress:
    """Queue a sync of those of these accounts that can be synced."""
    synced = accounts.filter(platform__in=platforms.synced())
    rows = synced.order_by("pk").values_list("pk", "talent_id")
    with transaction.atomic():
        items = [BatchItem(talent_id=talent_id, connection_id=pk) for pk, talent_id in rows]
        batch = _begun(Batch.Kind.SYNC, items, force=force, actor=actor)
        connections.request_syncs(
            Connection.objects.filter(pk__in=[item.connection_id for item in items]),
            trigger=Trigger.MANUAL,
            priority=Priority.PUSH,
        )
    return progress(batch.pk)


def recent(limit: int) -> list[tuple[Batch, Progress]]:
    """The newest batches as they stood when last looked at. One query."""
    found = _counted().select_related("created_by").order_by("-pk")[:limit]
    return [(batch, _progress_of(batch)) for batch in found]


def progress(batch_id: int) -> Progress:
    """How far a batch is. Raises Batch.DoesNotExist."""
    settle(batch_id)
    return _progress_of(_counted().get(pk=batch_id))


def settle(batch_id: int) -> None:
    """Mark the accounts whose sync has ended, and the batch when nothing is left of it."""
    waiting = BatchItem.objects.filter(batch=batch_id, state=BatchItem.State.WAITING)
    syncs = waiting.filter(batch__kind=Batch.Kind.SYNC)
    syncs.filter(connection=None).update(state=BatchItem.State.DONE)
    for status, state in (
        (SyncStatus.READY, BatchItem.State.DONE),
        (SyncStatus.ERROR, BatchItem.State.FAILED),
    ):
        ended = Connection.objects.filter(sync_status=status)
        syncs.filter(connection__in=ended).update(state=state)
    if not waiting.exists():
        Batch.objects.filter(pk=batch_id, finished_at=None).update(finished_at=Now())


def work_on(batch_id: int) -> bool:
    """Refresh the photos of a few of a batch's talents. True when others are left to take."""
    batch = Batch.objects.filter(pk=batch_id, finished_at=None).first()
    if batch is None or batch.kind != Batch.Kind.PROFILE_IMAGES:
        return False
    taken = _take(batch_id)
    outcomes: dict[int, str] = {
        picked.talent_id: picked.outcome
        for picked in pick.refresh_many(list(taken.values()), force=batch.is_forced)
    }
    failed = [pk for pk, talent_id in taken.items() if outcomes.get(talent_id) == "failed"]
    items = BatchItem.objects.filter(pk__in=taken)
    items.filter(pk__in=failed).update(state=BatchItem.State.FAILED)
    items.exclude(pk__in=failed).update(state=BatchItem.State.DONE)
    settle(batch_id)
    return len(taken) == AT_ONCE


def tend() -> None:
    """Settle what has ended, and go on with what a lost worker left."""
    for batch in Batch.objects.filter(finished_at=None):
        settle(batch.pk)
        if batch.kind == Batch.Kind.PROFILE_IMAGES:
            later(WORK, batch.pk)


def _begun(kind: str, items: list[BatchItem], *, force: bool, actor: User | None) -> Batch:
    batch = Batch.objects.create(
        kind=kind,
        is_forced=force,
        created_by=actor,
        total=len(items),
        finished_at=None if items else timezone.now(),
    )
    for item in items:
        item.batch = batch
    BatchItem.objects.bulk_create(items, batch_size=5000)
    record(
        "batch.started",
        actor=actor,
        object=f"{kind} batch",
        details={"batchId": batch.pk, "kind": kind, "total": batch.total},
    )
    return batch


def _counted() -> QuerySet[Batch]:
    return Batch.objects.annotate(
        done=Count("items", Q(items__state=BatchItem.State.DONE)),
        gone_wrong=Count("items", Q(items__state=BatchItem.State.FAILED)),
    )


def _progress_of(batch: Any) -> Progress:
    return Progress(
        batch.pk,
        batch.kind,
        batch.total,
        batch.done,
        batch.gone_wrong,
        batch.started_at,
        batch.finished_at,
    )


def _take(batch_id: int) -> dict[int, int]:
    """A few items that nobody has taken lately: item id → talent id."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE socials_batch_item SET claimed_at = statement_timestamp()
            WHERE id IN (
                SELECT id FROM socials_batch_item
                WHERE batch_id = %s AND state = 'waiting' AND (
                    claimed_at IS NULL
                    OR claimed_at < statement_timestamp() - make_interval(secs => %s)
                )
                ORDER BY id FOR UPDATE SKIP LOCKED LIMIT %s
            )
            RETURNING id, talent_id
            """,
            [batch_id, TAKEN_BACK_SECONDS, AT_ONCE],
        )
        return dict(cursor.fetchall())
