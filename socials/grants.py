"""A talent's permission and its life: taken over, kept fresh, found dead, given back.

A refresh is done by one process at a time: it holds the grant's row while it asks the platform, so
that a rotated token is stored by whoever got it. An outage is never taken for a refusal, and a
refusal is believed when it is said twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from scraping.errors import Failure, ReauthRequired
from scraping.http import Http, Limits
from scraping.meter import Meter
from socials import connections, handles, platforms
from socials.models import Connection, ConnectionType, Grant, Trigger
from socials.models.grant import Revocation
from socials.types import Context, Profile, TokenGrant
from talent.activity import record
from talent.models import Talent
from talent.queue import later

if TYPE_CHECKING:
    from talent.models import User

log = structlog.get_logger("grant")

COOL_DOWN = timedelta(minutes=5)
"""Between two refreshes of one grant when the first failed."""
BATCH = 200
REVOKE_AGAIN = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(days=1)
REVOKE = "socials.tasks.revoke_given_up"


class WrongAccount(Exception):
    """Another account than the one that was to be connected again. Nothing was stored."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"This is {got}, but {expected} was to be connected again.")
        self.expected = expected
        self.got = got


@dataclass(frozen=True, slots=True)
class Adopted:
    """The connection that a grant went to, and whether it is new."""

    connection: Connection
    created: bool


def context() -> Context:
    """What an OAuth flow may use, outside a sync."""
    limits = Limits.within(settings.HTTP_TIMEOUT_SECONDS)
    return Context(Http(limits), settings.PLATFORM_SETTINGS, Meter())


def to_reconnect(talent: Talent, platform: str) -> Connection | None:
    """The account of a talent that waits to be connected again, if there is one."""
    waiting = Connection.objects.filter(talent=talent, platform=platform, connected=False)
    return waiting.order_by("pk").first()


def adopt(
    talent: Talent, platform: str, grant: TokenGrant, account: Profile, *, actor: User | None = None
) -> Adopted:
    """Keep a grant on the account it belongs to, which keeps its row and its history.

    A manual connection of the same account becomes an OAUTH one. Where an account of this platform
    waits to be connected again, only that one is taken: raises WrongAccount for another.
    """
    with transaction.atomic():
        Talent.objects.select_for_update().get(pk=talent.pk)
        row = _row_of(talent, platform, account)
        waiting = to_reconnect(talent, platform)
        if waiting is not None and (row is None or row.pk != waiting.pk):
            raise WrongAccount(f"@{waiting.handle}", f"@{account.handle}")
        created = row is None
        if row is None:
            row, _ = connections.connect(talent, platform, handle=account.handle, actor=actor)
        _keep(row, grant, account)
        Connection.objects.filter(pk=row.pk).update(
            connection_type=ConnectionType.OAUTH, connected=True, reauth_doubts=0, updated_at=Now()
        )
        connections.request_sync(row.pk, trigger=Trigger.OAUTH)
        record(
            "grant.given" if created else "grant.renewed",
            actor=actor,
            talent_id=talent.pk,
            object=str(row),
            details={"connectionId": row.pk, "platform": platform, "scopes": list(grant.scopes)},
        )
    row.refresh_from_db()
    return Adopted(row, created)


def lost_without(platform: str, scopes: Sequence[str]) -> dict[str, str]:
    """Scopes that were asked and not given → what is lost without each."""
    asked = platforms.flow(platform).SCOPES
    return {scope: loss for scope, loss in asked.items() if scope not in scopes} if scopes else {}


def freshen(connection_ids: Sequence[int]) -> None:
    """Refresh those of these grants whose access token is near its end: before a reading."""
    for pk in _near_their_end().filter(pk__in=connection_ids).values_list("pk", flat=True):
        refresh(pk)


def refresh_due(limit: int = BATCH) -> int:
    """Refresh the grants that end soonest, in a job. Returns how many were refreshed."""
    due = _near_their_end().order_by("expires_at").values_list("pk", flat=True)[:limit]
    return sum(refresh(pk) for pk in due)


def refresh(connection_id: int) -> bool:
    """Refresh one grant if it still needs it and nobody else is at it. True when it is fresh now.

    Never raises Failure: an outage sets a cool-down; a refusal sets it too and is counted, and the
    second one in a row marks the account for reconnection.
    """
    with transaction.atomic():
        grant = (
            _near_their_end()
            .select_related("connection")
            .select_for_update(skip_locked=True, of=("self",))
            .filter(pk=connection_id)
            .first()
        )
        if grant is None:
            return False
        platform = grant.connection.platform
        flow = platforms.flow(platform)
        try:
            fresh = flow.refresh(context(), _as_given(grant))
        except ReauthRequired as refusal:
            _refused(grant, refusal)
            return False
        except Failure as failure:
            Grant.objects.filter(pk=grant.pk).update(refresh_after=Now() + COOL_DOWN)
            log.warning(
                "grant.refresh_failed",
                connection_id=grant.pk,
                platform=platform,
                cause=failure.code,
            )
            return False
        _renew(grant, fresh)
        Connection.objects.filter(pk=grant.pk, connected=True).update(reauth_doubts=0)
    log.info("grant.refreshed", connection_id=connection_id, platform=platform)
    return True


def give_back(platform: str, grant: TokenGrant) -> None:
    """Have a grant revoked at its platform, by a job, in the caller's transaction."""
    if Revocation.take(
        platform,
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        app_user_id=grant.app_user_id,
        external_id=grant.external_id,
    ):
        later(REVOKE)


def revoke_given_up(limit: int = BATCH) -> int:
    """Give grants of deleted accounts back to their platforms. Returns how many are settled.

    Best effort: what a platform refuses is forgotten, what it can't answer is tried for a day.
    """
    settled = 0
    for revocation in Revocation.objects.filter(due_at__lte=Now()).order_by("due_at")[:limit]:
        given = TokenGrant(
            access_token=revocation.access_token,
            refresh_token=revocation.refresh_token,
            app_user_id=revocation.app_user_id,
        )
        try:
            platforms.flow(revocation.platform).revoke(context(), given)
        except Failure as failure:
            if failure.later and revocation.created_at > timezone.now() - GIVE_UP_AFTER:
                Revocation.objects.filter(pk=revocation.pk).update(due_at=Now() + REVOKE_AGAIN)
                continue
            log.warning("grant.not_revoked", platform=revocation.platform, cause=failure.code)
        revocation.delete()
        settled += 1
    return settled


def removed_at_platform(platform: str, app_user_id: str, *, reason: str) -> int:
    """The talent took the permission back over there. Returns how many accounts that ends."""
    ended = 0
    with transaction.atomic():
        grants = Grant.objects.select_for_update().filter(
            Q(app_user_id=app_user_id) | Q(connection__external_id=app_user_id),
            connection__platform=platform,
        )
        for grant in grants.select_related("connection"):
            _end(grant.connection, reason)
            grant.delete()
            ended += 1
    return ended


def _row_of(talent: Talent, platform: str, account: Profile) -> Connection | None:
    """The connection of this account: by the platform's id, else by its handle."""
    rows = Connection.objects.select_for_update().filter(talent=talent, platform=platform)
    official = f"metadata__ids__{platforms.official_source(platform)}"
    known = rows.filter(Q(external_id=account.external_id) | Q(**{official: account.external_id}))
    if (row := known.first()) is not None:
        return row
    row = rows.filter(handle_key=handles.parse(platform, handle=account.handle).key).first()
    ids = row.metadata.get("ids", {}) if row else {}
    other = ids.get(platforms.official_source(platform), account.external_id)
    if row is not None and other != account.external_id:
        raise WrongAccount(f"@{row.handle} as known until now", f"another @{account.handle}")
    return row


def _keep(row: Connection, grant: TokenGrant, account: Profile) -> None:
    app_user_id = grant.app_user_id or account.extra.get("app_user_id", "")
    kept = Grant.objects.select_for_update().filter(pk=row.pk).first() or Grant(connection=row)
    kept.access_token = grant.access_token
    kept.refresh_token = grant.refresh_token or kept.refresh_token
    kept.scopes = list(grant.scopes) or kept.scopes
    kept.expires_at = grant.expires_at
    kept.refresh_expires_at = grant.refresh_expires_at
    kept.app_user_id = app_user_id or kept.app_user_id
    kept.granted_at = kept.refreshed_at = timezone.now()
    kept.refresh_after = None
    kept.save()


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
    Grant.objects.filter(pk=grant.pk).update(refresh_after=Now() + COOL_DOWN)
    row = grant.connection
    if row.reauth_doubts >= 1:
        _end(row, refusal.detail)
    else:
        Connection.objects.filter(pk=row.pk).update(reauth_doubts=F("reauth_doubts") + 1)
    log.warning("grant.refused", connection_id=grant.pk, platform=row.platform)


def _end(row: Connection, reason: str) -> None:
    """The grant is dead: say so at once, and let the next sync find what other sources tell."""
    was_connected = Connection.objects.filter(pk=row.pk, connected=True).update(
        connected=False, reauth_doubts=2, updated_at=Now()
    )
    if not was_connected:
        return
    record(
        "grant.ended",
        talent_id=row.talent_id,
        object=str(row),
        details={"connectionId": row.pk, "platform": row.platform, "reason": reason[:300]},
    )
    connections.request_sync(row.pk, trigger=Trigger.OAUTH)


def _near_their_end() -> QuerySet[Grant]:
    """Grants to refresh now: each platform's own lead, nobody's cool-down, nobody already dead."""
    near = Q(pk__in=[])
    for name in platforms.PLATFORMS:
        if platforms.get(name).oauth:
            near |= Q(connection__platform=name, expires_at__lt=Now() + platforms.flow(name).LEAD)
    return Grant.objects.filter(
        near,
        Q(refresh_after=None) | Q(refresh_after__lte=Now()),
        connection__connected=True,
    )


def _as_given(grant: Grant) -> TokenGrant:
    return TokenGrant(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        scopes=tuple(grant.scopes),
        expires_at=grant.expires_at,
        refresh_expires_at=grant.refresh_expires_at,
        external_id=grant.connection.external_id,
        app_user_id=grant.app_user_id,
    )
