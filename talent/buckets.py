"""How often one client may ask: token buckets in the memory of each web process, by whom they are for."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from threading import Lock
from typing import Any

from django.conf import settings

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


def address_of(request: Any) -> str:
    """Whom a request comes from: of the addresses told, the one that our own proxy has seen.

    ``PROXY_COUNT`` of them are ours. What a client puts in front of X-Forwarded-For counts for
    nothing.
    """
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies: int = settings.PROXY_COUNT
    nearest: str = request.META.get("REMOTE_ADDR", "")
    if proxies and told != [""]:
        nearest = told[-min(proxies, len(told))].strip()
    try:
        return str(ipaddress.ip_address(nearest))
    except ValueError:
        return str(request.META.get("REMOTE_ADDR", ""))
