"""The sandbox's ids: they look like nothing and lead back to their handles, so that a sandbox which
was started anew knows every channel that an earlier one told of.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from threading import Lock

KEPT_NAMES = 100_000

_SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789._-/"
_LONGEST = 24
_CHANNEL_BITS, VIDEO_BITS = 132, 64
# Odd numbers, so that multiplying can be undone: ids that look like nothing, and lead back.
_CHANNEL_MIX = int.from_bytes(hashlib.sha256(b"channel").digest()[:16]) | 1
_VIDEO_MIX = int.from_bytes(hashlib.sha256(b"video").digest()[:8]) | 1


class _Names:
    """Handles by numbers that they do not follow from, as long as the sandbox stands."""

    def __init__(self) -> None:
        self._names: OrderedDict[int, str] = OrderedDict()
        self._lock = Lock()

    def keep(self, number: int, name: str) -> None:
        with self._lock:
            self._names[number] = name
            self._names.move_to_end(number)
            while len(self._names) > KEPT_NAMES:
                self._names.popitem(last=False)

    def find(self, number: int) -> str | None:
        return self._names.get(number)


names = _Names()


def channel_id(handle: str) -> str:
    """UC and 22 signs: a short plain handle mixed up, or a hash that is remembered."""
    handle = handle.lower()
    number = 0
    if len(handle) <= _LONGEST and all(sign in _SIGNS for sign in handle):
        for sign in reversed(handle):
            number = number * (len(_SIGNS) + 1) + _SIGNS.index(sign) + 1
        number = number * 2 + 1
    else:
        number = int.from_bytes(hashlib.sha256(handle.encode()).digest()[:16]) * 2
        names.keep(number, handle)
    mixed = number * _CHANNEL_MIX % 2**_CHANNEL_BITS
    text = base64.urlsafe_b64encode((mixed << 4).to_bytes(17)).decode()
    return f"UC{text[:22]}"


def handle_of(wanted: str) -> str | None:
    """Whose channel this id names; None for an id that no channel here has."""
    try:
        mixed = int.from_bytes(base64.urlsafe_b64decode(f"{wanted[2:]}A=")) >> 4
    except ValueError:
        return None
    number = mixed * pow(_CHANNEL_MIX, -1, 2**_CHANNEL_BITS) % 2**_CHANNEL_BITS
    if number % 2 == 0:
        return names.find(number)
    number //= 2
    signs: list[str] = []
    while number and len(signs) <= _LONGEST:
        number, rest = divmod(number, len(_SIGNS) + 1)
        if not rest:
            return None
        signs.append(_SIGNS[rest - 1])
    return None if number else "".join(signs) or None


def video_id(number: int) -> str:
    """Eleven signs for a number of 64 bits: its channel's 48, and the place of the video in it."""
    mixed = number * _VIDEO_MIX % 2**VIDEO_BITS
    return base64.urlsafe_b64encode(mixed.to_bytes(8)).decode().rstrip("=")


def video_number(wanted: str) -> int | None:
    """The number that an id stands for; None for what is no id."""
    try:
        mixed = int.from_bytes(base64.urlsafe_b64decode(f"{wanted}="))
    except ValueError:
        return None
    number: int = mixed * pow(_VIDEO_MIX, -1, 2**VIDEO_BITS) % 2**VIDEO_BITS
    return number
