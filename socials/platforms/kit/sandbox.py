"""What every sandbox platform shares: requests and answers, moods, and the people who live there.

A handle's beginning is its mood (``flaky…``, ``private…``, see the contract); any other handle is a
plausible account whose numbers follow from the handle and the clock alone, and grow with time.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Request:
    """One request below a platform's prefix. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    base_url: str = ""
    """Scheme, host and prefix under which this platform is served."""
    origin: str = ""
    """Scheme and host of the whole sandbox (images are under ``/cdn``)."""

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}

    def json(self) -> Any:
        return json.loads(self.body or b"null")

    @property
    def bearer(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0

    @classmethod
    def of(
        cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        return cls(
            status,
            json.dumps(value).encode(),
            {"Content-Type": "application/json; charset=UTF-8", **(headers or {})},
        )


Handler = Callable[[Request], Response]


class Mood(StrEnum):
    """How an account's platform behaves, by the beginning of the handle."""

    NONEXISTENT = "nonexistent"
    PRIVATE = "private"
    PERSONAL = "personal"
    FLAKY = "flaky"
    DOWN = "down"
    SLOW = "slow"
    RATELIMITED = "ratelimited"
    GARBLED = "garbled"
    NOIMAGE = "noimage"
    PLACEHOLDER = "placeholder"
    EXPIRED = "expired"
    RENAMED = "renamed"
    FINE = "fine"


def mood_of(handle: str) -> Mood:
    name = handle.lstrip("@").lower()
    return next((mood for mood in Mood if mood != Mood.FINE and name.startswith(mood)), Mood.FINE)


class Memory:
    """What a sandbox remembers while it runs: how often something was asked."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._lock = Lock()

    def times(self, key: str) -> int:
        """How often ``key`` was asked before; this time is counted."""
        with self._lock:
            seen = self._seen[key]
            self._seen[key] += 1
            return seen

    def clear(self) -> None:
        with self._lock:
            self._seen.clear()


memory = Memory()


def seed(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("|".join(parts).encode()).digest()[:8])


def three_figures(number: int) -> int:
    """As YouTube tells subscribers: cut, not rounded."""
    step = int(10 ** max(len(str(number)) - 3, 0))
    return number // step * step


@dataclass(frozen=True, slots=True)
class Item:
    """A published item of an account, ``index`` 0 being the oldest."""

    account: Account
    index: int
    posted_at: datetime

    @property
    def key(self) -> str:
        return f"{self.account.platform}|{self.account.handle}|{self.index}"

    @property
    def long_id(self) -> str:
        """19 digits that grow with the index, as TikTok numbers its videos."""
        return str(7_500_000_000_000_000_000 + self.index * 10**12 + seed(self.key) % 10**12)

    def number(self, name: str, typical_share: float, now: datetime) -> int:
        """A count that grows fast at first and then rests."""
        age_hours = max((now - self.posted_at).total_seconds() / 3600, 0.05)
        spread = 0.5 + (seed(self.key, name) % 1000) / 1000
        return int(
            self.account.followers(now) * typical_share * spread * (1 - math.exp(-age_hours / 48))
        )


@dataclass(frozen=True, slots=True)
class Account:
    """A sandbox person on one platform."""

    platform: str
    handle: str

    @property
    def number(self) -> int:
        return seed(self.platform, self.handle.lower())

    @property
    def mood(self) -> Mood:
        return mood_of(self.handle)

    @property
    def display_name(self) -> str:
        words = self.handle.replace("_", " ").replace(".", " ").replace("-", " ").split()
        return " ".join(word.capitalize() for word in words) or self.handle

    @property
    def bio(self) -> str:
        lines = (
            "Food and travel",
            "Slow mornings, long runs",
            "Music, maps and coffee",
            "Making things by hand",
        )
        return f"{lines[self.number % len(lines)]} · bookings through the agency"

    def followers(self, now: datetime) -> int:
        base = int(10 ** (3.2 + (self.number % 2900) / 1000))
        hours = (now - EPOCH).total_seconds() / 3600
        return int(base * (1 + 0.00004 * hours) + hours * (1 + self.number % 7))

    def following(self, now: datetime) -> int:
        return 80 + self.number % 900

    @property
    def hours_between_posts(self) -> int:
        return 9 + self.number % 60

    def total_posts(self, now: datetime) -> int:
        return (
            40 + self.number % 400 + int((now - EPOCH) / timedelta(hours=self.hours_between_posts))
        )

    def items(self, now: datetime) -> list[Item]:
        """Newest first, at most 400: what a listing can reach."""
        total = self.total_posts(now)
        first = 40 + self.number % 400
        step = timedelta(hours=self.hours_between_posts)
        return [
            Item(
                self,
                index,
                EPOCH
                + step * (index - first)
                + timedelta(minutes=seed(self.handle, str(index)) % 300),
            )
            for index in range(total - 1, max(total - 401, -1), -1)
        ]
