"""How long answers took, counted in memory by name and outcome until somebody writes it down."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds; what took longer is counted beyond the last."""

Key = tuple[str, str, str]
"""What was timed (``call``, ``request``), of whom, and its outcome: few different ones."""


@dataclass(slots=True)
class Tally:
    """How many fell within each bound (the last: beyond all), and their seconds together."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class Stopwatch:
    """One for each process; its threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tallies: dict[Key, Tally] = defaultdict(Tally)

    def note(self, kind: str, name: str, outcome: str, seconds: float) -> None:
        with self._lock:
            tally = self._tallies[(kind, name, outcome)]
            tally.counts[bisect_left(BOUNDS, seconds)] += 1
            tally.seconds += seconds

    def take(self) -> Mapping[Key, Tally]:
        """What was noted since the last time."""
        with self._lock:
            taken, self._tallies = self._tallies, defaultdict(Tally)
        return taken

    def put_back(self, tallies: Mapping[Key, Tally]) -> None:
        """They could not be written down: the next time takes them along."""
        with self._lock:
            for key, told in tallies.items():
                tally = self._tallies[key]
                tally.counts = [a + b for a, b in zip(tally.counts, told.counts, strict=True)]
                tally.seconds += told.seconds


stopwatch = Stopwatch()


def outcome_of(status: int) -> str:
    """``2xx`` and its like; ``none`` where no answer came."""
    return f"{status // 100}xx" if 100 <= status < 600 else "none"
