"""A board in memory that a cluster's processes share: who is alive, who is busy, with how much.

The guard makes it before it forks, so everybody below has the same one. Times are monotonic.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from dataclasses import dataclass

SLOTS = 1024
_SLOT = struct.Struct("<qdq")  # pid, since when it is busy (negative: idle since), rows in hand
_BEAT = struct.Struct("<d")


@dataclass(frozen=True, slots=True)
class Place:
    """One worker as it stands on the board."""

    pid: int
    busy: bool
    since: float
    rows: int


class Board:
    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _BEAT.size + SLOTS * _SLOT.size)

    def clear(self) -> None:
        self._memory[:] = bytes(len(self._memory))

    def beat(self) -> None:
        """The sentinel lives."""
        _BEAT.pack_into(self._memory, 0, time.monotonic())

    @property
    def beaten_at(self) -> float:
        value: float = _BEAT.unpack_from(self._memory, 0)[0]
        return value

    def write(self, *, busy: bool, rows: int = 0) -> None:
        """This process is a worker, and busy or not."""
        now = time.monotonic()
        _SLOT.pack_into(
            self._memory, self._at(os.getpid()), os.getpid(), now if busy else -now, rows
        )

    def hold(self, rows: int) -> None:
        """This worker has so many rows in hand."""
        pid, since, _ = _SLOT.unpack_from(self._memory, self._at(os.getpid()))
        if pid == os.getpid():
            _SLOT.pack_into(self._memory, self._at(pid), pid, since, rows)

    def places(self) -> list[Place]:
        slots = (
            _SLOT.unpack_from(self._memory, _BEAT.size + number * _SLOT.size)
            for number in range(SLOTS)
        )
        return [Place(pid, since > 0, abs(since), rows) for pid, since, rows in slots if pid]

    @staticmethod
    def _at(pid: int) -> int:
        return _BEAT.size + pid % SLOTS * _SLOT.size


board = Board()
