"""``make run`` with real processes: it comes up whole, keeps itself up, and leaves nothing behind."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest
import requests

from socials import cast
from tests.conftest import ROOT, until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

ADDRESS = re.compile(r"^Greenroom is at (http://127\.0\.0\.1:\d+)$", re.MULTILINE)
Family = list[tuple[psutil.Process, list[str]]]
SUPERVISOR = [sys.executable, "-m", "config.supervisor"]


class Run:
    """One ``make run`` on a var folder of its own."""

    def __init__(self, var: Path, command: list[str], **further: str) -> None:
        self.var = var
        self.output = var.parent / f"output-{time.monotonic_ns()}.txt"
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PORT"}
        }
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**environment, "VAR_DIR": str(var), **further},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def told(self) -> str:
        return self.output.read_text()

    def address(self) -> str:
        """Wait for the line that newcomers wait for."""
        found = until(
            lambda: ADDRESS.search(self.told) or self.process.poll() is not None,
            seconds=120,
            what="the address",
        )
        assert found is not True, self.told
        return str(found[1])

    def family(self) -> Family:
        """Itself and everything it started, the database included, with what each runs."""
        main = psutil.Process(self.process.pid)
        found: Family = []
        for process in [main, *main.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                found.append((process, process.cmdline()))
        return found

    def child(self, name: str) -> psutil.Process | None:
        """The supervisor's own child that runs this command, if it is up."""
        for process in psutil.Process(self.process.pid).children():
            if process.status() != psutil.STATUS_ZOMBIE and name in process.cmdline():
                return process
        return None

    def kill_all(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def copy(prepared: Path, var: Path) -> None:
    subprocess.run(["cp", "-a", str(prepared), str(var)], check=True)


def ports() -> list[str]:
    return ["--port", str(free_port()), "--sandbox-port", str(free_port())]


def left(family: Family) -> list[psutil.Process]:
    return [
        process
        for process, _ in family
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]


def assert_nothing_left(family: Family, *, seconds: float = 40) -> None:
    programs = " ".join(word for _, words in family for word in words)
    for part in ("postgres_guardian", "bin/postgres", "serve", "qcluster", "sandbox"):
        assert part in programs, "the family is not complete"
    until(lambda: not left(family), seconds=seconds, what="an end of every process")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Not below pytest's own folder, which pytest closes to PostgreSQL's user at any time."""
    with TemporaryDirectory(prefix="greenroom-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture
def room(folder: Path) -> Iterator[Path]:
    with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def prepared(folder: Path) -> Path:
    """A var folder that a first run has filled; copies of it start quickly."""
    var = folder / "prepared" / "var"
    var.parent.mkdir()
    first = Run(var, [*SUPERVISOR, *ports()])
    try:
        first.address()
        family = first.family()
    finally:
        first.kill_all()
    assert_nothing_left(family, seconds=5)
    assert "Making a new PostgreSQL database" in first.told
    return var


@pytest.fixture
def start(prepared: Path, room: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def begin(*command: str) -> Run:
        var = room / "var"
        if not var.exists():
            copy(prepared, var)
        runs.append(Run(var, list(command) or [*SUPERVISOR, *ports()]))
        return runs[-1]

    yield begin
    for run in runs:
        run.kill_all()


@pytest.fixture(scope="module")
def running(prepared: Path, folder: Path) -> Iterator[Run]:
    """One run for all tests that leave it standing; its wished-for port is taken."""
    var = folder / "running" / "var"
    var.parent.mkdir()
    copy(prepared, var)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        run = Run(
            var,
            [*SUPERVISOR, "--port", str(wanted), "--sandbox-port", str(free_port()),
             "--stale-seconds", "6"],
        )  # fmt: skip
        try:
            run.address()
            yield run
        finally:
            run.kill_all()


def test_the_printed_sign_in_opens_the_demo_roster(running: Run) -> None:
    sign_in = re.search(r"^Sign in as (\S+) / (\S+)$", running.told, re.MULTILINE)
    assert sign_in is not None
    with requests.Session() as session:
        session.get(f"{running.address()}/login", timeout=10)
        page = session.post(
            f"{running.address()}/login",
            data={
                "username": sign_in[1],
                "password": sign_in[2],
                "csrfmiddlewaretoken": session.cookies["csrftoken"],
            },
            headers={"Referer": f"{running.address()}/login"},
            timeout=10,
        )
    assert page.status_code == 200
    assert cast.PEOPLE[0].name.split()[0] in page.text


def test_readiness_names_every_check_and_no_secret(running: Run) -> None:
    reply = requests.get(f"{running.address()}/readyz", timeout=10)
    assert reply.json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "workers": "ok", "queue": "ok"},
    }


def test_a_taken_port_is_said_and_another_one_used(running: Run) -> None:
    said = re.search(r"^Port (\d+) is taken, so (\d+) is used\.$", running.told, re.MULTILINE)
    assert said is not None
    assert running.address().endswith(f":{said[2]}")


def test_a_second_run_beside_it_says_one_clear_line(running: Run) -> None:
    second = Run(running.var, [*SUPERVISOR, *ports()])
    assert second.process.wait(timeout=30) == 1
    assert second.told.count("\n") == 1
    assert f"already running at {running.address()}" in second.told
    assert str(running.process.pid) in second.told


@pytest.mark.parametrize("name", ["serve", "sandbox", "qcluster"])
def test_a_child_that_dies_is_started_again(running: Run, name: str) -> None:
    victim = until(lambda: running.child(name), what=f"a running {name}")
    victim.kill()

    def back() -> bool:
        new = running.child(name)
        return new is not None and new.pid != victim.pid

    until(back, seconds=30, what=f"a new {name}")
    until(
        lambda: _ready(running.address()), seconds=60, what="readiness after the death of a child"
    )


def test_a_database_server_that_dies_is_started_again_with_its_data(running: Run) -> None:
    pid = int((running.var / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    until(
        lambda: "PostgreSQL died; starting it again" in running.told,
        seconds=30,
        what="the word of it",
    )
    until(lambda: _ready(running.address()), seconds=60, what="readiness with the same database")
    assert requests.get(f"{running.address()}/login", timeout=5).status_code == 200


def test_a_worker_cluster_that_stands_still_is_started_anew(running: Run) -> None:
    stuck = until(lambda: running.child("qcluster"), what="a running cluster")
    stuck.suspend()
    until(lambda: not left([(stuck, [])]), seconds=90, what="the end of the stuck cluster")
    until(lambda: _ready(running.address()), seconds=60, what="readiness after it")


class Terminal:
    """A terminal in which a run is in the foreground, as it is for a person."""

    def __init__(self) -> None:
        self.controller, self.terminal = pty.openpty()

    def command(self) -> list[str]:
        script = (
            "import fcntl, os, sys, termios; "
            f"terminal = os.open({os.ttyname(self.terminal)!r}, os.O_RDWR); "
            "fcntl.ioctl(terminal, termios.TIOCSCTTY, 1); os.dup2(terminal, 0); "
            "os.execv(sys.argv[1], sys.argv[1:])"
        )
        return [sys.executable, "-c", script, *SUPERVISOR, *ports()]

    def ctrl_c(self) -> None:
        os.write(self.controller, b"\x03")

    def close(self) -> None:
        os.close(self.terminal)
        os.close(self.controller)


@pytest.mark.parametrize("leave", ["ctrl_c", "close"])
def test_ctrl_c_or_a_closed_terminal_stops_everything(
    start: Callable[..., Run], leave: str
) -> None:
    terminal = Terminal()
    run = start(*terminal.command())
    run.address()
    family = run.family()
    getattr(terminal, leave)()
    assert run.process.wait(timeout=60) == 0
    assert_nothing_left(family, seconds=5)
    if leave != "close":
        terminal.close()


def test_kill_9_of_the_supervisor_leaves_nothing(start: Callable[..., Run]) -> None:
    run = start()
    run.address()
    family = run.family()
    run.process.kill()
    run.process.wait()
    assert_nothing_left(family)


def make(var: Path) -> list[str]:
    """A make whose recipe is the one of ``make run``, on ports of its own."""
    makefile = var.parent / "Makefile"
    makefile.write_text(f"run:\n\t@exec {' '.join([*SUPERVISOR, '--with-parent', *ports()])}\n")
    return ["make", "-f", str(makefile), "run"]


def test_kill_9_of_make_leaves_nothing_and_the_next_run_keeps_the_data(
    start: Callable[..., Run], room: Path
) -> None:
    run = start(*make(room / "var"))
    run.address()
    family = run.family()
    run.process.kill()
    run.process.wait()
    assert_nothing_left(family)

    again = start(*make(room / "var"))
    again.address()
    assert "Making a new PostgreSQL database" not in again.told
    prepared_again = (again.var / "log" / "prepare.log").read_text()
    assert prepared_again.count("Demo roster:") == 1, "only the very first run loads it"

    family = again.family()
    again.process.send_signal(signal.SIGINT)  # to make alone, which does not hand it on
    again.process.wait(timeout=60)
    assert_nothing_left(family, seconds=5)


def _ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False
