"""What we owe the platforms: a permission taken back ends at once, and data goes when it must."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from socials import connections, grants
from socials.models import Connection, DeletionRequest, Heard

log = structlog.get_logger("duty")

REMEMBERED = timedelta(days=7)


def taken_back(
    platform: str, person: str, *, reason: str, message: bytes, at: datetime | None = None
) -> bool:
    """The person took the permission back over there. False when this was heard before."""
    with transaction.atomic():
        if not _is_new(platform, message):
            return False
        ended = grants.removed_at_platform(platform, person, reason=reason, at=at)
    log.info("duty.permission_taken_back", platform=platform, accounts=ended)
    return True


def delete_person(platform: str, person: str) -> DeletionRequest:
    """Delete every account that this person granted, with all that was read from it, now."""
    known = Q(external_id=person) | Q(grant__app_user_id=person) | Q(metadata__person=person)
    with transaction.atomic():
        ids = list(Connection.objects.filter(known, platform=platform).values_list("pk", flat=True))
        for pk in ids:
            connections.disconnect(pk)
        request = DeletionRequest.objects.create(
            code=secrets.token_hex(8).upper(), platform=platform, accounts=len(ids)
        )
    log.info("duty.person_deleted", platform=platform, accounts=len(ids))
    return request


def forget_heard() -> int:
    """Drop the hashes of messages that no platform repeats any more."""
    return Heard.objects.filter(heard_at__lt=timezone.now() - REMEMBERED).delete()[0]


def _is_new(platform: str, message: bytes) -> bool:
    digest = hashlib.sha256(platform.encode() + b"|" + message).hexdigest()
    return Heard.objects.get_or_create(digest=digest)[1]
