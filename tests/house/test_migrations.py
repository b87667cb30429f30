"""By ``migrate`` alone an empty database becomes one to run on, and so does an old one with its data."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db.migrations import AddField, DeleteModel, RemoveField, RenameField, RenameModel
from django.db.migrations.loader import MigrationLoader

from tests.conftest import Cluster, test_database_url, until

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


def run(address: str, *arguments: str) -> str:
    """A fresh Python on that database. What it printed."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_migrating_an_empty_database_makes_everything_the_cache_too(fresh_database: str) -> None:
    run(fresh_database, "manage.py", "migrate", "--verbosity", "0")
    with psycopg.connect(fresh_database) as session:
        for table in ("cache", "socials_connection", "django_q_ormq"):
            assert session.execute("SELECT to_regclass(%s)", [table]).fetchone() == (table,)


OLD_ROWS = """
import django; django.setup()
from datetime import timedelta
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
executor = MigrationExecutor(connection)
apps = executor.loader.project_state(list(executor.loader.applied_migrations)).apps
def make(label, **values): return apps.get_model(label).objects.create(**values)
now = timezone.now()
boss = make("talent.User", username="boss", email="boss@agency.example", is_staff=True, role="manager")
jane = make("talent.Talent", name="Jane Smith", slug="jane-smith", tags=["food"], manager=boss)
make("talent.Activity", action="talent.created", talent_id=jane.pk, object="Jane Smith")
for handle, status, more in (
    ("first", "READY", {}), ("second", "PENDING", {"next_attempt_at": now}),
    ("third", "SYNCING", {"lease_owner": "gone.f00:1:1", "lease_expires_at": now, "started_at": now}),
    ("fourth", "ERROR", {"error_code": "NOT_FOUND", "sync_error": "There is no such channel."}),
):
    row = make("socials.Connection", talent=jane, platform="YOUTUBE", handle=handle, handle_key=handle,
        profile_url="https://www.youtube.com/@" + handle, sync_status=status, **more)
    told = {"source": "youtube_data", "fetched_at": now}
    make("socials.Profile", connection=row, display_name=handle, followers=4_500, **told)
    make("socials.Post", connection=row, external_id=handle + "-1", kind="VIDEO", views=7, **told)
    make("socials.Snapshot", connection=row, date=now.date(), followers=4_500, source="youtube_data", taken_at=now)
    make("socials.SyncRun", connection=row, platform="YOUTUBE", trigger="connect", sync_version=1, attempt=1,
        started_at=now - timedelta(seconds=2), finished_at=now, duration_ms=2000, outcome="ready")
"""


@pytest.mark.engine
def test_a_house_of_the_first_version_is_upgraded_with_all_it_knows_and_goes_on(
    fresh_database: str, start_worker: Callable[..., Cluster]
) -> None:
    run(fresh_database, "manage.py", "migrate", "socials", "0002", "--verbosity", "0")
    run(fresh_database, "-c", OLD_ROWS)
    run(fresh_database, "manage.py", "migrate", "--verbosity", "0")
    start_worker(DATABASE_URL=fresh_database)
    with psycopg.connect(fresh_database, autocommit=True) as session:
        seen = session.execute(
            """SELECT (SELECT count(*) FROM socials_post), (SELECT count(*) FROM socials_snapshot),
            (SELECT count(*) FROM socials_sync_run), (SELECT count(*) FROM talent_activity)"""
        ).fetchone()
        assert seen is not None
        assert min(seen[:3]) >= 4
        assert seen[3] >= 1

        def states() -> list[tuple[str, str]]:
            told = "SELECT handle, sync_status FROM socials_connection ORDER BY id"
            return session.execute(told).fetchall()

        expected = [
            ("first", "READY"),
            ("second", "READY"),
            ("third", "READY"),
            ("fourth", "ERROR"),
        ]
        until(lambda: states() == expected, seconds=40, what="the syncs of the upgraded house")
        posts = "SELECT count(*) FROM socials_post WHERE connection_id = 2 AND deleted_at IS NULL"
        assert session.execute(posts).fetchone() == (51,)  # what it had, and the newest fifty


RELEASED = {"socials": 14, "talent": 3, "scraping": 1}
"""The last migrations before the promise that an old program runs on the newer database."""


def test_while_a_new_version_is_rolled_out_the_old_one_can_still_write() -> None:
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        if int(name[:4]) <= RELEASED.get(app, 9999):
            continue
        for step in migration.operations:
            what = f"{app}.{name}: {step.describe()}"
            assert not isinstance(step, (RemoveField, RenameField, DeleteModel, RenameModel)), what
            if isinstance(step, AddField) and not step.field.many_to_many:
                assert step.field.null or step.field.has_db_default(), f"{what} needs db_default"
