"""What the rows of every actor share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from socials.platforms.kit.sandbox import Account, Item, Mood, memory


def newest(account: Account, limit: int, now: datetime) -> Iterable[Item]:
    return islice((item for item in account.items(now) if item.posted_at <= now), limit)


def shown_handle(account: Account) -> str:
    return f"{account.handle}.now" if account.mood == Mood.RENAMED else account.handle


def lost(account: Account) -> bool:
    """Accounts that a run silently drops: two times of a flaky one, always of one that is down."""
    match account.mood:
        case Mood.FLAKY:
            return memory.times(f"apify|{account.platform}|{account.handle}") < 2
        case Mood.DOWN | Mood.RATELIMITED:
            return True
    return False
