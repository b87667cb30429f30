"""What happens here, told to other systems: written in the transaction in which it happened.

A message is a row; workers send it afterwards (``socials.deliveries``). So an event that was rolled
back is never told, one that was committed is never lost, and no receiver can slow a sync.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import Any
from uuid import uuid4

from django.db import connection as database
from django.utils import timezone

from socials.models import Connection, Delivery, Event, Snapshot, Webhook
from socials.models.webhook import TRIAL
from talent.activity import record
from talent.models import Activity
from talent.queue import later

DELIVER = "socials.tasks.deliver_webhooks"
READY = "READY"
MILESTONES = tuple(step * 10**power for power in range(4, 10) for step in (1, 5))
"""Followers at which an account passes a milestone: 10K, 50K, 100K, 500K, 1M … 5,000M."""


def emit(event: Event, talent_id: int, data: dict[str, Any]) -> int:
    """Address a message to every active webhook that wants this event. How many there are."""
    payload = _told(event, {"talentId": talent_id, **data})
    with database.cursor() as cursor:
        # A webhook that is being deleted is waited for and passed over: its end can't fail a sync.
        cursor.execute(
            """
            INSERT INTO socials_webhook_delivery (
                webhook_id, message_id, event, payload, talent_id, status, attempts, claim, answer,
                next_attempt_at, created_at
            )
            SELECT id, %s, %s, %s::jsonb, %s, 'pending', 0, '', '',
                statement_timestamp(), statement_timestamp()
            FROM socials_webhook WHERE is_active AND events @> ARRAY[%s]::varchar[]
            FOR KEY SHARE
            """,
            [_message_id(), str(event), json.dumps(payload), talent_id, str(event)],
        )
        messages = int(cursor.rowcount)
    if messages:
        later(DELIVER)
    return messages


def trial(webhook: Webhook) -> Delivery:
    """A message to this one webhook that tells of nothing but itself."""
    message = Delivery.objects.create(
        webhook=webhook,
        message_id=_message_id(),
        event=TRIAL,
        payload=_told(TRIAL, {"webhookId": webhook.pk}),
        next_attempt_at=timezone.now(),
    )
    later(DELIVER)
    return message


def ready(row: Connection, *, source: str, followers: int | None) -> None:
    """A sync brought the account's numbers after it was new, failing or without permission."""
    told = {"syncStatus": READY, "source": source, "followers": followers}
    emit(Event.CONNECTION_READY, row.talent_id, _account(row) | told)


def failed(row: Connection, *, code: str, message: str) -> None:
    """The account can't be read, for a cause that was not told before."""
    told = {"syncStatus": "ERROR", "errorCode": code, "message": message}
    emit(Event.CONNECTION_ERROR, row.talent_id, _account(row) | told)


def reauth_required(row: Connection) -> None:
    """The talent must connect the account again."""
    emit(Event.CONNECTION_REAUTH_REQUIRED, row.talent_id, _account(row))


def photo_updated(talent_id: int, *, name: str, source: str, image_url: str) -> None:
    told = {"talentName": name, "source": source, "imageUrl": image_url or None}
    emit(Event.PROFILE_IMAGE_UPDATED, talent_id, told)


def milestone(row: Connection, *, before: int | None, followers: int | None) -> None:
    """Tell when an account has passed a milestone that it never passed before.

    To be asked before the day's point is written: it may have been passed on an earlier day.
    """
    passed = _highest(followers)
    if before is None or passed <= _highest(before):
        return
    told_before = Activity.objects.filter(
        talent_id=row.talent_id,
        action=str(Event.TALENT_MILESTONE),
        details__connectionId=row.pk,
        details__milestone__gte=passed,
    )
    earlier = Snapshot.objects.filter(connection=row.pk, followers__gte=passed)
    if told_before.exists() or earlier.exists():
        return
    told = _account(row) | {"milestone": passed, "followers": followers}
    emit(Event.TALENT_MILESTONE, row.talent_id, told)
    record(str(Event.TALENT_MILESTONE), talent_id=row.talent_id, object=str(row), details=told)


def _message_id() -> str:
    return f"msg_{uuid4().hex}"


def _told(event: str, data: dict[str, Any]) -> dict[str, Any]:
    """The body of a message."""
    moment = timezone.now().isoformat().replace("+00:00", "Z")
    return {"type": str(event), "timestamp": moment, "data": data}


def _highest(followers: int | None) -> int:
    passed = bisect_right(MILESTONES, followers or 0)
    return MILESTONES[passed - 1] if passed else 0


def _account(row: Connection) -> dict[str, Any]:
    return {
        "connectionId": row.pk,
        "platform": row.platform,
        "handle": row.handle,
        "profileUrl": row.profile_url,
    }
