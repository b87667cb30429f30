"""Links to a talent's media kit: made, found, turned off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from socials.models.invite import hashed
from socials.models.kit_link import KitLink, KitMetric
from talent.activity import record
from talent.rules import FieldRefused

if TYPE_CHECKING:
    from talent.models import Talent, User

USUAL_DAYS = 365
LONGEST_DAYS = 730
USUAL = tuple(metric for metric in KitMetric.values if metric != KitMetric.CONTACT)


class KitRefused(FieldRefused):
    """A kit that can't be made."""


def create(
    talent: Talent,
    *,
    metrics: Sequence[str] = (),
    expires_in_days: int = USUAL_DAYS,
    actor: User | None = None,
) -> KitLink:
    """A new link that shows ``metrics`` in this order (without any: all but the contact).

    The one that was open before works no more. Raises KitRefused.
    """
    if talent.status != talent.Status.ACTIVE:
        raise KitRefused("talentId", "This talent is archived. Restore the talent first.")
    chosen = list(dict.fromkeys(metrics)) or list(USUAL)
    unknown = [name for name in chosen if name not in KitMetric.values]
    if unknown:
        raise KitRefused(
            "metrics", f"{unknown[0]} is unknown. Choose from {', '.join(KitMetric.values)}."
        )
    if not 1 <= expires_in_days <= LONGEST_DAYS:
        raise KitRefused("expiresInDays", f"Give 1 to {LONGEST_DAYS} days, for example 90.")
    token = KitLink.new_token()
    with transaction.atomic():
        _close(talent)
        link = KitLink.objects.create(
            talent=talent,
            token=token,
            token_hash=hashed(token),
            metrics=chosen,
            created_by=actor,
            expires_at=timezone.now() + timedelta(days=expires_in_days),
        )
        record(
            "kit.created",
            actor=actor,
            talent_id=talent.pk,
            object=talent.name,
            details={"metrics": chosen, "expiresInDays": expires_in_days},
        )
    return link


def current(talent_id: int) -> KitLink | None:
    """The talent's open link."""
    return KitLink.objects.open().filter(talent_id=talent_id).first()


def find(token: str) -> KitLink | None:
    """The link of this token, if it still works."""
    links = KitLink.objects.open().select_related("talent__manager")
    return links.filter(token_hash=hashed(token)).first()


def count_view(link: KitLink) -> None:
    KitLink.objects.filter(pk=link.pk).update(views=F("views") + 1, last_viewed_at=timezone.now())


def revoke(talent: Talent, *, actor: User | None = None) -> bool:
    """Turn the open link off. Whether there was one."""
    with transaction.atomic():
        was_open = _close(talent)
        if was_open:
            record("kit.revoked", actor=actor, talent_id=talent.pk, object=talent.name)
    return was_open


def _close(talent: Talent) -> bool:
    # The talent's row is locked first: of two at the same time one waits for the other.
    type(talent).objects.held().filter(pk=talent.pk).first()
    links = KitLink.objects.filter(talent=talent, revoked_at=None)
    return bool(links.update(revoked_at=timezone.now()))
