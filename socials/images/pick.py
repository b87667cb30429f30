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
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from django.db import transaction
from django.utils import timezone

from socials import outbox, platforms
from socials.images import files
from socials.images.look import ORDER, Failed, accounts, fetch, store
from socials.images.pixels import MIDDLE, Focus, Picture, fingerprint, render
from socials.images.refusals import NoImage, NotKept, Placeholder
from socials.models.photo import Photo, PhotoRun
from talent.activity import record
from talent.models import ImageSource, Talent

if TYPE_CHECKING:
    from talent.models import User

log = structlog.get_logger("photo")

WITHOUT_PICTURE = frozenset({NoImage.code, Placeholder.code})
THREADS = 8
BATCH = 25


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
        first = fault_of(self.failed)
        if first is None:
            return ""
        stays = "Initials stay" if self.source == ImageSource.INITIALS else "The old photo stays"
        return f"{platforms.get(first.platform).name}: {first.words} {stays}."


def fault_of(failed: Sequence[Failed]) -> Failed | None:
    """The failure to tell of: having no picture is none where another source has a fault."""
    faults = (failure for failure in failed if failure.code not in WITHOUT_PICTURE)
    return next(faults, failed[0] if failed else None)


def refresh(talent_id: int, *, force: bool = False) -> Picked:
    """Look at one talent's accounts and keep the best picture there is.

    Never raises for a failing server. Raises Talent.DoesNotExist.
    """
    Talent.objects.only("pk").get(pk=talent_id)
    for picked in refresh_many([talent_id], force=force):
        return picked
    raise Talent.DoesNotExist  # deleted while its pictures were on the way


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
    wanted = accounts([pk for pk in talent_ids if pk not in uploads], force=force)
    failed: dict[int, list[Failed]] = defaultdict(list)
    for account, answer in zip(wanted, threads.map(fetch, wanted), strict=True):
        if failure := store(account, answer):
            failed[account.talent_id].append(failure)
    for talent_id in talent_ids:
        try:
            picked = settle(talent_id, looked=talent_id not in uploads)
        except Talent.DoesNotExist:
            continue  # deleted meanwhile
        outcome = _outcome(picked, failed[talent_id], is_upload=talent_id in uploads)
        yield _concluded(picked, outcome, failed[talent_id], began)


def upload(talent_id: int, content: bytes, *, focus: Focus = MIDDLE, actor: User) -> Picked:
    """Keep an image that staff give: it wins until it is removed. Raises ImageRefused."""
    picture = _kept(render(content, focus))
    now = timezone.now()
    with transaction.atomic():
        talent = Talent.objects.held().get(pk=talent_id)
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
        talent = Talent.objects.held().get(pk=talent_id)
        removed, _ = Photo.objects.filter(talent=talent, connection=None).delete()
        if removed:
            record("profile_image.removed", actor=actor, talent_id=talent_id, object=talent.name)
        return settle(talent_id, actor=actor)


def choose(talent_id: int, photo_id: int | None, *, actor: User) -> Picked:
    """Prefer one account's picture, or None for the usual order. Raises Photo.DoesNotExist."""
    with transaction.atomic():
        talent = Talent.objects.held().get(pk=talent_id)
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
    picture = _kept(render(files.master(photo.name), focus))
    with transaction.atomic():
        Talent.objects.held().get(pk=talent_id)
        Photo.objects.filter(pk=photo_id).update(
            name=picture.name, focus_x=focus.x, focus_y=focus.y
        )
        return settle(talent_id, actor=actor)


def _kept(picture: Picture) -> Picture:
    try:
        files.keep(picture)
    except OSError as fault:
        log.warning("photo.not_kept", fault=str(fault))
        raise NotKept from None
    return picture


def sweep() -> int:
    """Delete files that no photo uses any more. How many."""

    def used(names: list[str]) -> set[str]:
        photos = Photo.objects.filter(name__in=names).values_list("name", flat=True)
        copies = {files.url(name): name for name in names}
        avatars = Talent.objects.filter(linked_image_url__in=copies)
        shown = avatars.values_list("linked_image_url", flat=True)
        return {*photos, *(copies[url] for url in shown)}

    return files.sweep(used)


def settle(talent_id: int, *, looked: bool = False, actor: User | None = None) -> Picked:
    """Write the picture that wins now onto the talent. No network. Raises Talent.DoesNotExist."""
    with transaction.atomic():
        talent = Talent.objects.held().get(pk=talent_id)
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


def _concluded(
    picked: Picked, outcome: PhotoRun.Outcome, failed: list[Failed], began: float
) -> Picked:
    fault = fault_of(failed) if outcome == PhotoRun.Outcome.FAILED else None
    cause = fault.code if fault else ""
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
