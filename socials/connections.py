"""The life of an account with us: connect it, ask for a sync, let it go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.dispatch import Signal

from socials import handles, platforms
from socials.images import pick as photos
from socials.models import Connection, Grant, Priority, Revocation, SyncStatus, Trigger
from socials.models.moves import ConnectionQuerySet, first_delay
from talent.activity import record, record_many
from talent.models import Talent
from talent.queue import later

if TYPE_CHECKING:
    from talent.models import User

disconnected = Signal()
"""Sent after the commit with ``talent_id``, ``platform`` and ``connection_id``."""


def connect(
    talent: Talent,
    platform: str,
    *,
    handle: str = "",
    profile_url: str = "",
    trigger: str = Trigger.CONNECT,
    actor: User | None = None,
) -> tuple[Connection, bool]:
    """Add an account by handle or URL and queue its first sync. Returns it, and whether it is new.

    Connecting an account that is there joins it: one that ended in an error is tried again, any
    other is left as it stands. Raises InvalidHandle.
    """
    account = handles.parse(platform, handle=handle, url=profile_url)
    syncs = platforms.get(platform).syncs
    with transaction.atomic():
        same = Q(handle_key=account.key) | Q(external_id=account.handle)
        row = Connection.objects.filter(same, talent=talent, platform=platform).first()
        created = False
        if row is None:
            row, created = Connection.objects.get_or_create(
                talent=talent,
                platform=platform,
                handle_key=account.key,
                defaults={
                    "handle": account.handle,
                    "profile_url": account.url,
                    "trigger": trigger,
                    "priority": Priority.INTERACTIVE,
                    "requested_at": Now(),
                    **_begin(syncs=syncs),
                },
            )
        if created:
            _note("connection.connected", row, actor)
        if syncs and (created or _try_again(row, trigger)):
            later("socials.tasks.sync_due", platform)
    row.refresh_from_db()
    return row, created


def connect_many(
    accounts: Iterable[tuple[int, handles.Handle]], *, actor: User | None = None
) -> dict[tuple[int, str, str], int]:
    """Add many accounts, each a talent's id and a handle, in a fixed number of statements.

    They queue behind what people ask for one by one. Those that are there are left as they stand.
    Returns the ids of the new ones by (talent id, platform, key).
    """
    wanted = {(talent_id, a.platform, a.key): a for talent_id, a in accounts}
    with transaction.atomic():
        there = _ids_of(wanted)
        fresh = {key: account for key, account in wanted.items() if key not in there}
        Connection.objects.bulk_create(
            [_row_of(talent_id, account) for (talent_id, _, _), account in fresh.items()],
            batch_size=1_000,
            ignore_conflicts=True,
        )
        created = {key: pk for key, pk in _ids_of(fresh).items() if key in fresh}
        record_many(
            "connection.connected",
            [
                (
                    key[0],
                    f"{platforms.get(key[1]).name} {fresh[key].handle}",
                    _facts(pk, fresh[key]),
                )
                for key, pk in created.items()
            ],
            actor=actor,
        )
        for platform in {platform for _, platform, _ in created}:
            if platforms.get(platform).syncs:
                later("socials.tasks.sync_due", platform)
    return created


def request_sync(
    connection_id: int,
    *,
    trigger: str = Trigger.MANUAL,
    priority: int = Priority.INTERACTIVE,
    actor: User | None = None,
) -> Connection:
    """Queue a sync that reads everything, whatever the row's state; many requests make one sync.

    Raises Connection.DoesNotExist. A link-only account has nothing to read and stays as it is.
    """
    with transaction.atomic():
        row = Connection.objects.get(pk=connection_id)
        if platforms.get(row.platform).syncs and _request(row, trigger, priority):
            if actor is not None:
                _note("connection.sync_requested", row, actor)
            later("socials.tasks.sync_due", row.platform)
    row.refresh_from_db()
    return row


def request_syncs(rows: ConnectionQuerySet, *, trigger: str, priority: int) -> int:
    """Queue a sync of many accounts, link-only ones left out, in one go. How many rows changed."""
    synced = rows.filter(platform__in=platforms.synced())
    with transaction.atomic():
        changed = synced.request(trigger=trigger, priority=priority)
        if changed:
            later("socials.tasks.sync_due", "")
    return changed


def disconnect(connection_id: int, *, actor: User | None = None) -> None:
    """Delete an account and all that was read from it, for good. Raises Connection.DoesNotExist.

    The row is locked, so a sync that is just storing finishes before, and a later one finds nothing
    to write to; before it the talent, whose photo may change.
    """
    with transaction.atomic():
        Talent.objects.held().filter(connections=connection_id).first()
        row = Connection.objects.select_for_update().get(pk=connection_id)
        _note("connection.disconnected", row, actor)
        told = {"talent_id": row.talent_id, "platform": row.platform, "connection_id": row.pk}
        grant = Grant.objects.filter(pk=row.pk).first()
        row.delete()
        photos.settle(row.talent_id)
        if grant is not None and Revocation.take(
            row.platform,
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            app_user_id=grant.app_user_id,
            external_id=row.external_id,
            talent_id=row.talent_id,
        ):
            later("socials.tasks.revoke_given_up")
        transaction.on_commit(lambda: disconnected.send(sender=Connection, **told), robust=True)


def _row_of(talent_id: int, account: handles.Handle) -> Connection:
    return Connection(
        talent_id=talent_id,
        platform=account.platform,
        handle=account.handle,
        handle_key=account.key,
        profile_url=account.url,
        trigger=Trigger.CONNECT,
        priority=Priority.SCHEDULED,
        requested_at=Now(),
        **_begin(syncs=platforms.get(account.platform).syncs),
    )


def _ids_of(keys: Iterable[tuple[int, str, str]]) -> dict[tuple[int, str, str], int]:
    rows = Connection.objects.filter(talent__in={talent_id for talent_id, _, _ in keys})
    return {
        (talent_id, platform, key): pk
        for talent_id, platform, key, pk in rows.values_list(
            "talent_id", "platform", "handle_key", "pk"
        )
    }


def _begin(*, syncs: bool) -> dict[str, Any]:
    if not syncs:
        return {"sync_status": SyncStatus.READY}
    return {"sync_status": SyncStatus.PENDING, "next_attempt_at": Now() + first_delay()}


def _try_again(row: Connection, trigger: str) -> bool:
    return row.sync_status == SyncStatus.ERROR and _request(row, trigger, Priority.INTERACTIVE)


def _request(row: Connection, trigger: str, priority: int) -> bool:
    return bool(Connection.objects.filter(pk=row.pk).request(trigger=trigger, priority=priority))


def _note(action: str, row: Connection, actor: User | None) -> None:
    record(
        action,
        actor=actor,
        talent_id=row.talent_id,
        object=str(row),
        details=_facts(row.pk, row),
    )


def _facts(connection_id: int, account: Connection | handles.Handle) -> dict[str, object]:
    return {
        "connectionId": connection_id,
        "platform": account.platform,
        "handle": account.handle,
    }
