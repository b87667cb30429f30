"""Keeping a talent's permission fresh, and finding out when it has ended.

A refresh is done by one process at a time: it holds the grant's row while it asks the platform, so
that a rotated token is stored by whoever got it. An outage is never taken for a refusal, and a
refusal is believed when it is said twice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from scraping.errors import Failure, ReauthRequired
from scraping.http import Http, Limits
from scraping.meter import Meter
from socials import outbox, platforms
from socials.models import Connection, Grant, Priority, Trigger
from socials.types import Context, TokenGrant
from talent.activity import record
from talent.queue import later

log = structlog.get_logger("grant")

COOL_DOWN = timedelta(minutes=5)
"""Between two refreshes of one grant when the first failed."""
DEAD_COOL_DOWN = timedelta(hours=6)
"""The same for a grant that was refused twice: should it come back to life, it heals by itself."""
JOB_SECONDS = 120.0
SYNC_SECONDS = 20.0
"""A sync waits so long for tokens; what is not fresh by then is read later."""
MOST_OUTAGES = 3
"""After so many in a row a platform is left alone for this time."""


class Renewed(StrEnum):
    """What came of one refresh."""

    FRESH = "fresh"
    NOT_NEEDED = "not-needed"  # somebody else did it or is at it, or it cools down
    REFUSED = "refused"
    FAILED = "failed"


def context() -> Context:
    """What an OAuth flow may use, outside a sync."""
    limits = Limits.within(settings.HTTP_TIMEOUT_SECONDS)
    return Context(Http(limits), settings.PLATFORM_SETTINGS, Meter())


def freshen(connection_ids: Sequence[int]) -> None:
    """Before a reading: refresh those of these grants that need it."""
    worn = Grant.objects.filter(_rested(), _near(), pk__in=connection_ids)
    _refresh_all(worn, seconds=SYNC_SECONDS, most_outages=1)


def refresh_due() -> int:
    """In a job: refresh the grants that are near their end. Returns how many were refreshed."""
    return _refresh_all(_near_their_end(), seconds=JOB_SECONDS, most_outages=MOST_OUTAGES)


def refresh(connection_id: int) -> Renewed:
    """Refresh one grant if it still needs it and nobody else is at it. Never raises Failure.

    An outage sets a cool-down; a refusal sets it too and is counted, and the second one in a row
    marks the account for reconnection.
    """
    with transaction.atomic():
        due = Grant.objects.filter(_rested(), _near())
        grant = (
            due.select_related("connection")
            .select_for_update(skip_locked=True, of=("self",))
            .filter(pk=connection_id)
            .first()
        )
        if grant is None:
            return Renewed.NOT_NEEDED
        platform = grant.connection.platform
        try:
            fresh = platforms.flow(platform).refresh(context(), as_given(grant))
        except ReauthRequired as refusal:
            _refused(grant, refusal)
            return Renewed.REFUSED
        except Failure as failure:
            Grant.objects.filter(pk=grant.pk).update(refresh_after=Now() + COOL_DOWN)
            # An outage between two refusals is no confirmation.
            Connection.objects.filter(pk=grant.pk, connected=True).update(reauth_doubts=0)
            log.warning(
                "grant.refresh_failed",
                connection_id=grant.pk,
                platform=platform,
                cause=failure.code,
            )
            return Renewed.FAILED
        _renew(grant, fresh)
        Connection.objects.filter(pk=grant.pk).update(reauth_doubts=0, connected=True)
    log.info("grant.refreshed", connection_id=connection_id, platform=platform)
    return Renewed.FRESH


def end(row: Connection, reason: str) -> bool:
    """The grant is dead: say so at once, and let the next sync find what other sources tell.

    In the caller's transaction. False when it was known already.
    """
    was_connected = Connection.objects.filter(pk=row.pk, connected=True).update(
        connected=False, reauth_doubts=2, updated_at=Now()
    )
    if not was_connected:
        return False
    outbox.reauth_required(row)
    record(
        "connection.reauth_required",
        talent_id=row.talent_id,
        object=str(row),
        details={
            "connectionId": row.pk,
            "platform": row.platform,
            "handle": row.handle,
            "reason": reason[:300],
        },
    )
    asked = Connection.objects.filter(pk=row.pk)
    asked.request(trigger=Trigger.OAUTH, priority=Priority.INTERACTIVE)
    later("socials.tasks.sync_due", row.platform)
    return True


def as_given(grant: Grant) -> TokenGrant:
    """A stored grant as the platforms know it."""
    return TokenGrant(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        scopes=tuple(grant.scopes),
        expires_at=grant.expires_at,
        refresh_expires_at=grant.refresh_expires_at,
        external_id=grant.connection.external_id,
        app_user_id=grant.app_user_id,
    )


def _refresh_all(due: QuerySet[Grant], *, seconds: float, most_outages: int) -> int:
    """One after the other, the soonest to end first, within the time. How many are fresh now.

    A platform whose refreshes fail again and again is left alone: the others are not held up.
    """
    until = time.monotonic() + seconds
    outages: Counter[str] = Counter()
    fresh = 0
    for pk, platform in due.order_by("expires_at").values_list("pk", "connection__platform"):
        if time.monotonic() > until:
            break
        if outages[platform] >= most_outages:
            continue
        outcome = refresh(pk)
        fresh += outcome is Renewed.FRESH
        outages[platform] = outages[platform] + 1 if outcome is Renewed.FAILED else 0
    return fresh


def _renew(grant: Grant, fresh: TokenGrant) -> None:
    grant.access_token = fresh.access_token
    grant.refresh_token = fresh.refresh_token or grant.refresh_token
    grant.scopes = list(fresh.scopes) or grant.scopes
    grant.expires_at = fresh.expires_at
    grant.refresh_expires_at = fresh.refresh_expires_at or grant.refresh_expires_at
    grant.refreshed_at = timezone.now()
    grant.refresh_after = None
    grant.save()


def _refused(grant: Grant, refusal: ReauthRequired) -> None:
    row = grant.connection
    rest = COOL_DOWN if row.connected else DEAD_COOL_DOWN
    Grant.objects.filter(pk=grant.pk).update(refresh_after=Now() + rest)
    if row.reauth_doubts >= 1:
        end(row, refusal.detail)
    else:
        Connection.objects.filter(pk=row.pk).update(reauth_doubts=F("reauth_doubts") + 1)
    log.warning("grant.refused", connection_id=grant.pk, platform=row.platform)


def _near_their_end() -> QuerySet[Grant]:
    """Grants that the job refreshes: those of accounts that wait for their talent are left to
    their syncs."""
    return Grant.objects.filter(_rested(), _near(), connection__connected=True)


def _rested() -> Q:
    """Nobody's cool-down."""
    return Q(refresh_after=None) | Q(refresh_after__lte=Now())


def _near() -> Q:
    """Within its platform's lead of the end, and old enough to be refreshed there."""
    near = Q(pk__in=[])
    for name in platforms.PLATFORMS:
        if platforms.get(name).oauth:
            flow = platforms.flow(name)
            old = Q(refreshed_at=None) | Q(refreshed_at__lte=Now() - flow.YOUNGEST)
            near |= old & Q(connection__platform=name, expires_at__lt=Now() + flow.LEAD)
    return near
