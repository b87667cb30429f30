"""When a failed attempt is made again, and when a person must act."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from scraping.errors import Blocked, Failure, PlatformUnavailable, ReauthRequired
from socials.models.moves import max_attempts
from socials.sync.reading import Held

OUTAGE_PATIENCE: Final = timedelta(hours=1)
"""A row that has waited so long for a platform to come back says so with an error."""

LONGEST_WAIT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a failed attempt."""

    retry_at: datetime | timedelta | None
    """A moment, or so long from now; None: it is an ERROR."""
    counted: bool = True
    """False for a snooze, which costs no attempt."""
    doubts: int | None = None
    """Refusals of the grant in a row, where this was one."""


def snooze(held: Held, failure: Failure, until: datetime) -> Next:
    """Wait for the end of a limit or an outage, at no cost of attempts."""
    row = held.row
    began = row.started_at or row.updated_at
    waited = began - (row.requested_at or began)
    if isinstance(failure, PlatformUnavailable) and waited > OUTAGE_PATIENCE:
        return Next(None)
    return Next(min(until, began + LONGEST_WAIT), counted=False)


def after(held: Held, failure: Failure) -> Next:
    """Try again where that can help, else say what a person must do."""
    delay = _delay(held.row.attempt + 1)
    if isinstance(failure, ReauthRequired) and not held.row.reauth_doubts:
        return Next(delay, counted=False, doubts=1)
    again = failure.later and not isinstance(failure, Blocked)
    if again and held.row.attempt < max_attempts():
        return Next(ahead(failure.retry_at, by=delay) or delay)
    return Next(None)


def ahead(end: datetime | None, *, by: timedelta = timedelta()) -> datetime | None:
    """A limit's end, unless it is over already: who says "now" would be asked without end."""
    return end if end is not None and end > timezone.now() + by else None


def _delay(attempt: int) -> timedelta:
    """How long before this attempt, with a little jitter, so that herds disperse."""
    delays = settings.SYNC_RETRY_DELAYS
    seconds = delays[min(attempt, len(delays)) - 1]
    return timedelta(seconds=seconds * random.uniform(0.95, 1.0))  # noqa: S311  no secret
