"""What a reading cost and what it noticed: calls, units, limits told by headers, unknown fields."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from threading import Lock

MOST_DRIFT = 200
"""Different unknown paths that one meter keeps: a hostile answer could invent millions."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a platform's header tells of a limit: percent used, and when it ends if known."""

    bucket: str
    percent: int
    blocked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunReport:
    """One paid run at a provider, as it ended. ``outcome``: succeeded, partial or failed."""

    provider: str
    platform: str
    actor: str
    started_at: datetime
    finished_at: datetime
    outcome: str
    provider_run_id: str = ""
    handles_asked: int = 0
    handles_delivered: int = 0
    items: int = 0
    cost_usd: Decimal | None = None
    error_code: str = ""
    message: str = ""


@dataclass(slots=True)
class Meter:
    """Filled by adapters in threads, read by the engine afterwards."""

    calls: int = 0
    units: Counter[str] = field(default_factory=Counter)
    """Units spent by bucket name (``youtube.units``, ``youtube.stats``)."""
    usages: list[Usage] = field(default_factory=list)
    drift: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(source, dotted path) of fields and shapes that no parser knows, with how often."""
    cost_usd: float = 0.0
    runs: list[RunReport] = field(default_factory=list)
    """Paid runs that have ended; ``scraping.ledger.record`` writes them down."""
    lock: Lock = field(default_factory=Lock, repr=False)

    def call(self, bucket: str = "", units: int = 0) -> None:
        """Count one request, and what it spends of ``bucket``, before it is sent."""
        with self.lock:
            self.calls += 1
            if bucket:
                self.units[bucket] += units

    def observe(self, usage: Usage) -> None:
        with self.lock:
            self.usages.append(usage)

    def unknown(self, source: str, path: str) -> None:
        path = "".join(sign for sign in path if sign.isprintable())[:200]
        with self.lock:
            if (source, path) in self.drift or len(self.drift) < MOST_DRIFT:
                self.drift[(source, path)] += 1

    def report(self, run: RunReport) -> None:
        """Keep a paid run and add what it cost."""
        with self.lock:
            self.runs.append(run)
            self.cost_usd += float(run.cost_usd or 0)
