"""The process above a worker cluster: it starts it, watches it, and starts it again when it broke.

django-q2 can stand still for ever when one of its processes is killed, because that one may have
held a lock of the queues that all share. So a cluster is kept whole or not at all: when any of its
processes dies, all die and a new one starts, within a second; what they held goes back at once.

    guard ── cluster (django-q2's main process) ── sentinel ── workers, pusher, monitor

The kernel ties each to the one before it (PDEATHSIG): no kill -9 leaves an orphan.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import structlog
from django.db import DatabaseError, InterfaceError, connection, connections
from django.utils.module_loading import autodiscover_modules
from django_q import cluster as django_q_cluster
from django_q.conf import Conf
from django_q.signals import post_execute_in_worker, post_spawn, pre_execute
from structlog.contextvars import bind_contextvars, clear_contextvars

from socials import latencies, schedules
from socials.models import Connection
from socials.sync import rescue, workers
from socials.sync.board import board
from socials.sync.turn import CLUSTER, DRAIN_PIPE
from talent.queue import later

log = structlog.get_logger(__name__)

WATCH_SECONDS = 0.2
TICK_SECONDS = 1.0
WAKE_SECONDS = 3.0
MEND_SECONDS = 60.0
SILENCE_SECONDS = 15.0
"""A sentinel that gives no sign of life for so long is stuck."""

STUCK_SECONDS = 10.0
"""A job that waits for so long beside an idle worker means that the queues are stuck."""

STOP_SECONDS = 15.0
"""A cluster that has not stopped by then is killed; its rows go back to the queue."""

QUIET_SECONDS = 4.0
"""A cluster that is told to stop and has no job in hand needs no longer than this."""

PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Seconds before the next start, after so many clusters in a row that did not last."""

LASTING_SECONDS = 10.0

_PR_SET_PDEATHSIG = 1
_M_ARENA_MAX = -8
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Guard:
    """One cluster at a time, until it is told to stop."""

    def __init__(self) -> None:
        self.name = f"{workers.host()}:{os.getpid()}"
        self.child = 0
        self.signals = 0
        self.started_at = 0.0
        self.ticked_at = 0.0
        self.woke_at = 0.0
        self.mended_at = 0.0
        self.drain_pipe = -1

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        _keep_shared()
        short_lives = 0
        while not self.signals:
            self._housekeep()
            self._start()
            reason = self._watch()
            if not reason:
                self._shut_down()
                break
            log.error("cluster.restarted", reason=reason, pid=self.child)
            lasted = time.monotonic() - self.started_at >= LASTING_SECONDS
            short_lives = 0 if lasted else min(short_lives + 1, len(PAUSES) - 1)
            self._kill()
            self._pause(PAUSES[short_lives])
        self._attempt(lambda: rescue.rescue_owners(workers.dead_owners()))
        self._attempt(workers.forget_dead)
        log.info("cluster.stopped")

    # --- one life of a cluster ---

    def _start(self) -> None:
        board.clear()
        board.beat()
        connections.close_all()  # a connection must not be shared across a fork
        ends, self.drain_pipe = os.pipe()
        os.set_inheritable(ends, True)
        parent = os.getpid()
        self.child = os.fork()
        if not self.child:
            os.close(self.drain_pipe)
            _become_cluster(parent, name=self.name, drain_pipe=ends)
        os.close(ends)
        self.started_at = time.monotonic()
        log.info("cluster.started", pid=self.child, workers=Conf.WORKERS)

    def _watch(self) -> str:
        """Look after the cluster until it is broken (the reason) or we are told to stop ("")."""
        while not self.signals:
            time.sleep(WATCH_SECONDS)
            if self._ended():
                return "one of its processes died"
            if time.monotonic() - board.beaten_at > SILENCE_SECONDS:
                return "its sentinel is silent"
            if time.monotonic() - self.ticked_at > TICK_SECONDS:
                self.ticked_at = time.monotonic()
                self._housekeep()
                if self._attempt(self._stuck):
                    return "jobs wait beside an idle worker"
        return ""

    def _shut_down(self) -> None:
        """Let the workers finish what they hold; kill what takes too long, or at a second signal."""
        os.close(self.drain_pipe)
        with suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGTERM)
        busy_at = began_at = time.monotonic()
        while not self._ended() and self.signals < 2:
            now = time.monotonic()
            if any(place.busy and workers.name_of(place.pid) for place in board.places()):
                busy_at = now
            if now - began_at > STOP_SECONDS or now - busy_at > QUIET_SECONDS:
                log.warning("cluster.killed", reason="it did not stop in time")
                break
            time.sleep(0.05)
        self._kill(drained=True)

    def _kill(self, *, drained: bool = False) -> None:
        if not drained:
            os.close(self.drain_pipe)
        # Its whole session: the main process may be gone and its children be about to follow.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child, signal.SIGKILL)
        with suppress(ChildProcessError):
            if self.child:
                os.waitpid(self.child, 0)
        self.child = 0

    def _ended(self) -> bool:
        try:
            pid, _ = os.waitpid(self.child, os.WNOHANG)
        except ChildProcessError:
            return True
        return pid != 0

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.signals:
            time.sleep(0.05)

    def _stop(self, number: int, frame: object) -> None:
        self.signals += 1

    # --- what the database is told ---

    def _housekeep(self) -> None:
        if time.monotonic() - self.mended_at > MEND_SECONDS and self._attempt(schedules.mend):
            self.mended_at = time.monotonic()
        self._attempt(lambda: rescue.rescue_owners(workers.dead_owners()))
        self._attempt(rescue.rescue_expired)
        self._attempt(self._beat)
        if time.monotonic() - self.woke_at > WAKE_SECONDS and self._attempt(_overdue):
            self.woke_at = time.monotonic()
            self._attempt(lambda: later("socials.tasks.sync_due", ""))

    def _beat(self) -> None:
        for place in board.places():
            if name := workers.name_of(place.pid):
                workers.beat(name, pid=place.pid, busy=place.rows, cluster=self.name)
        workers.forget_dead()

    def _stuck(self) -> bool:
        idle = [
            place
            for place in board.places()
            if not place.busy and time.monotonic() - place.since > STUCK_SECONDS
        ]
        if not idle:
            return False
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM django_q_ormq "
                "WHERE key = %s AND lock < statement_timestamp() - make_interval(secs => %s))",
                [Conf.CLUSTER_NAME, STUCK_SECONDS],
            )
            return bool(cursor.fetchone()[0])

    def _attempt(self, act: Callable[[], Any]) -> Any:
        """The guard outlives the database: what can't be done now is done at the next tick."""
        try:
            return act()
        except (DatabaseError, InterfaceError) as error:
            log.warning("guard.database_away", error=type(error).__name__)
            connections.close_all()
            return None


class WholeSentinel(django_q_cluster.Sentinel):  # type: ignore[misc]
    """A sentinel that ends its cluster when one of its processes dies, instead of mending it."""

    def reincarnate(self, process: Any) -> None:
        recycled = process in self.pool and int(process.timer.value) == -2
        if not recycled:
            log.error("cluster.broken", process=process.name, exit_code=process.exitcode)
            os._exit(70)
        super().reincarnate(process)

    def status(self) -> str:
        # Asked in each of its rounds: the one place to see that it still goes round.
        board.beat()
        return str(super().status())


def _overdue() -> bool:
    """Whether a row is due for longer than a wake-up takes."""
    return Connection.objects.all().overdue(seconds=1).exists()


def _become_cluster(parent: int, *, name: str, drain_pipe: int) -> NoReturn:
    """In the child: be django-q2's main process, in a session of its own."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)  # until django-q2 sets its own
        os.setsid()
        _tie_to(parent)
        _share_memory_arenas()
        os.environ[CLUSTER] = name
        os.environ[DRAIN_PIPE] = str(drain_pipe)
        os.register_at_fork(before=_note_parent, after_in_child=_tie_to_noted)
        post_spawn.connect(_idle, weak=False)
        post_execute_in_worker.connect(_idle, weak=False)
        pre_execute.connect(_busy, weak=False)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        django_q_cluster.Sentinel = WholeSentinel
        running = django_q_cluster.Cluster()
        running.start()
        running.sentinel.join()
        code = running.sentinel.exitcode or 0
    except RuntimeError:
        log.exception("cluster.failed_to_start")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _keep_shared() -> None:
    """Load what jobs need here, once for all workers; and a collection need not look at it.

    Looking is writing for CPython, and what is written to is no longer shared: 40 MB a process.
    """
    autodiscover_modules("tasks")
    gc.collect()
    gc.freeze()


def _share_memory_arenas() -> None:
    """glibc keeps a heap for each thread, and what a hundred readers have freed in theirs."""
    if _libc is not None and hasattr(_libc, "mallopt"):
        _libc.mallopt(_M_ARENA_MAX, 2)


def _give_memory_back() -> None:
    if _libc is not None and hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)


def _tie_to(parent: int) -> None:
    """Die when our parent dies, even if it just did."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


_parent = 0


def _note_parent() -> None:
    global _parent  # noqa: PLW0603  read by the child, right after the fork
    _parent = os.getpid()


def _tie_to_noted() -> None:
    _tie_to(_parent)


def _idle(**_: Any) -> None:
    clear_contextvars()
    latencies.keep(now=True)
    _give_memory_back()
    board.write(busy=False)


def _busy(task: dict[str, Any], **_: Any) -> None:
    bind_contextvars(job=str(task["func"]), job_id=task["id"])
    board.write(busy=True)
