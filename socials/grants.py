"""A talent's permission: taken over, given back, ended over there. (``renewal`` keeps it fresh.)"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from scraping.errors import Failure, PermissionMissing, ReauthRequired
from socials import connections, handles, platforms, renewal
from socials.models import Connection, ConnectionType, Grant, Trigger
from socials.models.grant import Revocation
from socials.types import Profile, TokenGrant
from talent.activity import record
from talent.models import Talent
from talent.queue import later

if TYPE_CHECKING:
    from talent.models import User

log = structlog.get_logger("grant")

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


def to_reconnect(talent: Talent, platform: str) -> QuerySet[Connection]:
    """The accounts of a talent that wait to be connected again."""
    return Connection.objects.filter(talent=talent, platform=platform, connected=False).order_by(
        "pk"
    )


def adopt(
    talent: Talent, platform: str, grant: TokenGrant, account: Profile, *, actor: User | None = None
) -> Adopted:
    """Keep a grant on the account it belongs to, which keeps its row and its history.

    A manual connection of the same account becomes an OAUTH one. Where an account of this platform
    waits to be connected again, only that one is taken: raises WrongAccount for another.
    """
    with transaction.atomic():
        Talent.objects.held().get(pk=talent.pk)
        row = _row_of(talent, platform, account)
        if awaited := _awaited_instead(row, talent, platform):
            raise WrongAccount(awaited, handles.at(platform, account.handle))
        created = row is None
        if row is None:
            row, _ = connections.connect(
                talent, platform, handle=account.handle, trigger=Trigger.OAUTH, actor=actor
            )
        is_new = row.connection_type != ConnectionType.OAUTH
        _keep(row, grant, account)
        connections.request_sync(row.pk, trigger=Trigger.OAUTH)
        _mark_granted(
            row, account, person=grant.app_user_id or account.extra.get("app_user_id", "")
        )
        record(
            "grant.given" if is_new else "grant.renewed",
            actor=actor,
            talent_id=talent.pk,
            object=str(row),
            details={"connectionId": row.pk, "platform": platform, "scopes": list(grant.scopes)},
        )
    row.refresh_from_db()
    return Adopted(row, created)


def other_than_awaited(talent: Talent, platform: str, account: Profile) -> str:
    """The handles that wait to be connected again, where this account is another one; or ""."""
    try:
        with transaction.atomic():
            return _awaited_instead(_row_of(talent, platform, account), talent, platform)
    except WrongAccount as wrong:
        return wrong.expected


def lost_without(platform: str, scopes: Sequence[str]) -> dict[str, str]:
    """Scopes that were asked and not given → what is lost without each."""
    asked = platforms.flow(platform).SCOPES
    return {scope: loss for scope, loss in asked.items() if scope not in scopes} if scopes else {}


def give_back(platform: str, grant: TokenGrant, talent_id: int) -> None:
    """Have a grant revoked at its platform, by a job, in the caller's transaction."""
    if Revocation.take(
        platform,
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        app_user_id=grant.app_user_id,
        external_id=grant.external_id,
        talent_id=talent_id,
    ):
        later(REVOKE)


def revoke_given_up(limit: int = BATCH) -> int:
    """Give grants of deleted accounts back to their platforms. Returns how many are settled.

    Best effort: what a platform refuses is forgotten, what it can't answer is tried for a day.
    """
    settled = 0
    until = time.monotonic() + renewal.JOB_SECONDS
    for revocation in Revocation.objects.filter(due_at__lte=Now()).order_by("due_at")[:limit]:
        if time.monotonic() > until:
            break
        given = TokenGrant(
            access_token=revocation.access_token,
            refresh_token=revocation.refresh_token,
            app_user_id=revocation.app_user_id,
        )
        try:
            platforms.flow(revocation.platform).revoke(renewal.context(), given)
        except Failure as failure:
            if failure.later and revocation.created_at > timezone.now() - GIVE_UP_AFTER:
                Revocation.objects.filter(pk=revocation.pk).update(due_at=Now() + REVOKE_AGAIN)
                continue
            log.warning("grant.not_revoked", platform=revocation.platform, cause=failure.code)
        revocation.delete()
        settled += 1
    return settled


def removed_at_platform(
    platform: str, app_user_id: str, *, reason: str, at: datetime | None = None
) -> int:
    """The talent took the permission back over there. Returns how many accounts that ends.

    A grant that was given after ``at`` is another one, and stays.
    """
    same_person = Q(app_user_id=app_user_id) | Q(connection__external_id=app_user_id)
    with transaction.atomic():
        grants = Grant.objects.select_for_update(of=("self",)).filter(
            same_person, connection__platform=platform
        )
        if at is not None:
            grants = grants.filter(granted_at__lte=at)
        ended = list(grants.select_related("connection"))
        for grant in ended:
            row = grant.connection
            grant.delete()
            renewal.end(row, reason)
    return len(ended)


def _awaited_instead(row: Connection | None, talent: Talent, platform: str) -> str:
    if row is not None and not row.connected:
        return ""
    waiting = to_reconnect(talent, platform).values_list("handle", flat=True)
    return " or ".join(handles.at(platform, handle) for handle in waiting)


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
        shown = handles.at(platform, account.handle)
        raise WrongAccount(f"{shown} as we knew it", f"another account that is called {shown} now")
    return row


def _mark_granted(row: Connection, account: Profile, *, person: str) -> None:
    """From now on this very account is meant; nothing reminds of a permission that had ended."""
    row.refresh_from_db()
    ids = row.metadata.get("ids", {}) | {
        platforms.official_source(row.platform): account.external_id
    }
    row.connection_type = ConnectionType.OAUTH
    row.connected = True
    row.reauth_doubts = 0
    row.external_id = row.external_id or account.external_id
    # It outlives the grant: a person who took it back may ask for deletion afterwards.
    row.metadata = {**row.metadata, "ids": ids, **({"person": person} if person else {})}
    row.partial = [name for name in row.partial if name != "grant"]
    if row.error_code in (ReauthRequired.code, PermissionMissing.code):
        row.error_code = row.sync_error = ""
    row.save(
        update_fields=[
            "connection_type", "connected", "reauth_doubts", "external_id", "metadata", "partial",
            "error_code", "sync_error", "updated_at",
        ]
    )  # fmt: skip


def _keep(row: Connection, grant: TokenGrant, account: Profile) -> None:
    app_user_id = grant.app_user_id or account.extra.get("app_user_id", "")
    kept = Grant.objects.select_for_update().filter(pk=row.pk).first() or Grant(connection=row)
    kept.access_token = grant.access_token
    kept.refresh_token = grant.refresh_token or kept.refresh_token
    kept.scopes = list(grant.scopes) or kept.scopes
    kept.expires_at = grant.expires_at
    if grant.refresh_token or grant.refresh_expires_at:
        kept.refresh_expires_at = grant.refresh_expires_at
    kept.app_user_id = app_user_id or kept.app_user_id
    kept.granted_at = kept.refreshed_at = timezone.now()
    kept.refresh_after = None
    kept.save()
