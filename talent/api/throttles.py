"""How often one client may ask: a token bucket per person and per address, in each web process."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

KEYS_KEPT = 10_000


class Buckets:
    """Full at first; each request takes one drop; drops come back evenly over a minute.

    Memory of this process: a poll costs no query. With n web processes a client may get n times
    the rate, which is still a bound.
    """

    def __init__(self) -> None:
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: str, per_minute: int, now: float) -> float:
        """Seconds to wait until a drop is there; 0 when one was taken."""
        with self._lock:
            level, then = self._levels.pop(key, (float(per_minute), now))
            level = min(per_minute, level + (now - then) * per_minute / 60)
            wait = 0.0 if level >= 1 else (1 - level) * 60 / per_minute
            self._levels[key] = (level - 1 if not wait else level, now)
            if len(self._levels) > KEYS_KEPT:
                self._levels.popitem(last=False)
            return wait

    def clear(self) -> None:
        with self._lock:
            self._levels.clear()


BUCKETS = Buckets()


class PerClient(BaseThrottle):
    """By token or user when somebody is signed in, else by address."""

    _wait = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        key, per_minute = self._bucket(request)
        self._wait = BUCKETS.take(key, per_minute, time.monotonic())
        return not self._wait

    def wait(self) -> float:
        return self._wait

    def _bucket(self, request: Request) -> tuple[str, int]:
        if request.auth is not None:
            return f"token:{request.auth.pk}", settings.API_REQUESTS_PER_MINUTE
        if request.user.is_authenticated:
            return f"user:{request.user.pk}", settings.API_REQUESTS_PER_MINUTE
        return f"address:{self.get_ident(request)}", settings.API_ANONYMOUS_REQUESTS_PER_MINUTE


class PerAddress(PerClient):
    """For requests whose credentials were refused: nobody is signed in, so the address counts."""

    def _bucket(self, request: Request) -> tuple[str, int]:
        return f"address:{self.get_ident(request)}", settings.API_ANONYMOUS_REQUESTS_PER_MINUTE
