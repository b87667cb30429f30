"""Which picture is the talent's photo, and keeping it so: the journeys around a photo.

Order: an upload by staff, the picture that staff chose, then Instagram, TikTok, YouTube, then
initials. A source that fails keeps the picture it gave before; the next one is tried where it never
gave one. Downloads happen outside every transaction.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from socials import outbox, platforms
from socials.images import files
from socials.images.download import Downloader
from socials.images.pixels import Focus, Picture, fingerprint, render
from socials.images.refusals import ImageRefused, NoImage, Placeholder
from socials.models import Connection
from socials.models.photo import Photo, PhotoRun
from talent.activity import record
from talent.models import ImageSource, Talent

if TYPE_CHECKING:
    from talent.models import User

log = structlog.get_logger("photo")

ORDER = ("INSTAGRAM", "TIKTOK", "YOUTUBE")
FRESH = timedelta(hours=24)
WITHOUT_PICTURE = frozenset({NoImage.code, Placeholder.code})
THREADS = 8
BATCH = 25


@dataclass(frozen=True, slots=True)
class Failed:
    """A source that could not give its picture."""

    platform: str
    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Picked:
    """How a refresh ended. ``failed`` lists the sources that did not answer, in order."""

    talent_id: int
    source: str
    image_url: str
    synced_at: datetime | None
    updated: bool
    outcome: str
    failed: tuple[Failed, ...] = ()

    @property
    def reason(self) -> str:
        """Why it failed and what stays, in plain words."""
        if not self.failed:
            return ""
        first = self.failed[0]
        stays = "Initials stay" if self.source == ImageSource.INITIALS else "The old photo stays"
        return f"{platforms.get(first.platform).name}: {first.words} {stays}."


@cache
def downloader() -> Downloader:
    return Downloader(sandbox_hosts=settings.SANDBOX_HOSTS)


def refresh(talent_id: int, *, force: bool = False) -> Picked:
    """Look at one talent's accounts and keep the best picture there is.

    Never raises for a failing server. Raises Talent.DoesNotExist.
    """
    Talent.objects.only("pk").get(pk=talent_id)
    return next(iter(refresh_many([talent_id], force=force)))


def refresh_many(talent_ids: Sequence[int], *, force: bool = False) -> Iterator[Picked]:
    """Refresh the photos of many talents, yielding each as it is settled.

    Without ``force`` a picture that was looked at within 24 hours is believed. ``outcome`` is
    ``successful``, ``failed`` (old pictures stay) or ``skipped`` (upload, or nothing to look at).
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="photo") as threads:
        for start in range(0, len(talent_ids), BATCH):
            yield from _refresh_batch(talent_ids[start : start + BATCH], threads, force=force)


def _refresh_batch(
    talent_ids: Sequence[int], threads: ThreadPoolExecutor, *, force: bool
) -> Iterator[Picked]:
    began = time.monotonic()
    uploads = set(
        Photo.objects.filter(talent__in=talent_ids, connection=None).values_list(
            "talent_id", flat=True
        )
    )
    wanted = _accounts([pk for pk in talent_ids if pk not in uploads], force=force)
    failed: dict[int, list[Failed]] = defaultdict(list)
    for account, answer in zip(wanted, threads.map(_fetch, wanted), strict=True):
        if isinstance(answer, ImageRefused):
            failed[account.talent_id].append(_noted(account, answer))
        else:
            _store(account, answer)
    existing = set(Talent.objects.filter(pk__in=talent_ids).values_list("pk", flat=True))
    for talent_id in talent_ids:
        if talent_id in existing:
            picked = settle(talent_id, looked=talent_id not in uploads)
            outcome = _outcome(picked, failed[talent_id], is_upload=talent_id in uploads)
            yield _concluded(picked, outcome, failed[talent_id], began)


def upload(talent_id: int, content: bytes, *, focus: Focus | None = None, actor: User) -> Picked:
    """Keep an image that staff give: it wins until it is removed. Raises ImageRefused."""
    focus = focus or Focus()
    picture = render(content, focus)
    files.keep(picture)
    now = timezone.now()
    with transaction.atomic():
        talent = Talent.objects.select_for_update().get(pk=talent_id)
        Photo.objects.update_or_create(
            talent=talent,
            connection=None,
            defaults={
                "source": ImageSource.MANUAL,
                "name": picture.name,
                "content_hash": fingerprint(content),
                "width": picture.width,
                "height": picture.height,
                "focus_x": focus.x,
                "focus_y": focus.y,
                "taken_at": now,
                "checked_at": now,
            },
        )
        record("profile_image.uploaded", actor=actor, talent_id=talent_id, object=talent.name)
        return settle(talent_id, looked=True, actor=actor)


def remove_upload(talent_id: int, *, actor: User) -> Picked:
    """Drop the uploaded image and go back to the accounts'. Raises Talent.DoesNotExist."""
    with transaction.atomic():
        talent = Talent.objects.select_for_update().get(pk=talent_id)
        removed, _ = Photo.objects.filter(talent=talent, connection=None).delete()
        if removed:
            record("profile_image.removed", actor=actor, talent_id=talent_id, object=talent.name)
        return settle(talent_id, actor=actor)


def choose(talent_id: int, photo_id: int | None, *, actor: User) -> Picked:
    """Prefer one account's picture, or None for the usual order. Raises Photo.DoesNotExist."""
    with transaction.atomic():
        talent = Talent.objects.select_for_update().get(pk=talent_id)
        photos = Photo.objects.filter(talent=talent)
        photos.update(is_chosen=False)
        if photo_id is not None:
            photo = photos.get(pk=photo_id)
            Photo.objects.filter(pk=photo.pk).update(is_chosen=True)
        record(
            "profile_image.chosen",
            actor=actor,
            talent_id=talent_id,
            object=talent.name,
            details={"photoId": photo_id},
        )
        return settle(talent_id, actor=actor)


def set_focus(talent_id: int, photo_id: int, focus: Focus, *, actor: User) -> Picked:
    """Crop a kept picture around another point. Raises Photo.DoesNotExist, ImageRefused."""
    photo = Photo.objects.get(pk=photo_id, talent_id=talent_id)
    picture = render(files.master(photo.name), focus)
    files.keep(picture)
    with transaction.atomic():
        Talent.objects.select_for_update().get(pk=talent_id)
        Photo.objects.filter(pk=photo_id).update(
            name=picture.name, focus_x=focus.x, focus_y=focus.y
        )
        return settle(talent_id, actor=actor)


def settle(talent_id: int, *, looked: bool = False, actor: User | None = None) -> Picked:
    """Write the picture that wins now onto the talent: set-based, no network."""
    with transaction.atomic():
        talent = Talent.objects.select_for_update().get(pk=talent_id)
        photo = best(Photo.objects.filter(talent=talent).select_related("connection__profile"))
        image_url = files.url(photo.name) if photo else ""
        source = photo.source if photo else ImageSource.INITIALS
        updated = (talent.profile_image_url, talent.profile_image_source) != (image_url, source)
        talent.profile_image_url = image_url
        talent.profile_image_source = source
        if looked:
            talent.last_profile_image_sync_at = timezone.now()
        talent.save(
            update_fields=[
                "profile_image_url",
                "profile_image_source",
                "last_profile_image_sync_at",
                "updated_at",
            ]
            if updated
            else ["last_profile_image_sync_at"]
        )
        if updated:
            outbox.photo_updated(talent_id, name=talent.name, source=source, image_url=image_url)
            record(
                "profile_image.updated",
                actor=actor,
                talent_id=talent_id,
                object=talent.name,
                details={"source": source},
            )
    return Picked(
        talent_id, source, image_url, talent.last_profile_image_sync_at, updated, "successful"
    )


def best(photos: Iterable[Photo]) -> Photo | None:
    """The one that wins: upload, chosen, then by platform; of one platform the most followed."""

    def rank(photo: Photo) -> tuple[int, int, int]:
        if photo.connection is None:
            return (0, 0, 0)
        profile = getattr(photo.connection, "profile", None)
        followers = (profile.followers if profile else 0) or 0
        platform = ORDER.index(photo.connection.platform)
        return (1 if photo.is_chosen else 2, platform, -followers)

    return min(photos, key=rank, default=None)


@dataclass(frozen=True, slots=True)
class Account:
    """An account whose picture is to be looked at, as plain values for a thread."""

    connection_id: int
    talent_id: int
    platform: str
    url: str
    hosts: tuple[str, ...]
    known_hash: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture as downloaded; ``picture`` is None when it is the one that we have."""

    content_hash: str
    picture: Picture | None


def _accounts(talent_ids: Sequence[int], *, force: bool) -> list[Account]:
    rows = Connection.objects.filter(
        talent__in=talent_ids, platform__in=ORDER, profile__isnull=False
    ).select_related("profile", "photo")
    return [
        Account(
            row.pk,
            row.talent_id,
            row.platform,
            row.profile.avatar_url,
            platforms.get(row.platform).image_hosts,
            row.photo.content_hash if hasattr(row, "photo") else "",
        )
        for row in sorted(rows, key=lambda row: ORDER.index(row.platform))
        if force or _is_due(row)
    ]


def _is_due(row: Connection) -> bool:
    """Whether the account's picture may be another one than we have."""
    photo: Photo | None = getattr(row, "photo", None)
    if photo is None or photo.checked_at < timezone.now() - FRESH:
        return True
    return not same_picture(photo.original_url, row.profile.avatar_url)


def same_picture(url: str, other: str) -> bool:
    """Whether two addresses are of one picture: a CDN signs and shards it anew at every call."""
    return urlsplit(url).path == urlsplit(other).path


def _fetch(account: Account) -> Taken | ImageRefused:
    """Download and render, in a thread: no database here."""
    try:
        content = downloader().fetch(account.url, account.hosts)
        content_hash = fingerprint(content)
        changed = content_hash != account.known_hash
        return Taken(content_hash, render(content) if changed else None)
    except ImageRefused as refusal:
        return refusal


def _store(account: Account, taken: Taken) -> None:
    now = timezone.now()
    seen = {"checked_at": now, "original_url": account.url[:2000]}
    if taken.picture is None:
        Photo.objects.filter(connection=account.connection_id).update(**seen)
        return
    files.keep(taken.picture)
    with transaction.atomic():
        # The account may have been deleted while its picture was on the way.
        rows = Connection.objects.select_for_update().filter(pk=account.connection_id)
        if not rows.exists():
            return
        Photo.objects.update_or_create(
            connection_id=account.connection_id,
            defaults={
                "talent_id": account.talent_id,
                "source": account.platform.lower(),
                "name": taken.picture.name,
                "content_hash": taken.content_hash,
                "width": taken.picture.width,
                "height": taken.picture.height,
                "focus_x": 0.5,
                "focus_y": 0.5,
                "taken_at": now,
                **seen,
            },
        )


def _noted(account: Account, refusal: ImageRefused) -> Failed:
    if isinstance(refusal, Placeholder):
        # Not a fault: the owner took the picture away.
        Photo.objects.filter(connection=account.connection_id).delete()
    log.info(
        "photo.refused",
        talent_id=account.talent_id,
        connection_id=account.connection_id,
        platform=account.platform,
        cause=refusal.code,
    )
    return Failed(account.platform, refusal.code, str(refusal))


def _concluded(
    picked: Picked, outcome: PhotoRun.Outcome, failed: list[Failed], began: float
) -> Picked:
    cause = failed[0].code if failed and outcome == PhotoRun.Outcome.FAILED else ""
    PhotoRun.objects.create(
        talent_id=picked.talent_id,
        outcome=outcome,
        source=picked.source,
        cause=cause,
        was_updated=picked.updated,
        duration_ms=round((time.monotonic() - began) * 1000),
    )
    log.info(
        "photo.refreshed",
        outcome=outcome.value,
        talent_id=picked.talent_id,
        source=picked.source,
        updated=picked.updated,
        cause=cause,
    )
    return replace(picked, outcome=outcome.value, failed=tuple(failed))


def _outcome(picked: Picked, failed: list[Failed], *, is_upload: bool) -> PhotoRun.Outcome:
    if is_upload:
        return PhotoRun.Outcome.SKIPPED
    if picked.source == ImageSource.INITIALS:
        faults = [failure for failure in failed if failure.code not in WITHOUT_PICTURE]
        return PhotoRun.Outcome.FAILED if faults else PhotoRun.Outcome.SKIPPED
    shown_failed = any(failure.platform.lower() == picked.source for failure in failed)
    return PhotoRun.Outcome.FAILED if shown_failed else PhotoRun.Outcome.SUCCESSFUL
