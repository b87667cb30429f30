"""A user's own profile: her settings, and the creator she says she is, scraped in the background.

The handle on the creator's row is the truth; a job is only told to look. A save never waits for a
provider nor for the queue, and it stands whatever becomes of the scrape.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from scraping import handles
from scraping.errors import Failure, InvalidHandle
from scraping.types import Profile as ScrapedProfile
from talent import queue
from talent.activity import record
from talent.models import CreatorProfile, ScrapeStatus, UserSettings

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from talent.models import User

log = structlog.get_logger(__name__)

SCRAPE = "talent.tasks.scrape_creator"
WEB = ("https://", "http://")
LOST_AFTER = timedelta(minutes=5)
"""A scrape that was queued or begun so long ago is no more under way."""

SCRAPED_FIELDS = {
    "display_name": "", "bio": "", "avatar_url": "", "tiktok_followers": None, "hearts": None,
    "videos": None, "following": None, "verified": None, "scraped_at": None,
}  # fmt: skip
"""What belongs to a handle, and goes with it."""

WORDS = {
    "NOT_FOUND": "TikTok says that @{handle} doesn't exist. Check the handle and save it again.",
    "PRIVATE_ACCOUNT": "@{handle} is private, so its numbers can't be read. Make it public, then "
    "save the handle again.",
    "RATE_LIMITED": "TikTok can't be asked just now. Save the handle again in a while.",
    "QUOTA_EXHAUSTED": "The scraping allowance is used up. Save the handle again when it resets.",
    "PLATFORM_UNAVAILABLE": "TikTok isn't answering. Save the handle again in a while.",
    "BLOCKED": "TikTok shows a login wall, so public numbers can't be read from here now.",
    "BAD_RESPONSE": "TikTok sent something we don't understand. Save the handle again in a while.",
}


# --- reading and changing -------------------------------------------------------------------------


def settings_of(user: User) -> UserSettings:
    """The user's settings; an unsaved, empty row when there are none."""
    return UserSettings.objects.filter(user=user).first() or UserSettings(user=user)


def creator_of(user: User) -> CreatorProfile | None:
    """The creator whom the user is linked to; None when she is linked to none."""
    return CreatorProfile.objects.filter(user=user).exclude(tiktok_handle="").first()


def change(user: User, changes: Mapping[str, str]) -> None:
    """Save any of display_name, company, role and tiktok_handle (a handle or a profile URL).

    Raises InvalidHandle (field ``tiktok_handle``); then nothing is saved.
    """
    named = {name: value for name, value in changes.items() if name != "tiktok_handle"}
    handle = _handle(changes["tiktok_handle"]) if "tiktok_handle" in changes else None
    with transaction.atomic():
        if named:
            UserSettings.objects.update_or_create(user=user, defaults=named)
        if handle is not None:
            _link(user, handle)
        if changes:
            record("profile.changed", actor=user, details={"fields": sorted(changes)})


def _handle(text: str) -> str:
    if not text.strip():
        return ""
    try:
        return handles.tiktok(text)
    except InvalidHandle as refusal:
        raise InvalidHandle(refusal.detail, platform="TIKTOK", field="tiktok_handle") from None


def _link(user: User, handle: str) -> None:
    """Point the user's creator at this handle and have it scraped, unless it just was."""
    CreatorProfile.objects.get_or_create(user=user)
    creator = CreatorProfile.objects.select_for_update().get(user=user)
    if not handle:
        if creator.tiktok_handle:
            _begin_anew(creator, "", None)
        return
    if creator.tiktok_handle == handle and _is_fresh(creator, timezone.now()):
        return
    if creator.tiktok_handle == handle:
        creator.scrape_status = ScrapeStatus.PENDING
        creator.scrape_error = ""
        creator.scrape_requested_at = timezone.now()
        creator.save()
    else:
        _begin_anew(creator, handle, timezone.now())
    transaction.on_commit(partial(_enqueue, user.pk, handle))


def _begin_anew(creator: CreatorProfile, handle: str, requested_at: datetime | None) -> None:
    """Nothing of the former handle's person stays."""
    for name, blank in SCRAPED_FIELDS.items():
        setattr(creator, name, blank)
    creator.tiktok_handle = handle
    creator.scrape_status = ScrapeStatus.PENDING if handle else None
    creator.scrape_error = ""
    creator.scrape_requested_at = requested_at
    creator.save()


def _is_fresh(creator: CreatorProfile, now: datetime) -> bool:
    """Whether a scrape is under way, or the last good one is young enough."""
    asked, scraped = creator.scrape_requested_at, creator.scraped_at
    match creator.scrape_status:
        case ScrapeStatus.PENDING | ScrapeStatus.SYNCING:
            return asked is not None and now - asked < LOST_AFTER
        case ScrapeStatus.READY:
            young = timedelta(hours=settings.PROFILE_SCRAPE_MIN_HOURS)
            return scraped is not None and now - scraped < young
    return False


def _enqueue(user_id: int, handle: str) -> None:
    """After the save: it stands, even when the queue is down."""
    try:
        queue.later(SCRAPE, user_id, handle)
    except Exception as error:  # noqa: BLE001  whatever ails the queue, the profile is saved
        log.warning("profile.scrape_not_queued", user_id=user_id, handle=handle, error=type(error).__name__)  # fmt: skip
        _note_that_it_waits(user_id, handle)
    else:
        log.info("profile.scrape_queued", user_id=user_id, handle=handle)


def _note_that_it_waits(user_id: int, handle: str) -> None:
    try:
        _ours(user_id, handle).filter(scrape_status=ScrapeStatus.PENDING).update(
            scrape_status=ScrapeStatus.ERROR,
            scrape_error="The job queue isn't answering. Save the handle again in a while.",
        )
    except DatabaseError as error:
        log.warning("profile.scrape_state_not_saved", user_id=user_id, error=type(error).__name__)


# --- the scrape's life ----------------------------------------------------------------------------


def _ours(user_id: int, handle: str) -> QuerySet[CreatorProfile]:
    """The row, if it still carries this handle: what comes late for another one is dropped."""
    return CreatorProfile.objects.filter(user_id=user_id, tiktok_handle=handle)


def begin_scrape(user_id: int, handle: str) -> bool:
    """PENDING → SYNCING. False: it is not wanted any more, or somebody else is at it."""
    return bool(
        _ours(user_id, handle)
        .filter(scrape_status=ScrapeStatus.PENDING)
        .update(scrape_status=ScrapeStatus.SYNCING)
    )


def save_scrape(user_id: int, handle: str, profile: ScrapedProfile) -> bool:
    """SYNCING → READY with what was read; what the source did not tell stays as it was.

    False: the handle has changed meanwhile, and the result is dropped.
    """
    avatar = profile.avatar_url or ""
    told = {
        "display_name": profile.display_name[:200],
        "bio": profile.bio or "",
        "avatar_url": avatar if len(avatar) <= 2000 and avatar.startswith(WEB) else "",
        "tiktok_followers": profile.followers.value,
        "hearts": profile.likes.value,
        "videos": profile.posts.value,
        "following": profile.following.value,
        "verified": profile.verified,
    }
    return _conclude(
        user_id,
        handle,
        {name: value for name, value in told.items() if value not in (None, "")}
        | {"scrape_status": ScrapeStatus.READY, "scrape_error": "", "scraped_at": timezone.now()},
    )


def save_failure(user_id: int, handle: str, failure: Failure) -> bool:
    """SYNCING → ERROR with the reason in plain words. False: the handle has changed meanwhile."""
    words = WORDS.get(failure.code, failure.detail or "The scrape failed. Save the handle again.")
    error = words.format(handle=handle) if failure.code in WORDS else words
    return _conclude(user_id, handle, {"scrape_status": ScrapeStatus.ERROR, "scrape_error": error})


def _conclude(user_id: int, handle: str, fields: Mapping[str, object]) -> bool:
    return bool(
        _ours(user_id, handle)
        .filter(scrape_status=ScrapeStatus.SYNCING)
        .update(**fields, updated_at=timezone.now())
    )


def rescue_scrapes() -> int:
    """Scrapes whose job or worker was lost: the unbegun are queued again, the broken off end.

    How many there were.
    """
    lost = CreatorProfile.objects.filter(scrape_requested_at__lt=timezone.now() - LOST_AFTER)
    broken = lost.filter(scrape_status=ScrapeStatus.SYNCING).update(
        scrape_status=ScrapeStatus.ERROR,
        scrape_error="The scrape was interrupted. Save the handle again.",
    )
    waiting = list(
        lost.filter(scrape_status=ScrapeStatus.PENDING).values_list("user_id", "tiktok_handle")
    )
    lost.filter(scrape_status=ScrapeStatus.PENDING).update(scrape_requested_at=timezone.now())
    for user_id, handle in waiting:
        _enqueue(user_id, handle)
    return broken + len(waiting)
