"""Links by which a talent connects her own accounts: made, opened, turned off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from socials import grants, handles, notices, platforms
from socials.errors import PermissionMissing
from socials.models import Connection
from socials.models.invite import Invite, hashed
from talent.activity import record
from talent.queue import later
from talent.rules import FieldRefused

if TYPE_CHECKING:
    from talent.models import Talent, User

DEFAULT_HOURS = 7 * 24
LONGEST_HOURS = 90 * 24


class InviteRefused(FieldRefused):
    """An invite that can't be made."""


def available() -> tuple[str, ...]:
    """Platforms that a talent can connect herself here: those whose app is set up."""
    return tuple(name for name in platforms.PLATFORMS if platforms.can_connect(name))


def create(
    talent: Talent,
    *,
    wanted: Sequence[str] = (),
    expires_in_hours: int = DEFAULT_HOURS,
    email: str = "",
    actor: User | None = None,
) -> Invite:
    """A new link for one talent. With ``email`` it is sent, by a job. Raises InviteRefused."""
    if talent.status != talent.Status.ACTIVE:
        raise InviteRefused(
            "talentId", f"{talent.name} is archived. Restore {talent.first_name} first."
        )
    if not 1 <= expires_in_hours <= LONGEST_HOURS:
        raise InviteRefused("expiresInHours", f"Give 1 to {LONGEST_HOURS} hours, for example 168.")
    chosen = _chosen(wanted)
    token = Invite.new_token()
    with transaction.atomic():
        invite = Invite.objects.create(
            talent=talent,
            token=token,
            token_hash=hashed(token),
            platforms=list(chosen),
            email=email,
            created_by=actor,
            expires_at=timezone.now() + timedelta(hours=expires_in_hours),
        )
        record(
            "invite.created",
            actor=actor,
            talent_id=talent.pk,
            object=talent.name,
            details={"platforms": list(chosen), "expiresInHours": expires_in_hours},
        )
        if email:
            later("socials.tasks.send_invite", invite.pk)
    return invite


def _chosen(wanted: Sequence[str]) -> tuple[str, ...]:
    """Platforms that can be connected by link: these, or all that are set up."""
    chosen = tuple(dict.fromkeys(wanted)) or available()
    for name in chosen:
        if name not in platforms.PLATFORMS or not platforms.get(name).oauth:
            raise InviteRefused(
                "platforms", f"{name} can't be connected by link. Use INSTAGRAM, TIKTOK or YOUTUBE."
            )
        if missing := platforms.missing_for_connecting(name):
            raise InviteRefused(
                "platforms",
                f"{platforms.get(name).name} isn't set up: set {' and '.join(missing)}.",
            )
    if not chosen:
        raise InviteRefused("platforms", "No platform is set up for connecting by link yet.")
    return chosen


def find(token: str, *, opened: bool = True) -> Invite | None:
    """The invite of this link if it still works; its first opening is written down."""
    invite = (
        Invite.objects.open()
        .select_related("talent", "created_by")
        .filter(token_hash=hashed(token))
        .first()
    )
    if opened and invite is not None and invite.opened_at is None:
        Invite.objects.filter(pk=invite.pk, opened_at=None).update(opened_at=timezone.now())
    return invite


def why_ended(token: str) -> str:
    """Why a link works no more: ``expired``, ``off`` or ``unknown``."""
    invite = Invite.objects.filter(token_hash=hashed(token)).first()
    if invite is None:
        return "unknown"
    return "off" if invite.revoked_at is not None else "expired"


def revoke(talent: Talent, *, actor: User | None = None) -> int:
    """Turn off every open link of a talent. Returns how many there were."""
    with transaction.atomic():
        revoked = Invite.objects.open().filter(talent=talent).update(revoked_at=timezone.now())
        if revoked:
            record(
                "invite.revoked",
                actor=actor,
                talent_id=talent.pk,
                object=talent.name,
                details={"links": revoked},
            )
    return revoked


def turn_off(invite: Invite, *, actor: User | None = None) -> bool:
    """Turn off one link. False when it worked no more."""
    with transaction.atomic():
        mine = Invite.objects.open().filter(pk=invite.pk)
        if not mine.update(revoked_at=timezone.now()):
            return False
        record(
            "invite.revoked",
            actor=actor,
            talent_id=invite.talent_id,
            object=invite.talent.name,
            details={"links": 1},
        )
    return True


def newest() -> QuerySet[Invite]:
    """All links, newest first; the tokens themselves are not read."""
    rows = Invite.objects.select_related("talent", "created_by").defer("token")
    return rows.order_by("-created_at", "-pk")


@dataclass(frozen=True, slots=True)
class Permission:
    """What a talent granted on one account, how old it is and when it ends."""

    row: Connection
    shown: str
    granted_at: datetime
    refreshed_at: datetime | None
    ends_at: datetime | None
    """None: it renews itself."""
    lost: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether it lets us read: the talent needn't connect again."""
        return self.row.connected and self.row.error_code != PermissionMissing.code


def permissions() -> QuerySet[Any]:
    """Accounts with a permission: those that ended first, then by their end. No token is read."""
    granted = Connection.objects.filter(grant__isnull=False).select_related("talent", "grant")
    rows = notices.ends(granted).defer("grant__access_token", "grant__refresh_token")
    return rows.order_by("connected", F("grant_ends_at").asc(nulls_last=True), "pk")


def permission(row: Any) -> Permission:
    """A row of ``permissions`` as it is shown."""
    return Permission(
        row,
        handles.at(row.platform, row.handle),
        row.grant.granted_at,
        row.grant.refreshed_at,
        row.grant_ends_at,
        tuple(grants.lost_without(row.platform, row.grant.scopes).values()),
    )


def send(invite_id: int) -> bool:
    """E-mail a link, once. False when it was sent before or works no more."""
    with transaction.atomic():
        invite = (
            Invite.objects.open()
            .select_related("talent", "created_by")
            .select_for_update(of=("self",))
            .filter(pk=invite_id, emailed_at=None)
            .exclude(email="")
            .first()
        )
        if invite is None:
            return False
        facts = {
            "agency": settings.AGENCY_NAME,
            "talent": invite.talent,
            "invite": invite,
            "names": [platforms.get(name).name for name in invite.platforms],
        }
        send_mail(
            f"Connect your accounts with {settings.AGENCY_NAME}",
            render_to_string("public/invite_email.txt", facts),
            None,
            [invite.email],
        )
        Invite.objects.filter(pk=invite.pk).update(emailed_at=timezone.now())
    return True
