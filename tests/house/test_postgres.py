"""The embedded PostgreSQL: there while anybody uses it, gone afterwards, however they end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate(timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "postgres"
    yield path
    if (server := server_of(path)) is not None:
        server.terminate()


def server_of(data_dir: Path) -> psutil.Process | None:
    try:
        return psutil.Process(int((data_dir / "postmaster.pid").read_text().split()[0]))
    except (OSError, psutil.NoSuchProcess):
        return None


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None


def gone(data_dir: Path) -> bool:
    return server_of(data_dir) is None and not embedded_postgres.running(data_dir)


def test_it_starts_with_its_first_user_and_stops_with_its_last(data_dir: Path) -> None:
    first, second = User(data_dir), User(data_dir)
    assert first.url == second.url
    first.leave()
    assert ask(second.url, "SELECT 1") == 1
    second.leave()
    until(lambda: gone(data_dir), seconds=20, what="the end of the server")


def test_a_user_that_is_killed_does_not_keep_it_up(data_dir: Path) -> None:
    User(data_dir).kill()
    until(lambda: gone(data_dir), seconds=20, what="the end of the server")


def test_what_was_stored_is_there_at_the_next_start(data_dir: Path) -> None:
    user = User(data_dir)
    with psycopg.connect(user.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    user.kill()
    until(lambda: gone(data_dir), seconds=20, what="the end of the server")
    again = User(data_dir)
    assert ask(again.url, "SELECT answer FROM kept") == 42
    again.leave()


def test_a_killed_guardian_takes_the_server_along_and_the_next_user_starts_another(
    data_dir: Path,
) -> None:
    user = User(data_dir)
    server = server_of(data_dir)
    assert server is not None
    guardian = server.parent()
    assert guardian is not None
    guardian.kill()
    until(lambda: not server.is_running(), seconds=20, what="the end of the server")
    other = User(data_dir)
    assert ask(other.url, "SELECT 1") == 1
    user.leave()
    other.leave()
    until(lambda: gone(data_dir), seconds=20, what="the end of the server")


def test_letters_and_order_are_the_same_on_every_machine(data_dir: Path) -> None:
    user = User(data_dir)
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


def test_many_who_come_at_once_share_one_server(data_dir: Path) -> None:
    users = [
        subprocess.Popen(
            [sys.executable, "-c", USER, str(data_dir)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    urls = {user.stdout.readline().strip() for user in users if user.stdout}
    assert len(urls) == 1
    assert ask(urls.pop(), "SELECT 1") == 1
    for user in users:
        user.communicate(timeout=30)
    until(lambda: gone(data_dir), seconds=20, what="the end of the server")
