"""A backup that was taken in the middle of the work: restored elsewhere, the syncs go on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from socials import connections
from socials.models import Connection
from talent.models import Talent
from tests.conftest import Cluster, test_database_url, until

NAME = f"restored_{os.getpid()}"
ELSEWHERE = "another-machine.f00:4711:99"
HELD = """
    UPDATE socials_connection SET sync_status = 'SYNCING', attempt = 1, started_at = now(),
        lease_owner = %s, lease_expires_at = now() + interval '4 seconds', next_attempt_at = NULL,
        sync_version = sync_version + 1
    WHERE id %% 2 = 0
"""


def postgres(program: str, *arguments: str) -> None:
    """Run one of the programs that belong to the tests' server."""
    with psycopg.connect(test_database_url()) as session:
        told = session.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone()
    assert told is not None
    subprocess.run([Path(told[0]) / program, *arguments], check=True, timeout=60)


@pytest.fixture
def empty_database(transactional_db: None) -> Iterator[str]:
    server = test_database_url()
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {NAME} TEMPLATE template0")
        head, _, query = server.partition("?")
        yield f"{head.rpartition('/')[0]}/{NAME}?{query}"
        session.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


@pytest.mark.engine
def test_what_was_syncing_at_the_time_of_the_dump_is_read_after_the_restore(
    jane: Talent,
    empty_database: str,
    start_worker: Callable[..., Cluster],
    tmp_path: Path,
) -> None:
    for number in range(12):
        connections.connect(jane, "YOUTUBE", handle=f"backup{number}")
    with psycopg.connect(test_database_url(), autocommit=True) as session:
        session.execute(HELD, [ELSEWHERE])
    dump = str(tmp_path / "greenroom.dump")
    postgres("pg_dump", "-Fc", "-d", test_database_url(), "-f", dump)
    Connection.objects.all().delete()  # the first house is gone
    postgres("pg_restore", "--no-owner", "--exit-on-error", "-d", empty_database, dump)
    start_worker(DATABASE_URL=empty_database)
    with psycopg.connect(empty_database, autocommit=True) as session:

        def states() -> dict[str, int]:
            told = "SELECT sync_status, count(*) FROM socials_connection GROUP BY 1"
            return dict(session.execute(told).fetchall())

        assert states().get("SYNCING", 0) > 0
        until(lambda: states() == {"READY": 12}, seconds=40, what="twelve accounts READY")
        posts = session.execute("SELECT count(DISTINCT (connection_id, external_id)), count(*) FROM socials_post")  # fmt: skip
        assert posts.fetchone() == (12 * 50, 12 * 50)
