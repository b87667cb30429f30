"""Everything that runs in the background, by name."""

from __future__ import annotations

from collections.abc import Sequence

from socials import (
    alarms,
    authorisation,
    batches,
    deliveries,
    duties,
    grants,
    invites,
    notices,
    platforms,
    push,
    renewal,
    thumbnails,
    uploads,
)
from socials.images import due as photos_due
from socials.images import linked
from socials.images import pick as photos
from socials.models import Connection
from socials.outbox import DELIVER
from socials.sync import engine, planner, retention
from socials.sync import rescue as rescuing
from socials.sync.turn import stopping, turn
from talent.queue import later


def sync_due(platform: str = "") -> None:
    """Bring due accounts up to date. The name of a platform tells why it was called, no more.

    A wake-up that finds the cluster's loops at work ends at once: they look at the rows themselves.
    """
    while engine.work_is_due():
        with turn() as mine:
            if not mine:
                return
            remains = engine.Loop(stopping=stopping, freshen=renewal.freshen).run()
        # Look once more after giving up the turn: a wake-up that came just before found it taken.
        if remains:
            if not stopping():
                later("socials.tasks.sync_due", platform)
            return


def plan_refreshes() -> None:
    """Queue the accounts that are due for a refresh."""
    for name in platforms.synced():
        if planner.queue_due(name):
            later("socials.tasks.sync_due", name)


def rescue_lost() -> None:
    """Take back what lost workers held, and what a clock that went back would keep waiting."""
    if rescuing.rescue_expired() + Connection.objects.all().leave_the_future():
        later("socials.tasks.sync_due", "")


def forget_old_runs() -> None:
    """Delete run records that are past their time."""
    retention.forget_old_runs()


def forget_stale_data() -> None:
    """Delete what platforms' APIs told and was not read again in the time that their terms give."""
    retention.forget_stale_data()


def refresh_grants() -> None:
    """Refresh the grants that are near their end."""
    renewal.refresh_due()


def renew_push() -> None:
    """Keep YouTube's hub sending us the news of every channel."""
    push.renew()


def revoke_given_up() -> None:
    """Give grants of deleted accounts back to their platforms."""
    grants.revoke_given_up()


def forget_unanswered() -> None:
    """Give back the grants that no talent confirmed in time, and forget what is past its time."""
    authorisation.forget_unanswered()
    duties.forget_heard()


def send_notices() -> None:
    """Tell staff which permissions end soon, and which have ended."""
    notices.send()


def send_invite(invite_id: int) -> None:
    """E-mail a link to a talent."""
    invites.send(invite_id)


def deliver_webhooks() -> None:
    """Send the webhook messages that are due."""
    if deliveries.deliver_due():
        later(DELIVER)


def send_webhook_notice(webhook_id: int) -> None:
    """E-mail the managers that a webhook was switched off."""
    deliveries.send_notice(webhook_id)


def watch() -> None:
    """Tell people of troubles that last."""
    alarms.watch()


def forget_old_deliveries() -> None:
    """Delete webhook messages that are past their time."""
    deliveries.forget_old()


def refresh_photos(talent_ids: Sequence[int], *, force: bool = False) -> None:
    """Look at the pictures of these talents' accounts; ``force``: also those just looked at."""
    for _ in photos.refresh_many(talent_ids, force=force):
        pass


def refresh_all_photos() -> None:
    """The daily round: those whose photo was not looked at for longest, a job for each part."""
    photos_due.refresh_later(photos_due.due())
    for talent_id in linked.due():
        later("socials.tasks.keep_linked_avatar", talent_id)


def keep_thumbnails(talent_id: int) -> None:
    """Fetch the pictures of a talent's newest and best posts."""
    thumbnails.keep(talent_id)


def keep_linked_avatar(talent_id: int) -> None:
    """Copy the avatar of a talent's linked user."""
    linked.keep(talent_id)


def sweep_photos() -> None:
    """Delete kept photos that nothing uses any more."""
    photos.sweep()


def sweep_thumbnails() -> None:
    """Delete pictures of posts that nothing uses any more."""
    thumbnails.sweep()


def work_on_batch(batch_id: int) -> None:
    """Go on with work that staff asked for on many talents."""
    if batches.work_on(batch_id):
        later(batches.WORK, batch_id)


def tend_batches() -> None:
    """Settle batches that have ended, and pick up what a lost worker left."""
    batches.tend()


def work_on_import(import_id: int) -> None:
    """Check an uploaded roster, or import one that was confirmed."""
    uploads.work_on(import_id)


def tend_imports() -> None:
    """Pick up uploads that a lost worker left, and forget old ones."""
    uploads.tend()
