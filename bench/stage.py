"""What measurements need: accounts by the thousand, a slow platform, a real worker cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, models

from config.embedded_postgres import address
from socials.models import Connection
from talent.models import Talent

ROOT = Path(__file__).resolve().parent.parent


def empty() -> None:
    """Forget all accounts and jobs."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE talent_talent, django_q_ormq, socials_quota_window CASCADE")


def seed(number: int, *, status: str = "READY", due: int = 0) -> None:
    """So many talents with one YouTube account each; ``due`` of them are due for a refresh."""
    talent = Talent.objects.create(name="Talent", slug="template")
    multiply(talent, number, name="'Talent ' || n", slug="'talent-' || n")
    row = Connection.objects.create(
        talent=talent,
        platform="YOUTUBE",
        handle="template",
        handle_key="template",
        profile_url="https://www.youtube.com/@template",
        sync_status="READY",
    )
    multiply(
        row,
        number,
        talent_id="(SELECT id FROM talent_talent WHERE slug = 'talent-' || n)",
        handle="'bench' || n",
        handle_key="'bench' || n",
        profile_url="'https://www.youtube.com/@bench' || n",
        sync_status=f"'{status}'",
        next_attempt_at="now()" if status == "PENDING" else "NULL::timestamptz",
        last_synced_at="now() - interval '1 hour'",
        # Due ones lie anywhere among the others.
        next_refresh_at=f"now() + CASE WHEN n %% {max(number // due, 1) if due else number + 1} = 0 "
        f"AND n / {max(number // due, 1) if due else 1} <= {due} "
        "THEN interval '-1 minute' ELSE interval '10 days' END",
    )
    row.delete()
    talent.delete()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE talent_talent, socials_connection")


def seed_past(*, posts: int, points: int, runs: int) -> None:
    """What each account has behind it: so many posts, days of history and runs of the last day.

    Set-wise and without the checks of references, which hold by the way it is made.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(PAST_PROFILES)
        cursor.execute(PAST_POSTS, [posts])
        cursor.execute(PAST_POINTS, [points])
        cursor.execute(PAST_RUNS, [runs])
        cursor.execute("SET session_replication_role = DEFAULT")
        for table in ("profile", "post", "snapshot", "sync_run", "connection"):
            cursor.execute(f"VACUUM ANALYZE socials_{table}")
        cursor.execute("CHECKPOINT")  # else gigabytes are written while it is measured


PAST_PROFILES = """
    INSERT INTO socials_profile (connection_id, display_name, bio, avatar_url, followers, following,
        posts, views, quality, provenance, extra, source, fetched_at)
    SELECT id, handle, 'We make things.', '', 1000 + mod(id, 1000000), 12, 50, 1234567,
        '{"followers": "rounded"}', '{}', '{}', 'youtube_data', now()
    FROM socials_connection
"""

PAST_POSTS = """
    INSERT INTO socials_post (connection_id, external_id, shared_id, kind, kind_confidence, caption,
        url, thumbnail_url, posted_at, duration_seconds, likes, comments, views, quality,
        view_definition, partial, note, source, fetched_at, metrics_due_at, created_at)
    SELECT id, id || '-' || n, '', 'VIDEO', 'guessed', 'How we made it, part ' || n,
        'https://www.youtube.com/watch?v=' || n, 'https://i.ytimg.com/vi/' || n || '/hq.jpg',
        now() - n * interval '3 days', 253, 73 + n, 9, 1000 + n,
        '{"likes": "exact", "views": "exact", "comments": "exact"}', 'youtube.views.2026-08-27',
        '[]', '', 'youtube_data', now(),
        CASE WHEN n <= 30 THEN now() + n * interval '1 hour' END, now()
    FROM socials_connection CROSS JOIN generate_series(%s, 1, -1) AS n ORDER BY id, n DESC
"""

PAST_POINTS = """
    INSERT INTO socials_snapshot (connection_id, date, followers, views, engagement_rate,
        view_definition, source, taken_at)
    SELECT id, (now() AT TIME ZONE 'UTC')::date - n, 1000 + mod(id, 1000000) - n, 1234567 - n, 3.2,
        'youtube.views.2026-08-27', 'youtube_data', now() - n * interval '1 day'
    FROM socials_connection CROSS JOIN generate_series(1, %s) AS n
"""

PAST_RUNS = """
    INSERT INTO socials_sync_run (connection_id, platform, trigger, sync_version, attempt,
        started_at, finished_at, duration_ms, outcome, error_code, message, source, calls, units,
        posts_asked, posts_delivered, posts_new, stop_reason, worker)
    SELECT id, platform, 'schedule', n, 1, now() - n * interval '2 hours' - interval '1 second',
        now() - n * interval '2 hours', 900, 'ready', '', '', 'youtube_data', 1, 1, 3, 3, 0,
        'unchanged', 'bench'
    FROM socials_connection CROSS JOIN generate_series(%s, 1, -1) AS n ORDER BY n DESC, id
"""


def multiply(row: models.Model, number: int, **values: str) -> None:
    """Insert ``number`` copies of a row in one statement; ``values``: SQL of the number ``n``."""
    columns = [f.column for f in row._meta.concrete_fields if not f.primary_key]
    table = row._meta.db_table
    told = ", ".join(values.get(name, name) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {told} "  # noqa: S608
            f"FROM {table} CROSS JOIN generate_series(1, %s) AS n WHERE id = %s",
            [number, row.pk],
        )


def rename_some_to_nobody() -> None:
    """Every fiftieth account is one that the platform does not know."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE socials_connection SET handle = 'nobody' || id, handle_key = 'nobody' || id "
            "WHERE id % 50 = 0"
        )


def number(question: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return int(cursor.fetchone()[0] or 0)


def counts(question: str) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return dict(cursor.fetchall())


def end_other_sessions() -> None:
    """As when the database restarts: everybody else's connection breaks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def reconnected(*, seconds: float = 60) -> None:
    """Wait until the database takes us again, if it was away."""
    until = time.monotonic() + seconds
    while True:
        try:
            number("SELECT 1")
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


@contextmanager
def slow_platform(seconds: float, *, faults: float = 0.0) -> Iterator[psutil.Process]:
    """A server that answers after so long, and 503 to a share of ``faults``.

    Its address goes to the settings of what is started.
    """
    server = subprocess.Popen(  # noqa: S603  our own module
        [sys.executable, "-m", "bench.latency", str(seconds), str(faults)],
        cwd=ROOT, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert server.stdout is not None
    os.environ["YOUTUBE_API_URL"] = f"http://127.0.0.1:{int(server.stdout.readline())}"
    try:
        yield psutil.Process(server.pid)
    finally:
        server.kill()
        server.wait()


@contextmanager
def cluster(
    *, workers: int, concurrency: int, fresh: bool = True, production: bool = False
) -> Iterator[psutil.Process]:
    """A worker cluster, ready to work. ``fresh``: the first, which finds no other's jobs."""
    environment = {
        **os.environ,
        **(production_settings() if production else {}),
        "WORKERS": str(workers),
        "SYNC_CONCURRENCY": str(concurrency),
        "YOUTUBE_API_KEY": "bench-key",
        "YOUTUBE_SOURCES": "youtube_data",
        "YOUTUBE_DAILY_QUOTA": "1000000000",
        "LOG_LEVEL": "CRITICAL",
    }
    if fresh:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE socials_worker, django_q_ormq")
    process = subprocess.Popen([sys.executable, "manage.py", "qcluster"], cwd=ROOT, env=environment)
    try:
        if fresh:
            wait_for("SELECT count(*) >= %s FROM socials_worker", [workers], seconds=60)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def production_settings() -> dict[str, str]:
    """What DEBUG off needs, on the measurements' database and with their keys."""
    return {
        "DEBUG": "off",
        "SECRET_KEY": settings.SECRET_KEY,
        "TOKEN_ENCRYPTION_KEYS": ",".join(settings.TOKEN_ENCRYPTION_KEYS),
        "ALLOWED_HOSTS": "127.0.0.1",
        "PUBLIC_URL": "http://127.0.0.1",
        "DATABASE_URL": address(settings.VAR_DIR / "postgres"),
    }


def wait_for(question: str, values: Sequence[int], *, seconds: float) -> None:
    """Until the database answers true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(question, values)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise TimeoutError(question)


def cpu_seconds(*roots: psutil.Process) -> float:
    """What these processes and their children have used so far, PostgreSQL's included."""
    family: set[psutil.Process] = set()
    for root in (*roots, psutil.Process(postmaster())):
        family |= {root, *root.children(recursive=True)}
    total = 0.0
    for process in family:
        try:
            # Of those that have ended, their parent knows.
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def postmaster() -> int:
    data_dir = settings.VAR_DIR / "postgres"
    address(data_dir)
    return int((data_dir / "postmaster.pid").read_text().splitlines()[0])
