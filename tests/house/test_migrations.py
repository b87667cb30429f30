"""An empty database becomes one that the product can run on, by ``migrate`` alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import test_database_url

ROOT = Path(__file__).resolve().parents[2]
NAME = f"fresh_{os.getpid()}"


@pytest.fixture
def fresh_database(db: None) -> Iterator[str]:
    """The address of an empty database on the tests' server."""
    server = test_database_url()
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {NAME} TEMPLATE template0")
        head, _, query = server.partition("?")
        yield f"{head.rpartition('/')[0]}/{NAME}?{query}"
        session.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def test_migrating_an_empty_database_makes_everything_the_cache_too(fresh_database: str) -> None:
    environment = {**os.environ, "DATABASE_URL": fresh_database, "DJANGO_SETTINGS_MODULE": "config.settings"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with psycopg.connect(fresh_database) as session:
        for table in ("cache", "socials_connection", "django_q_ormq"):
            assert session.execute("SELECT to_regclass(%s)", [table]).fetchone() == (table,)
