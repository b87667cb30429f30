"""Whose photo the daily job looks at: oldest first, never more than the limit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from socials.images.look import ORDER
from socials.models import Connection
from talent.models import Talent
from talent.queue import later

AT_ONCE = 20
"""Talents of one job."""


def due(
    *,
    limit: int | None = None,
    min_hours: float | None = None,
    force: bool = False,
    talent_ids: Sequence[int] = (),
) -> list[int]:
    """Ids of active talents with a read account whose photo is older than ``min_hours``."""
    limit = settings.PROFILE_IMAGE_DAILY_LIMIT if limit is None else limit
    min_hours = settings.PROFILE_IMAGE_MIN_HOURS if min_hours is None else min_hours
    read = Connection.objects.filter(
        talent=OuterRef("pk"), platform__in=ORDER, profile__isnull=False
    )
    talents = Talent.objects.active().filter(Exists(read))
    if talent_ids:
        talents = talents.filter(pk__in=talent_ids)
    if not force:
        before = timezone.now() - timedelta(hours=min_hours)
        talents = talents.filter(
            Q(last_profile_image_sync_at__isnull=True) | Q(last_profile_image_sync_at__lt=before)
        )
    oldest = F("last_profile_image_sync_at").asc(nulls_first=True)
    return list(talents.order_by(oldest, "pk").values_list("pk", flat=True)[:limit])


def refresh_later(talent_ids: Sequence[int], *, force: bool = False) -> None:
    """Have the pictures of these talents looked at, a job for each part of them."""
    for start in range(0, len(talent_ids), AT_ONCE):
        part = list(talent_ids[start : start + AT_ONCE])
        later("socials.tasks.refresh_photos", part, force=force)
