"""Looking at accounts' pictures: whose may be another one, downloading it, keeping what came.

A source that fails keeps the picture that it gave before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from socials import platforms
from socials.images import files
from socials.images.download import Downloader
from socials.images.pixels import MIDDLE, Focus, Picture, fingerprint, render
from socials.images.refusals import ImageRefused, NotKept, Placeholder
from socials.images.storage import keeper
from socials.models import Connection
from socials.models.photo import Photo

log = structlog.get_logger("photo")

ORDER = ("INSTAGRAM", "TIKTOK", "YOUTUBE")
FRESH = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Failed:
    """A source that could not give its picture."""

    platform: str
    code: str
    words: str


def downloader() -> Downloader:
    """One for all threads of a process, so that open connections are used again."""
    return _downloader(tuple(settings.SANDBOX_HOSTS))


@cache
def _downloader(sandbox_hosts: tuple[str, ...]) -> Downloader:
    return Downloader(sandbox_hosts=sandbox_hosts)


@dataclass(frozen=True, slots=True)
class Account:
    """An account whose picture is to be looked at, as plain values for a thread."""

    connection_id: int
    talent_id: int
    platform: str
    url: str
    hosts: tuple[str, ...]
    known_hash: str = ""
    known_name: str = ""
    focus: Focus = MIDDLE
    """Of the picture that we have."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture as downloaded; ``picture`` is None when it is the one that we have."""

    content_hash: str
    picture: Picture | None
    focus: Focus = MIDDLE


def accounts(talent_ids: Sequence[int], *, force: bool) -> list[Account]:
    """The talents' accounts whose picture may be another one; ``force``: all that were read."""
    rows = Connection.objects.filter(
        talent__in=talent_ids, platform__in=ORDER, profile__isnull=False
    ).select_related("profile", "photo")
    return [
        _account(row)
        for row in sorted(rows, key=lambda row: ORDER.index(row.platform))
        if force or _is_due(row)
    ]


def _account(row: Connection) -> Account:
    hosts = platforms.get(row.platform).image_hosts
    about = (row.pk, row.talent_id, row.platform, row.profile.avatar_url, hosts)
    photo: Photo | None = getattr(row, "photo", None)
    if photo is None:
        return Account(*about)
    return Account(*about, photo.content_hash, photo.name, Focus(photo.focus_x, photo.focus_y))


def _is_due(row: Connection) -> bool:
    """Whether the account's picture may be another one than we have."""
    photo: Photo | None = getattr(row, "photo", None)
    if photo is None or photo.checked_at < timezone.now() - FRESH:
        return True
    return not same_picture(photo.original_url, row.profile.avatar_url)


def same_picture(url: str, other: str) -> bool:
    """Whether two addresses are of one picture: a CDN signs and shards it anew at every call."""
    return urlsplit(url).path == urlsplit(other).path


def fetch(account: Account) -> Taken | ImageRefused:
    """Download and render, in a thread: no database here."""
    try:
        content = downloader().fetch(account.url, account.hosts)
        content_hash = fingerprint(content)
        if content_hash != account.known_hash:
            return Taken(content_hash, render(content))
        if keeper.exists(files.path(account.known_name, "master")):
            return Taken(content_hash, None)
        return Taken(content_hash, render(content, account.focus), account.focus)
    except ImageRefused as refusal:
        return refusal
    except OSError:
        return NotKept()


def store(account: Account, answer: Taken | ImageRefused) -> Failed | None:
    """Write down what came of it. None: the account's picture is the one that we keep now."""
    if isinstance(answer, ImageRefused):
        return _noted(account, answer)
    try:
        if answer.picture is not None:
            files.keep(answer.picture)
    except OSError as fault:
        log.warning("photo.not_kept", connection_id=account.connection_id, fault=str(fault))
        return _noted(account, NotKept())
    _save(account, answer)
    return None


def _save(account: Account, taken: Taken) -> None:
    now = timezone.now()
    seen = {"checked_at": now, "original_url": account.url[:2000]}
    if taken.picture is None:
        Photo.objects.filter(connection=account.connection_id).update(**seen)
        return
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
                "focus_x": taken.focus.x,
                "focus_y": taken.focus.y,
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
