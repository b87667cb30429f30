"""The linked user's avatar: shown where no account has a picture, and kept here like one.

Its address is staff's to set and may be anywhere, but only over https at a public address.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import structlog
from django.db.models import F, Q
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from socials.images import files
from socials.images.look import downloader
from socials.images.pixels import render
from socials.images.refusals import ImageRefused
from talent.models import Talent, User
from talent.queue import later

log = structlog.get_logger("photo")

ANYWHERE = ("",)
"""The ending that every host's name has."""


def due() -> list[int]:
    """Talents whose copy is not of the avatar that their linked user has now."""
    other = Q(linked_user__isnull=False) & ~Q(linked_image_from=F("linked_user__avatar_url"))
    left = Q(linked_user__isnull=True) & ~Q(linked_image_from="")
    return list(Talent.objects.filter(other | left).order_by("pk").values_list("pk", flat=True))


def keep(talent_id: int) -> None:
    """Copy the avatar, or let the copy go where there is none. One that fails is due again."""
    talent = Talent.objects.select_related("linked_user").filter(pk=talent_id).first()
    if talent is None:
        return
    wanted = talent.linked_user.avatar_url if talent.linked_user else ""
    url = _kept(talent_id, wanted) if wanted else ""
    # Only while the talent is still linked to the same person.
    Talent.objects.filter(pk=talent_id, linked_user=talent.linked_user).update(
        linked_image_url=url, linked_image_from=wanted if url else "", updated_at=timezone.now()
    )


def _kept(talent_id: int, address: str) -> str:
    try:
        picture = render(downloader().fetch(address, ANYWHERE))
        files.keep(picture)
    except ImageRefused as refusal:
        log.info("photo.avatar_refused", talent_id=talent_id, cause=refusal.code)
        return ""
    except OSError as fault:
        log.warning("photo.not_kept", talent_id=talent_id, fault=str(fault))
        return ""
    return files.url(picture.name)


@receiver(post_save, sender=User, dispatch_uid="socials.images.linked.user_saved")
def user_saved(instance: User, update_fields: Collection[str] | None, **_: Any) -> None:
    """Another avatar is copied soon."""
    if update_fields is not None and "avatar_url" not in update_fields:
        return
    other = Talent.objects.filter(linked_user=instance).exclude(
        linked_image_from=instance.avatar_url
    )
    for talent_id in other.values_list("pk", flat=True):
        later("socials.tasks.keep_linked_avatar", talent_id)


@receiver(post_save, sender=Talent, dispatch_uid="socials.images.linked.talent_saved")
def talent_saved(instance: Talent, update_fields: Collection[str] | None, **_: Any) -> None:
    """So is that of another person who was linked, and nobody's stays."""
    if update_fields is not None and not {"linked_user", "linked_user_id"} & set(update_fields):
        return
    wanted = instance.linked_user.avatar_url if instance.linked_user else ""
    if wanted != instance.linked_image_from:
        later("socials.tasks.keep_linked_avatar", instance.pk)
