"""Pictures of posts: the newest and the best of a talent are kept, the others let go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection as database
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from socials import platforms
from socials.images import thumbs
from socials.images.download import Downloader
from socials.images.pixels import thumbnail
from socials.images.refusals import ImageRefused, NotKept
from socials.intelligence import posts as posts_of
from socials.models import Connection, Post
from socials.models.thumbnail import Thumbnail
from talent.queue import later

log = structlog.get_logger("thumbnails")

NEWEST = 12
WINDOWS = (30, 90, 365)
"""Days of which the best posts are kept."""
AT_ONCE = 60
THREADS = 4
AGAIN_AFTER = timedelta(hours=24)
ASKED_SECONDS = 600
"""So long one request for a talent's pictures stands for all."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture to fetch, as plain values for a thread."""

    post_id: int
    connection_id: int
    url: str
    hosts: tuple[str, ...]


def urls(post_ids: Sequence[int]) -> dict[int, str]:
    """Post → address of its kept picture, for those that have one. One query."""
    kept = Thumbnail.objects.filter(post_id__in=post_ids).exclude(name="")
    return {pk: thumbs.url(name) for pk, name in kept.values_list("post_id", "name")}


def version_of(talent_id: int) -> str:
    """What changes when a picture of the talent's posts comes in. One query."""
    found = Thumbnail.objects.filter(connection__talent=talent_id)
    return str(found.aggregate(at=Max("checked_at"))["at"])


def ask_for(talent_id: int, post_ids: Sequence[int]) -> None:
    """Have the pictures fetched in the background where one of these posts was never looked at."""
    if not post_ids:
        return
    unseen = (
        Post.objects.filter(pk__in=post_ids)
        .exclude(thumbnail_url="")
        .exclude(pk__in=Thumbnail.objects.filter(post_id__in=post_ids).values("post_id"))
    )
    if unseen.exists() and cache.add(f"thumbnails:{talent_id}", 1, ASKED_SECONDS):
        later("socials.tasks.keep_thumbnails", talent_id)


def keep(talent_id: int) -> int:
    """Fetch what is missing among the talent's newest and best posts, at most 60 pictures, and let
    go of what is neither any more. How many were kept. A refused one is tried again after a day.
    """
    ids = list(Connection.objects.filter(talent=talent_id).values_list("pk", flat=True))
    chosen = _chosen(ids)
    Thumbnail.objects.filter(connection__in=ids).exclude(post_id__in=chosen).delete()
    wanted = _missing(chosen)
    kept = 0
    downloader = Downloader(sandbox_hosts=settings.SANDBOX_HOSTS)

    def fetch(one: Wanted) -> tuple[str, bytes] | ImageRefused:
        try:
            return thumbnail(downloader.fetch(one.url, one.hosts))
        except ImageRefused as refusal:
            return refusal

    with ThreadPoolExecutor(THREADS, thread_name_prefix="thumbnail") as threads:
        for one, answer in zip(wanted, threads.map(fetch, wanted), strict=True):
            kept += _store(one, answer)
    if wanted:
        log.info("thumbnails.kept", talent_id=talent_id, asked=len(wanted), kept=kept)
    return kept


def sweep() -> int:
    """Delete files that no post uses any more. How many."""

    def used(names: list[str]) -> set[str]:
        return set(Thumbnail.objects.filter(name__in=names).values_list("name", flat=True))

    return thumbs.sweep(used)


_NEWEST = """
    SELECT recent.id FROM unnest(%s::bigint[]) AS account (id)
    CROSS JOIN LATERAL (
        SELECT id FROM socials_post
        WHERE connection_id = account.id AND deleted_at IS NULL AND posted_at IS NOT NULL
        ORDER BY posted_at DESC, id DESC LIMIT %s
    ) recent
"""


def _chosen(ids: Sequence[int]) -> set[int]:
    now = timezone.now()
    with database.cursor() as cursor:
        cursor.execute(_NEWEST, [list(ids), NEWEST])
        chosen = {row[0] for row in cursor.fetchall()}
    for days in WINDOWS:
        best = posts_of.best(ids, start=now - timedelta(days=days), now=now)
        chosen.update(post.id for post in best)
    return chosen


def _missing(chosen: Iterable[int]) -> list[Wanted]:
    recently = timezone.now() - AGAIN_AFTER
    settled = Thumbnail.objects.filter(~Q(name="") | Q(checked_at__gt=recently))
    rows = (
        Post.objects.filter(pk__in=list(chosen))
        .exclude(thumbnail_url="")
        .exclude(pk__in=settled.values("post_id"))
        .order_by("-posted_at", "-id")
        .values_list("pk", "connection_id", "thumbnail_url", "connection__platform")
    )
    return [
        Wanted(pk, account, url, platforms.get(name).image_hosts)
        for pk, account, url, name in rows[:AT_ONCE]
    ]


def _store(one: Wanted, answer: tuple[str, bytes] | ImageRefused) -> bool:
    if isinstance(answer, ImageRefused):
        facts = {"name": "", "refused": answer.code}
    else:
        try:
            thumbs.keep(*answer)
            facts = {"name": answer[0], "refused": ""}
        except OSError as fault:
            log.warning("thumbnails.not_kept", connection_id=one.connection_id, fault=str(fault))
            facts = {"name": "", "refused": NotKept.code}
    with transaction.atomic():
        # The post may have been deleted while its picture was on the way.
        if not Post.objects.select_for_update(no_key=True).filter(pk=one.post_id).exists():
            return False
        Thumbnail.objects.update_or_create(
            post_id=one.post_id,
            defaults={"connection_id": one.connection_id, **facts, "checked_at": timezone.now()},
        )
    return bool(facts["name"])
