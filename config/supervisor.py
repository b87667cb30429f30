"""What ``make run`` starts: database, sandbox platforms, web server and workers, kept alive.

The journey: one run at a time → embedded PostgreSQL → ``manage.py prepare`` and the sandbox side by
side → web server and workers → healthy, so the address is printed → watch until told to stop.

Children are in process groups of their own, so that Ctrl-C reaches only us; each is stopped by its
main pid (a worker cluster that is signalled as a group hangs) and killed as a group when it takes
too long. Should we be killed, the kernel tells them (PDEATHSIG).
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from config import embedded_postgres, probes, processes
from config.child import Child
from config.env import VAR_DIR, env
from socials import cast
from socials.sandbox import settings_for

HOST = "127.0.0.1"
HEALTHY_SECONDS = 90.0
STALE_SECONDS = 45.0  # a cluster without a heartbeat for so long is restarted
LOOK_SECONDS = 5.0
STUCK_SECONDS = 10.0  # what it then gets to stop by itself
STOP_SECONDS = {"web": 12.0, "worker": 25.0, "sandbox": 5.0, "prepare": 5.0}
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
STEADY_SECONDS = 60.0  # alive for so long: the next death counts as the first
LARGEST_LOG = 5_000_000


class Stopped(Exception):
    """Somebody asked us to stop while we were starting."""


class CannotStart(Exception):
    """One clear line for the person at the terminal."""


class Supervisor:
    """The whole run, from the first lock to the last child."""

    def __init__(
        self, *, port: int, sandbox_port: int, stale_seconds: float, with_parent: bool = False
    ) -> None:
        self.stopping = threading.Event()
        self.impatient = threading.Event()
        self.wanted_port = port
        self.wanted_sandbox_port = sandbox_port
        self.stale_seconds = stale_seconds
        self.looked_at = 0.0
        # ``make`` that is interrupted alone waits for us and does not tell us; but it drops its
        # handler, and that can be seen.
        self.make = os.getppid() if with_parent else 0
        self.make_listens = processes.catches(self.make, signal.SIGINT)
        self.children: dict[str, Child] = {}
        self.own_postgres = not env.str("DATABASE_URL", default="")
        self.data_dir = VAR_DIR / "postgres"

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._told_to_stop)
        try:
            self._only_here()
            self._only_one()
            self._start()
            self._announce()
            while not self.stopping.wait(0.25):
                self._watch()
        except Stopped:
            pass
        except (CannotStart, embedded_postgres.ServerDidNotStart) as reason:
            say(f"Greenroom can't start: {reason}", error=True)
            return 1
        finally:
            self._stop()
        return 0

    # --- starting ------------------------------------------------------------------------------

    def _only_here(self) -> None:
        if not env.bool("DEBUG", default=True):
            raise CannotStart(
                "it runs sandboxes and invented people, but DEBUG is off. "
                "docs/operations.md says how production runs."
            )

    def _only_one(self) -> None:
        (VAR_DIR / "log").mkdir(parents=True, exist_ok=True)
        self.lock = os.open(VAR_DIR / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        deadline = time.monotonic() + 20
        told = False
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(self.lock, 0)
                os.pwrite(self.lock, str(os.getpid()).encode(), 0)
                return
            words = os.pread(self.lock, 200, 0).decode().split()
            if words and probes.exists(int(words[0])):
                where = f" at {words[1]}" if len(words) > 1 else ""
                raise CannotStart(
                    f"it is already running{where} (pid {words[0]}). "
                    f"Stop it with Ctrl-C in its terminal, or with: kill {words[0]}"
                )
            if time.monotonic() > deadline:
                raise CannotStart("what is left of an earlier run does not stop; see var/log.")
            if not told:
                say("An earlier run is still stopping; waiting for it …")
                told = True
            self._pause(0.2)

    def _start(self) -> None:
        began = time.monotonic()
        self.database = env.str("DATABASE_URL", default="")
        keeps: tuple[int, ...] = (self.lock,)
        if self.own_postgres:
            first = not (self.data_dir / "PG_VERSION").exists()
            say("Making a new PostgreSQL database …" if first else "Starting PostgreSQL …")
            self.database = embedded_postgres.url(self.data_dir)
            keeps += (embedded_postgres.held(self.data_dir),)
        port = free_port(self.wanted_port)
        sandbox_port = free_port(self.wanted_sandbox_port)
        self.address = f"http://{HOST}:{port}"
        environment = self._environment(sandbox_port)

        def child(name: str, *command: str) -> Child:
            made = Child(name, [sys.executable, *command], environment, keeps)
            if made.log.exists() and made.log.stat().st_size > LARGEST_LOG:
                made.log.replace(made.log.with_suffix(".log.old"))
            self.children[name] = made
            made.start()
            return made

        say("Preparing tables and the demo roster …")
        sandbox = child("sandbox", "manage.py", "sandbox", "--port", str(sandbox_port))
        prepare = child("prepare", "manage.py", "prepare", "--demo")
        self._finish(prepare)
        del self.children["prepare"]
        say("Starting web server and workers …")
        child("worker", "manage.py", "qcluster")
        child("web", "manage.py", "serve", "--host", HOST, "--port", str(port))
        self._wait_until(
            lambda: probes.answers(HOST, sandbox_port), sandbox, "the sandbox platforms"
        )
        self._wait_until(lambda: probes.ready(self.address), self.children["web"], "Greenroom")
        os.pwrite(self.lock, f"{os.getpid()} {self.address}\n".encode(), 0)
        if port != self.wanted_port:
            say(f"Port {self.wanted_port} is taken, so {port} is used.")
        self.took = time.monotonic() - began

    def _environment(self, sandbox_port: int) -> dict[str, str]:
        """What children are told: our database, our address, the sandbox where nothing is set.

        A platform for which you set any address or credential yourself is left as you set it.
        """
        sandbox = settings_for(f"http://{HOST}:{sandbox_port}")
        yours = {_group(name) for name in sandbox if env.str(name, default="")}
        hosts = [*env.list("SANDBOX_HOSTS", default=[]), f"{HOST}:{sandbox_port}"]
        return {
            **{name: value for name, value in sandbox.items() if _group(name) not in yours},
            "PUBLIC_URL": self.address,
            **os.environ,
            "DATABASE_URL": self.database,
            "VAR_DIR": str(VAR_DIR),
            "SANDBOX_HOSTS": ",".join(hosts),
            "PYTHONUNBUFFERED": "1",
        }

    def _finish(self, child: Child) -> None:
        while child.alive:
            self._watch()
            self._pause(0.05)
        assert child.process is not None
        if child.process.returncode != 0:
            raise CannotStart(f"{child.name} failed (see {child.log}):\n{child.last_words()}")

    def _wait_until(self, happens: Callable[[], bool], child: Child, what: str) -> None:
        deadline = time.monotonic() + HEALTHY_SECONDS
        while not happens():
            if not child.alive:
                raise CannotStart(f"{what} died (see {child.log}):\n{child.last_words()}")
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"{what} is not ready after {HEALTHY_SECONDS:g} s: {probes.why_not_ready(self.address)}"
                    f" (logs are in {VAR_DIR / 'log'})"
                )
            self._watch()
            self._pause(0.1)

    def _announce(self) -> None:
        say("")
        say(f"Greenroom is at {self.address}")
        say(f"Sign in as {cast.MANAGER.username} / {cast.PASSWORD}")
        say("")
        say(f"Ready in {self.took:.1f} s. Logs: {VAR_DIR / 'log'}. Ctrl-C stops everything.")

    # --- watching ------------------------------------------------------------------------------

    def _watch(self) -> None:
        if self.make_listens and not processes.catches(self.make, signal.SIGINT):
            self.stopping.set()
        now = time.monotonic()
        for child in self.children.values():
            if child.name == "prepare":
                continue
            if child.alive:
                if child.kill_at and now >= child.kill_at:
                    child.sweep()
            elif not child.due:
                self._bury(child)
            elif now >= child.due:
                child.start()
        if now - self.looked_at >= LOOK_SECONDS:
            self.looked_at = now
            if self.own_postgres:
                self._check_database()
            if worker := self.children.get("worker"):
                self._check_heartbeat(worker)

    def _check_database(self) -> None:
        """A server that died is started again; it mends its data from its own log."""
        if embedded_postgres.running(self.data_dir):
            return
        say("PostgreSQL died; starting it again …")
        try:
            embedded_postgres.url(self.data_dir)
        except embedded_postgres.ServerDidNotStart as reason:
            say(f"PostgreSQL does not start yet: {reason}", error=True)

    def _check_heartbeat(self, worker: Child) -> None:
        """A cluster whose guard stands still is stopped, so that it is started anew."""
        process, age = worker.process, time.monotonic() - worker.started
        if process is None or not worker.alive or worker.kill_at or age < self.stale_seconds:
            return
        silence = probes.silent_seconds(self.database, process.pid)
        if silence is not None and silence > self.stale_seconds:
            say(f"worker gave no sign of life for {min(silence, age):.0f} s; starting it anew.")
            worker.terminate()
            worker.kill_at = time.monotonic() + STUCK_SECONDS

    def _bury(self, child: Child) -> None:
        child.sweep()
        if time.monotonic() - child.started > STEADY_SECONDS:
            child.deaths = 0
        wait = BACK_OFF_SECONDS[min(child.deaths, len(BACK_OFF_SECONDS) - 1)]
        child.deaths += 1
        child.due = time.monotonic() + wait
        code = child.process.returncode if child.process else "?"
        say(f"{child.name} died ({code}); starting it again in {wait:g} s. Its log: {child.log}")

    # --- stopping ------------------------------------------------------------------------------

    def _told_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stopping.is_set():
            self.impatient.set()
        self.stopping.set()

    def _pause(self, seconds: float) -> None:
        if self.stopping.wait(seconds):
            raise Stopped

    def _stop(self) -> None:
        running = [child for child in self.children.values() if child.process is not None]
        if running:
            say("Stopping …")
        for group in (("web", "worker", "prepare"), ("sandbox",)):
            leaving = [child for child in running if child.name in group]
            for child in leaving:
                child.terminate()
            began = time.monotonic()
            for child in leaving:
                limit = began + STOP_SECONDS[child.name]
                while child.alive and time.monotonic() < limit and not self.impatient.is_set():
                    time.sleep(0.05)
                child.sweep()
                if child.process is not None:
                    child.process.wait()
        if self.own_postgres:
            embedded_postgres.release(self.data_dir)
        if running:
            say("Stopped.")


# --- the steps below ---------------------------------------------------------------------------


def say(line: str, *, error: bool = False) -> None:
    """Tell the terminal, which may have been closed."""
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr if error else sys.stdout, flush=True)


def free_port(wanted: int) -> int:
    """``wanted`` if it is free, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((HOST, port))
                return int(probe.getsockname()[1])
    raise CannotStart(f"no port of {HOST} is free.")


def _group(name: str) -> str:
    """Settings that belong together: an address is of no use with another system's key."""
    return "APIFY" if name == "SCRAPING_PROVIDER" else name.partition("_")[0]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--port", type=int, default=env.int("PORT", default=8000))
    parser.add_argument("--sandbox-port", type=int, default=env.int("SANDBOX_PORT", default=9400))
    parser.add_argument(
        "--stale-seconds",
        type=float,
        default=STALE_SECONDS,
        help="restart a worker cluster that gave no sign of life for so long",
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="stop when the process that started us dies"
    )
    options = parser.parse_args(arguments)
    if options.with_parent:
        processes.stop_with_parent(signal.SIGTERM)
    return Supervisor(
        port=options.port,
        sandbox_port=options.sandbox_port,
        stale_seconds=options.stale_seconds,
        with_parent=options.with_parent,
    ).run()


if __name__ == "__main__":
    raise SystemExit(main())
