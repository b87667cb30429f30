"""The embedded PostgreSQL: there while anybody uses it, gone afterwards, however they end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
import pytest

from config import embedded_postgres
from tests.conftest import ROOT, until

USER = """
import sys
from pathlib import Path
from config import embedded_postgres
print(embedded_postgres.url(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the server until it is told to end."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(data_dir)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @cached_property
    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        if self.process.stdin and not self.process.stdin.closed:
            self.process.communicate(timeout=30)

    def kill(self) -> None:
        assert self.url, "it is in"
        self.process.kill()
        self.leave()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Not below pytest's own folder, which pytest closes to PostgreSQL's user at any time."""
    with TemporaryDirectory(prefix="greenroom-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "postgres"
        yield path
        if (server := server_of(path)) is not None:
            server.terminate()
            server.wait(timeout=20)


@pytest.fixture
def join(data_dir: Path) -> Iterator[Callable[[], User]]:
    """Makes a process use the server; whoever is left at the end leaves."""
    users: list[User] = []

    def one_more() -> User:
        users.append(User(data_dir))
        return users[-1]

    yield one_more
    for user in users:
        user.leave()


def server_of(data_dir: Path) -> psutil.Process | None:
    try:
        return psutil.Process(int((data_dir / "postmaster.pid").read_text().split()[0]))
    except (OSError, psutil.NoSuchProcess):
        return None


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
        return row[0] if row else None


def gone(data_dir: Path) -> bool:
    return server_of(data_dir) is None and not embedded_postgres.running(data_dir)


def test_it_starts_with_its_first_user_and_stops_with_its_last(
    data_dir: Path, join: Callable[[], User]
) -> None:
    first, second = join(), join()
    assert first.url == second.url
    first.leave()
    assert ask(second.url, "SELECT 1") == 1
    second.leave()
    until(lambda: gone(data_dir), seconds=20, what="the end of the server")


def test_a_user_that_is_killed_does_not_keep_it_up(
    data_dir: Path, join: Callable[[], User]
) -> None:
    join().kill()
    until(lambda: gone(data_dir), seconds=20, what="the end of the server")


def test_what_was_stored_is_there_at_the_next_start(
    data_dir: Path, join: Callable[[], User]
) -> None:
    user = join()
    with psycopg.connect(user.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    user.kill()
    until(lambda: gone(data_dir), seconds=20, what="the end of the server")
    again = join()
    assert ask(again.url, "SELECT answer FROM kept") == 42
    again.leave()


def test_a_killed_guardian_takes_the_server_along_and_the_next_user_starts_another(
    data_dir: Path, join: Callable[[], User]
) -> None:
    user = join()
    assert user.url
    server = server_of(data_dir)
    assert server is not None
    guardian = server.parent()
    assert guardian is not None
    guardian.kill()
    until(lambda: not server.is_running(), seconds=20, what="the end of the server")
    other = join()
    assert ask(other.url, "SELECT 1") == 1
    user.leave()
    other.leave()
    until(lambda: gone(data_dir), seconds=20, what="the end of the server")


def test_letters_and_order_are_the_same_on_every_machine(join: Callable[[], User]) -> None:
    user = join()
    assert ask(user.url, "SELECT upper('é') || (SELECT datlocale FROM pg_database LIMIT 1)") == (
        "ÉC.UTF-8"
    )
    user.leave()


def test_a_database_of_another_version_is_told_in_words(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "PG_VERSION").write_text("9\n")
    answer = subprocess.run(
        [sys.executable, "-c", USER, str(data_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        input="",
    )
    assert "was made by PostgreSQL 9" in answer.stderr


def test_many_who_come_at_once_share_one_server(data_dir: Path, join: Callable[[], User]) -> None:
    users = [join() for _ in range(4)]
    assert len({user.url for user in users}) == 1
    assert ask(users[0].url, "SELECT 1") == 1
    for user in users:
        user.leave()
    until(lambda: gone(data_dir), seconds=20, what="the end of the server")
