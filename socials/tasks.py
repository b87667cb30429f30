"""Everything that runs in the background, by name."""

from __future__ import annotations

from socials import platforms
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
            remains = engine.Loop(stopping=stopping).run()
        # Look once more after giving up the turn: a wake-up that came just before found it taken.
        if remains:
            if not stopping():
                later("socials.tasks.sync_due", platform)
            return


def plan_refreshes() -> None:
    """Queue the accounts that are due for a refresh."""
    for name in platforms.PLATFORMS:
        if platforms.get(name).syncs and planner.queue_due(name):
            later("socials.tasks.sync_due", name)


def rescue_lost() -> None:
    """Take back what lost workers held."""
    if rescuing.rescue_expired():
        later("socials.tasks.sync_due", "")


def forget_old_runs() -> None:
    """Delete run records that are past their time."""
    retention.forget_old_runs()
