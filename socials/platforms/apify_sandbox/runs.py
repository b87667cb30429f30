"""Runs of actors, as the documented Run object, and the little that all of the sandbox shares."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Any

PRICE_PER_ROW = 0.0025
KEPT_RUNS = 500


@dataclass(slots=True)
class Run:
    id: str
    actor_id: str
    started_at: datetime
    seconds: float
    input: dict[str, Any]
    items: list[Any]
    fails: bool
    garbled: bool
    options: dict[str, Any] = field(default_factory=dict)
    aborted_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        return self.aborted_at or self.started_at + timedelta(seconds=self.seconds)

    def status(self, now: datetime) -> str:
        if self.aborted_at:
            return "ABORTED"
        if now < self.ends_at:
            return "RUNNING"
        return "FAILED" if self.fails else "SUCCEEDED"

    def shown(self, now: datetime) -> dict[str, Any]:
        """The documented Run object."""
        ended = now >= self.ends_at
        return {
            "id": self.id,
            "actId": self.actor_id,
            "userId": "7sT5jcggjjA9fNcxF",
            "startedAt": time(self.started_at),
            "finishedAt": time(self.ends_at) if ended else None,
            "status": self.status(now),
            "statusMessage": "Actor finished" if ended else "Actor is running",
            "isStatusMessageTerminal": ended,
            "meta": {"origin": "API", "clientIp": "1.2.3.4", "userAgent": "sandbox"},
            "stats": {
                "inputBodyLen": len(json.dumps(self.input)), "migrationCount": 0, "rebootCount": 0,
                "restartCount": 0, "resurrectCount": 0, "runTimeSecs": self.seconds,
                "computeUnits": 0.01,
            },
            "options": {
                "build": "latest", "timeoutSecs": 300, "memoryMbytes": 1024, "diskMbytes": 2048,
                **self.options,
            },
            "buildId": "7sT5jcggjjA9fNcxE",
            "buildNumber": "0.0.36",
            "exitCode": (1 if self.fails else 0) if ended else None,
            "generalAccess": "RESTRICTED",
            "defaultKeyValueStoreId": f"kvs{self.id}"[:17],
            "defaultDatasetId": f"dat{self.id}"[:17],
            "defaultRequestQueueId": f"req{self.id}"[:17],
            "usageTotalUsd": round(PRICE_PER_ROW * len(self.items), 5) if ended else 0.0,
            "platformUsageBillingModel": "USER",
        }  # fmt: skip


class Runs:
    """The newest runs, as long as the sandbox stands."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._lock = Lock()

    def add(self, run: Run) -> None:
        with self._lock:
            self._runs[run.id] = run
            while len(self._runs) > KEPT_RUNS:
                self._runs.popitem(last=False)

    def find(self, wanted: Callable[[Run], bool]) -> list[Run]:
        with self._lock:
            return [run for run in reversed(self._runs.values()) if wanted(run)]

    def __len__(self) -> int:
        return len(self._runs)


def stable_id(*parts: str) -> str:
    """17 letters and digits, as Apify's ids are."""
    return sha256("|".join(parts).encode()).hexdigest()[:17]


def utc_now() -> datetime:
    return datetime.now(UTC)


def time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
