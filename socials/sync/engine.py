"""The loop: claim due rows, read them in threads, store each as it arrives, until nothing is due.

One thread touches the database; it alone moves rows. The others wait on the network.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import cast

import structlog
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, reset_queries

from scraping.errors import (
    BadResponse,
    Failure,
    Internal,
    NotConfigured,
    PlatformUnavailable,
    QuotaExhausted,
    RateLimited,
)
from socials import breaker, platforms, quota
from socials.models import Connection, Priority
from socials.sync import booking, reading, rescue, retries, store, workers
from socials.sync.board import board
from socials.sync.reading import Arrived, Chunk, Finished, Held
from socials.sync.retries import Next
from socials.types import Reading

log = structlog.get_logger(__name__)

LOOP_SECONDS = 45.0
"""A loop claims for so long; then its successor takes over, so that a worker serves others too."""

READING_SECONDS = 150.0
"""A reading that takes longer is given up: its row is retried like any outage."""

DRAIN_SECONDS = 8.0
"""What a stopping worker still holds after so long is handed back."""

WAIT_FOR_DUE = timedelta(seconds=5)
"""A loop waits for rows that are due so soon: retries after 2 and 4 seconds keep their time."""

TURN_SECONDS = 0.1

RECONNECT_SECONDS = 0.5

TOGETHER = 64
"""Events that are concluded together; what was read among them is stored in one transaction."""

ROWS_AT_ONCE = 200
"""Rows of one claim: so many are stored well within a lease."""


class Loop:
    """One run of the loop in one worker process."""

    def __init__(
        self,
        *,
        stopping: Callable[[], bool] = lambda: False,
        freshen: Callable[[Sequence[int]], None] = lambda ids: None,
    ) -> None:
        self.owner = workers.me()
        self.stopping = stopping
        self.freshen = freshen
        self.inbox: SimpleQueue[Arrived | Finished] = SimpleQueue()
        self.held: dict[int, Held] = {}
        self.unasked: dict[int, Held] = {}
        """Those of the held rows that wait for their source: what a lost session interrupted."""
        self.reservations: dict[int, quota.Reservation] = {}
        self.in_flight: Counter[str] = Counter()
        self.began_at = time.monotonic()
        self.renewed_at = self.began_at
        self.platforms = platforms.synced()
        self.lane = _lane(len(self.platforms))

    def run(self) -> bool:
        """Work until nothing is due or the time is over. True when work remains."""
        # A loop of this process that broke off holds nothing any more.
        Connection.objects.all().release([self.owner])
        rescue.rescue_expired()
        while not self._over():
            if not self._turn(self._work):
                return False
        until = time.monotonic() + READING_SECONDS
        while self._busy() and time.monotonic() < until:
            if self.stopping():
                until = min(until, time.monotonic() + DRAIN_SECONDS)
            self._turn(self._wait)
        return self._turn(self._hand_back)

    def _work(self) -> bool:
        """One turn: claim, receive, keep. False when nothing is due and nothing is held."""
        if not self._claim() and not self._busy() and not self._soon():
            return False
        self._wait()
        return True

    def _wait(self) -> bool:
        self._dispatch()
        self._receive(TURN_SECONDS)
        self._keep()
        board.hold(len(self.held))
        return True

    def _hand_back(self) -> bool:
        """Give up what is still held; whether more work is due."""
        Connection.objects.all().release([self.owner])
        self.held.clear()
        self.unasked.clear()
        board.hold(0)
        return self._soon()

    def _turn(self, step: Callable[[], bool]) -> bool:
        """Take a step; where the database goes away meanwhile, wait for it with what is held."""
        since = time.monotonic()
        reset_queries()  # with DEBUG on, Django keeps what it was asked, posts and all
        while True:
            try:
                return step()
            except (OperationalError, InterfaceError) as error:
                log.warning("sync.database_away", error=type(error).__name__)
                if time.monotonic() - since > settings.SYNC_LEASE_SECONDS:
                    raise  # by now the rows are somebody else's
                connection.close()
                time.sleep(RECONNECT_SECONDS)
                step = self._after_reconnecting(step)

    def _after_reconnecting(self, step: Callable[[], bool]) -> Callable[[], bool]:
        def again() -> bool:
            # A claim whose answer was lost on the way: the rows are ours and we don't know them.
            Connection.objects.exclude(pk__in=list(self.held)).release([self.owner])
            return step()

        return again

    def _busy(self) -> bool:
        return bool(self.held or self.reservations)

    # --- claiming ---

    def _over(self) -> bool:
        return self.stopping() or time.monotonic() - self.began_at > LOOP_SECONDS

    def _claim(self) -> int:
        """Take due rows of every platform that has room. How many."""
        claimed = 0
        free = [name for name in self.platforms if self.lane > self.in_flight[name]]
        for platform in Connection.objects.all().platforms_due(free):
            batch = max((s.batch_size for s in platforms.sources(platform)), default=1)
            # A quarter of the lane is kept for people.
            for least_urgent, kept in ((Priority.PUSH, 0), (Priority.SCHEDULED, self.lane // 4)):
                room = (self.lane - kept - self.in_flight[platform]) * batch
                if room > 0:
                    rows = Connection.objects.all().claim(
                        min(room, ROWS_AT_ONCE),
                        platform=platform,
                        owner=self.owner,
                        least_urgent=least_urgent,
                    )
                    claimed += len(rows)
                    self._take(rows)
        return claimed

    def _take(self, rows: Sequence[Connection]) -> None:
        if not rows:
            return
        if worn := reading.worn_grants(rows):
            self.freshen(worn)
            reading.recall_doubts(rows, worn)
        for held in reading.prepare(rows):
            self.held[held.row.pk] = self.unasked[held.row.pk] = held
            log.info("sync.claimed", **held.names)
        self._dispatch()

    # --- asking ---

    def _dispatch(self) -> None:
        """Ask for every row that waits for it; what the database interrupts is asked later."""
        for held in [held for held in self.unasked.values() if not held.sources]:
            self._fail(held, reading.nobody_to_ask(held))
        for chunk in reading.chunks(self.unasked.values()):
            gate = breaker.enter(chunk.platform, chunk.source.name, owner=self.owner)
            if gate.until is None:
                self._afford(chunk)
                continue
            asked = 1 if gate.probe else 0
            self._wait_for(chunk.rows[asked:], gate)
            if asked:
                self._afford(Chunk(chunk.source, chunk.rows[:asked]))

    def _afford(self, chunk: Chunk) -> None:
        """Reserve the chunk's price, or of a smaller part of it; the rest waits for the reset."""
        asks = [reading.ask_for(held) for held in chunk.rows]
        answer = quota.reserve(
            chunk.platform, chunk.source.price(asks), interactive=chunk.rows[0].interactive
        )
        if isinstance(answer, quota.Reservation):
            self.reservations[id(chunk)] = answer
            self.in_flight[chunk.platform] += 1
            for held in chunk.rows:
                self.unasked.pop(held.row.pk, None)
            reading.readers().run(lambda: reading.read(chunk, self.inbox.put))
        elif len(chunk.rows) > 1:
            half = len(chunk.rows) // 2
            self._afford(Chunk(chunk.source, chunk.rows[:half]))
            self._afford(Chunk(chunk.source, chunk.rows[half:]))
        else:
            spent = QuotaExhausted(f"Today's units of {answer.bucket} are used up.")
            self._snooze(chunk.rows[0], spent, answer.until)

    def _wait_for(self, rows: Sequence[Held], gate: breaker.Gate) -> None:
        for held in rows:
            self._snooze(held, gate.failure, gate.until or held.row.updated_at)

    # --- receiving ---

    def _receive(self, seconds: float) -> None:
        """Conclude what has arrived; wait up to ``seconds`` for the first."""
        with suppress(Empty):
            events = [self.inbox.get(timeout=seconds)]
            while not self.inbox.empty() and len(events) < TOGETHER:
                events.append(self.inbox.get_nowait())
            self._take_in(events)

    def _take_in(self, events: Sequence[Arrived | Finished]) -> None:
        """Store together what was read, then conclude the rest one by one."""
        read: list[Arrived] = []
        rest: deque[Arrived | Finished] = deque()
        for event in events:
            if isinstance(event, Arrived) and isinstance(event.outcome, Reading):
                read.append(event)
            else:
                rest.append(event)
        try:
            self._save(read)
            read = []
            while rest:
                self._take_note(rest[0])
                rest.popleft()
        except (OperationalError, InterfaceError):
            for event in (*read, *rest):
                self.inbox.put(event)  # nothing of it is stored: it is not lost
            raise

    def _take_note(self, event: Arrived | Finished) -> None:
        if isinstance(event, Finished):
            self._settle(event.chunk)
        elif self._holds(event.held):
            self._failed(event.held, cast("Failure", event.outcome), event.chunk.source.name)
        else:
            self._late(event.held)

    def _holds(self, held: Held) -> bool:
        """False for one that was given up or lost meanwhile: its thread came back after all."""
        return self.held.get(held.row.pk) is held

    def _save(self, read: Sequence[Arrived]) -> None:
        brought = []
        for event in read:
            if self._holds(event.held):
                brought.append((event.held, cast("Reading", event.outcome)))
            elif not event.held.stored:
                self._late(event.held)
        for platform, source in sorted({(e.chunk.platform, e.chunk.source.name) for e in read}):
            booking.came_back(platform, source)
        for (held, result), fate in zip(brought, store.save(brought), strict=True):
            self._saved(held, result, fate)

    def _saved(self, held: Held, result: Reading, fate: store.Fate) -> None:
        if isinstance(fate, store.Late):
            self._late(held)
        elif isinstance(fate, Failure):
            self._fail(held, fate)
        elif isinstance(fate, Exception):
            log.error("sync.defect", **held.names, source=result.source, exc_info=fate)
            self._fail(held, Internal(f"{type(fate).__name__} while storing; the log has more."))
        else:
            held.stored = True
            self._let_go(held)
            log.info(
                "sync.ready", **held.names, source=result.source, posts=len(result.posts),
                posts_new=fate.posts_new, partial=fate.partial,
            )  # fmt: skip

    def _failed(self, held: Held, failure: Failure, source: str) -> None:
        platform = held.row.platform
        down_until = None
        if isinstance(failure, PlatformUnavailable):
            down_until = breaker.failed(platform, source, held.row.pk, failure.code)
        elif not isinstance(failure, (Internal, BadResponse, NotConfigured)):
            booking.came_back(platform, source)
        if isinstance(failure, (RateLimited, QuotaExhausted)):
            self._limited(held, failure, source)
        elif down_until is not None:
            self._snooze(held, failure, down_until)
        elif reading.next_source(held, failure):
            self.unasked[held.row.pk] = held
        else:
            self._fail(held, reading.verdict(held.failures))

    def _limited(self, held: Held, failure: Failure, source: str) -> None:
        """A limit with a known end snoozes its row, and the whole source where it is shared."""
        until = retries.ahead(failure.retry_at)
        if isinstance(failure, QuotaExhausted) and failure.bucket and until is None:
            until = quota.exhaust(held.row.platform, failure.bucket)
        if until is not None and failure.bucket:
            breaker.block(held.row.platform, source, until, failure.code)
        if until is None:
            self._fail(held, failure)
        else:
            self._snooze(held, failure, until)

    # --- concluding ---

    def _snooze(self, held: Held, failure: Failure, until: datetime) -> None:
        self._conclude(held, failure, retries.snooze(held, failure, until))

    def _fail(self, held: Held, failure: Failure) -> None:
        turn = retries.after(held, failure)
        if turn.doubts:
            reading.wear_out(held)
        self._conclude(held, failure, turn)

    def _conclude(self, held: Held, failure: Failure, turn: Next) -> None:
        try:
            store.save_failure(
                held, failure,
                retry_at=turn.retry_at, counted=turn.counted, reauth_doubts=turn.doubts,
            )  # fmt: skip
        except store.Late:
            self._late(held)
            return
        self._let_go(held)
        log.info(
            "sync.failed" if turn.retry_at is None
            else "sync.retry" if turn.counted
            else "sync.snoozed",
            **held.names, code=failure.code, detail=failure.detail,
        )  # fmt: skip

    def _late(self, held: Held) -> None:
        self._let_go(held)
        try:
            store.write_superseded(held)
        except IntegrityError:
            pass  # deleted in this very moment: there is nothing left to record it on
        log.info("sync.superseded", **held.names)

    def _let_go(self, held: Held) -> None:
        if self.held.get(held.row.pk) is held:
            del self.held[held.row.pk]
            self.unasked.pop(held.row.pk, None)

    def _settle(self, chunk: Chunk) -> None:
        booking.settle(self.reservations[id(chunk)], chunk)
        del self.reservations[id(chunk)]
        self.in_flight[chunk.platform] -= 1

    # --- keeping ---

    def _keep(self) -> None:
        """Renew leases in time, and give up readings that take too long."""
        now = time.monotonic()
        for held in list(self.held.values()):
            if held.began_at is not None and now - held.began_at > READING_SECONDS:
                self._fail(held, PlatformUnavailable("the reading took too long"))
        if now - self.renewed_at < settings.SYNC_LEASE_SECONDS / 3:
            return
        self.renewed_at = now
        still = Connection.objects.all().renew(list(self.held), owner=self.owner)
        for held in list(self.held.values()):
            if held.row.pk not in still:
                self._late(held)

    def _soon(self) -> bool:
        return Connection.objects.filter(platform__in=self.platforms).soon(WAIT_FOR_DUE).exists()


def _lane(among: int) -> int:
    """Chunks of one of so many platforms that may be in flight: each keeps a share of the threads
    to itself, so that one which hangs can't starve the others.
    """
    kept = settings.SYNC_CONCURRENCY // (among + 1)
    return max(1, int(settings.SYNC_CONCURRENCY - (among - 1) * kept))


def work_is_due() -> bool:
    """Whether a row is due, held by a lost worker, or due within the next few seconds."""
    rows = Connection.objects.all()
    return rows.soon(WAIT_FOR_DUE).exists() or rows.expired().exists()
