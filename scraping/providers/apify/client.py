"""Apify's API in the few calls that a scrape needs, none of which can start a run twice unknowingly.

Reference: https://docs.apify.com/api/v2
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import Any

from scraping.errors import (
    BadResponse,
    Failure,
    Internal,
    NotConfigured,
    PlatformUnavailable,
    QuotaExhausted,
    RateLimited,
)
from scraping.http import Reply, Unsent
from scraping.providers.base import Outside
from scraping.wire import Fields, plain_word

SOURCE = "apify"
TERMINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"})
LOOK_UPS = 2
TOLERANCE = timedelta(seconds=5)
DOUBT_LASTS = timedelta(minutes=10)
MOST_DOUBTS = 100
EMPTY_PAGES = 3
"""So many pages without an item, one after another, are the dataset's end, whatever it says."""
MOST_USD = 10_000
"""A run that is said to cost more is not believed."""

NO_MONEY = frozenset(
    {
        "not-enough-usage-to-run-paid-actor",
        "actor-memory-limit-exceeded",
        "concurrent-runs-limit-exceeded",
        "x402-payment-required",
        "platform-feature-disabled",
    }
)
"""Error types that mean money or capacity, whatever status they come with."""


@dataclass(frozen=True, slots=True)
class Run:
    """An actor's run as Apify tells it. ``cost_usd`` settles some seconds after the end."""

    id: str
    status: str
    dataset_id: str
    input_store_id: str
    message: str
    started_at: datetime | None
    finished_at: datetime | None
    cost_usd: Decimal | None

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


class Doubts:
    """Starts of which nobody could say whether they began a run: what this process remembers."""

    def __init__(self) -> None:
        self._sent_at: dict[str, datetime] = {}
        self._lock = Lock()

    def note(self, actor: str, body: Mapping[str, Any], sent_at: datetime) -> None:
        with self._lock:
            while len(self._sent_at) >= MOST_DOUBTS:
                self._sent_at.pop(next(iter(self._sent_at)))
            self._sent_at[self._key(actor, body)] = sent_at

    def of(self, actor: str, body: Mapping[str, Any]) -> datetime | None:
        return self._sent_at.get(self._key(actor, body))

    def settle(self, actor: str, body: Mapping[str, Any]) -> None:
        with self._lock:
            self._sent_at.pop(self._key(actor, body), None)

    def _key(self, actor: str, body: Mapping[str, Any]) -> str:
        return f"{actor} {json.dumps(body, sort_keys=True)}"


doubts = Doubts()


class Apify:
    """One account at Apify, for one scrape: every call ends by ``until`` (monotonic seconds)."""

    def __init__(self, platform: str, context: Outside, until: float) -> None:
        self.platform = platform
        self.context = context
        self.until = until
        self._base = context.settings["APIFY_API_URL"].rstrip("/") + "/v2"

    @property
    def seconds_left(self) -> float:
        return self.until - time.monotonic()

    def start(self, actor: str, body: Mapping[str, Any], *, most_items: int) -> Run:
        """Start a run. After an answer that leaves open whether one began, it is looked up.

        Raises Failure.
        """
        started = self._begun_in_doubt(actor, body)
        if started is not None:
            return started
        sent_at = self.context.clock()
        try:
            reply = self._call(
                "POST",
                f"acts/{actor}/runs",
                {
                    "timeout": str(max(int(self.seconds_left), 1)),
                    "maxItems": str(max(most_items, 1)),
                },
                body,
            )
            return self._run(reply)
        except Unsent:
            raise
        except (PlatformUnavailable, BadResponse) as unclear:
            try:
                found = self._look_up(actor, body, sent_at)
            except Failure:
                doubts.note(actor, body, sent_at)
                raise unclear from None
            if found is None:
                raise unclear from None
            return found

    def _begun_in_doubt(self, actor: str, body: Mapping[str, Any]) -> Run | None:
        """The run that an earlier attempt may have begun and could not find. Raises Failure."""
        sent_at = doubts.of(actor, body)
        if sent_at is None or self.context.clock() - sent_at > DOUBT_LASTS:
            doubts.settle(actor, body)
            return None
        found = self._look_up(actor, body, sent_at)
        doubts.settle(actor, body)
        return found

    def run(self, run_id: str) -> Run:
        """A run as it stands. Raises Failure."""
        return self._run(self._call("GET", f"actor-runs/{run_id}", {}))

    def wait(self, run: Run) -> Run:
        """Follow the run until it has ended or our time is over; a poll that fails is repeated."""
        pause = 0.2
        while not run.ended and self.seconds_left > 0.5:
            asked_at = time.monotonic()
            try:
                reply = self._call(
                    "GET", f"actor-runs/{run.id}", {"waitForFinish": str(self._patience())}
                )
                run = self._run(reply)
            except (PlatformUnavailable, RateLimited, BadResponse):
                if self.seconds_left < 2 * pause:
                    raise
            if not run.ended and time.monotonic() - asked_at < pause:
                time.sleep(min(pause, max(self.seconds_left, 0)))
                pause = min(pause * 2, 2.0)
        return run

    def items(self, dataset_id: str, *, page: int, most: int) -> Iterator[Any]:
        """The dataset's items, page by page. Raises Failure.

        ``clean`` leaves out empty ones, so a short page is not the last: the header tells.
        """
        offset = seen = empty = 0
        while seen < most and empty < EMPTY_PAGES:
            if self.seconds_left <= 0:
                raise PlatformUnavailable(
                    "the dataset was not read in time", platform=self.platform, source=SOURCE
                )
            reply = self._twice(
                f"datasets/{dataset_id}/items",
                {"format": "json", "clean": "true", "offset": str(offset), "limit": str(page)},
            )
            items = reply.json()
            if not isinstance(items, list):
                raise BadResponse(
                    "the dataset's items should be a list", platform=self.platform,
                    source=SOURCE, field="items",
                )  # fmt: skip
            yield from items
            seen += len(items)
            empty = 0 if items else empty + 1
            total = _header_number(reply, "x-apify-pagination-total")
            offset += max(min(page, _header_number(reply, "x-apify-pagination-limit") or page), len(items), 1)  # fmt: skip
            if (offset >= total) if total is not None else (len(items) < page):
                return

    def abort(self, run: Run) -> Run:
        """Stop the run, so that it costs no more. Best effort; whatever it says, we go on."""
        try:
            return self._run(self._call("POST", f"actor-runs/{run.id}/abort", {}))
        except Failure:
            return run

    def _look_up(self, actor: str, body: Mapping[str, Any], sent_at: datetime) -> Run | None:
        """The run that our unanswered request began, if it did; None when there is none.

        Raises Failure when nobody answers that.
        """
        silence: Failure | None = None
        answered = False
        for attempt in range(LOOK_UPS):
            time.sleep(min(0.4 * attempt, max(self.seconds_left, 0)))
            try:
                reply = self._call("GET", f"acts/{actor}/runs", {"desc": "1", "limit": "10"})
            except (PlatformUnavailable, RateLimited, BadResponse) as failure:
                silence = failure
                continue
            answered = True
            now = self.context.clock()
            sent_there = sent_at + ((reply.date or now) - now)  # by Apify's clock
            listing = self._fields(reply).child("data")
            for item in listing.children("items") if listing else ():
                run = self._read_run(item)
                young = run.started_at is not None and run.started_at >= sent_there - TOLERANCE
                if young and self._has_input(run.input_store_id, body):
                    return run
        if silence is not None and not answered:
            raise silence
        return None

    def _has_input(self, store_id: str, body: Mapping[str, Any]) -> bool:
        """Whether a run was given this input: another worker may have begun one just now, too."""
        if not store_id:
            return True
        try:
            reply = self._call("GET", f"key-value-stores/{store_id}/records/INPUT", {})
            return bool(reply.json() == body)
        except Failure:
            return True

    def _patience(self) -> int:
        """Seconds that Apify may hold a poll: within our read time-out, and 60 at most."""
        return max(min(60, int(self.context.http.limits.read_seconds - 2), int(self.seconds_left)), 0)  # fmt: skip

    def _twice(self, path: str, params: Mapping[str, str]) -> Reply:
        try:
            return self._call("GET", path, params)
        except PlatformUnavailable:
            return self._call("GET", path, params)

    def _call(self, method: str, path: str, params: Mapping[str, str], body: Any = None) -> Reply:
        self.context.meter.call()
        reply = self.context.http.request(
            method,
            f"{self._base}/{path}",
            platform=self.platform,
            params=params,
            headers={"Authorization": f"Bearer {self.context.settings['APIFY_TOKEN']}"},
            json=body,
        )
        if not reply.ok:
            starting = method == "POST" and path.endswith("/runs")
            raise failure_of(reply, self.platform, self.context.clock(), starting=starting)
        return reply

    def _fields(self, reply: Reply) -> Fields:
        return Fields(reply.json(), platform=self.platform, source=SOURCE)

    def _run(self, reply: Reply) -> Run:
        data = self._fields(reply).child("data")
        if data is None:
            raise BadResponse(
                "the answer names no run", platform=self.platform, source=SOURCE, field="data"
            )
        return self._read_run(data)

    def _read_run(self, data: Fields) -> Run:
        return Run(
            id=data.need("id"),
            status=(data.text("status") or "READY").upper(),
            dataset_id=data.ident("defaultDatasetId") or "",
            input_store_id=data.ident("defaultKeyValueStoreId") or "",
            message=(data.text("statusMessage") or "")[:300],
            started_at=data.time("startedAt"),
            finished_at=data.time("finishedAt"),
            cost_usd=_cost(data),
        )


def _cost(data: Fields) -> Decimal | None:
    """What the run cost so far; None where that makes no sense: its items are paid for all the same."""
    try:
        cost = data.number("usageTotalUsd")
    except BadResponse:
        return None
    if cost is None or not 0 <= cost < MOST_USD:
        return None
    return Decimal(str(round(cost, 5)))


def failure_of(reply: Reply, platform: str, now: datetime, *, starting: bool) -> Failure:
    """What an error answer means.

    Reference: https://docs.apify.com/api/v2#errors
    """
    kind = _error_type(reply)
    said = f"Apify answered HTTP {reply.status}" + (f" ({kind})" if kind else "")
    where: dict[str, Any] = {"platform": platform, "source": SOURCE}
    if reply.status == 401:
        return NotConfigured(
            "Apify refuses the token: set a valid APIFY_TOKEN.", setting="APIFY_TOKEN", **where
        )
    if reply.status == 402 or kind in NO_MONEY:
        return QuotaExhausted(
            f"{said}: the Apify plan's allowance or capacity is used up.", **where
        )
    if reply.status == 403:
        return NotConfigured(
            f"{said}: the Apify account may not run this actor. Check APIFY_TOKEN and its plan.",
            setting="APIFY_TOKEN",
            **where,
        )
    if reply.status == 404 and starting:
        return NotConfigured(
            f"{said}: check the name in APIFY_{platform}_ACTOR, like user~actor.",
            setting=f"APIFY_{platform}_ACTOR",
            **where,
        )
    if reply.status == 429:
        return RateLimited(f"{said}.", retry_at=reply.retry_at(now), **where)
    if reply.status == 408 or reply.status >= 500:
        return PlatformUnavailable(f"{said}.", retry_at=reply.retry_at(now), **where)
    if reply.status in {400, 405, 413, 415}:
        return Internal(f"{said}: the request was refused.", **where)
    return BadResponse(f"{said}.", field="status", **where)


def _error_type(reply: Reply) -> str:
    try:
        error = Fields(reply.json(), platform="").child("error")
        kind = error.text("type") if error else None
    except BadResponse:
        return ""
    return plain_word(kind or "")


def _header_number(reply: Reply, name: str) -> int | None:
    value = reply.headers.get(name, "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None
