"""The cast and the stage: people, a real sandbox server, a real worker cluster, clients.

Nothing in the suite can reach the outside: every platform address points at a closed port until
``platform_settings`` points it at the sandbox.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import connection
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from socials.platforms.kit.sandbox import memory
from socials.sandbox import Sandbox, settings_for
from talent.buckets import BUCKETS
from talent.models import Talent, User
from talent.roles import Role

# How long an example takes is the machine's business: a busy one would fail what is true.
hypothesis_settings.register_profile("greenroom", deadline=None)
hypothesis_settings.load_profile("greenroom")

ROOT = Path(__file__).resolve().parent.parent
NOWHERE = "http://127.0.0.1:9"


def until(
    happens: Callable[[], Any], *, seconds: float = 10.0, what: str = "it", every: float = 0.05
) -> Any:
    """Wait until ``happens()`` is truthy and return it; fail with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        if result := happens():
            return result
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {seconds:g} s", pytrace=False)
        time.sleep(every)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of the acts gave, done side by side, each with a connection of its own."""

    def run(act: Callable[[], Any]) -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def clients_waiting() -> int:
    """How many clients of this test's database wait for a lock, also within a transaction of ours."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees one moment otherwise
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


# --- the stage ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, of which sessions of killed processes are cleared before it goes.

    Django empties it between tests of whole processes, the activity log too.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE talent_activity DISABLE TRIGGER talent_activity_not_emptied")
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def quiet_settings(settings: Any) -> None:
    """No outside world, cheap passwords, errors that carry their traceback, nobody throttled."""
    BUCKETS.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.PLATFORM_SETTINGS = {
        name: NOWHERE if name.endswith("_URL") else value
        for name, value in django_settings.PLATFORM_SETTINGS.items()
    }


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The sandbox platforms on a free port."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def platform_settings(settings: Any, quiet_settings: None, sandbox: Sandbox) -> dict[str, str]:
    """Settings that point every platform at the sandbox, which has forgotten earlier tests."""
    memory.clear()
    settings.PLATFORM_SETTINGS = {**settings.PLATFORM_SETTINGS, **settings_for(sandbox.origin)}
    settings.SANDBOX_HOSTS = [f"127.0.0.1:{sandbox.port}"]
    values: dict[str, str] = settings.PLATFORM_SETTINGS
    return values


@pytest.fixture
def process_environment(db: None, sandbox: Sandbox) -> dict[str, str]:
    """The environment of a process that works on this test's database and on the sandbox."""
    return {
        **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        "DATABASE_URL": test_database_url(),
        **settings_for(sandbox.origin),
        "SANDBOX_HOSTS": f"127.0.0.1:{sandbox.port}",
        "SECRET_KEY": django_settings.SECRET_KEY,
        "PYTHONUNBUFFERED": "1",
    }


def test_database_url() -> str:
    """The address of the database that the running test uses."""
    facts = connection.settings_dict
    user = f"{quote(facts['USER'])}:{quote(facts['PASSWORD'] or '')}@" if facts["USER"] else ""
    host = facts["HOST"] or facts.get("OPTIONS", {}).get("host", "")
    if host.startswith("/") or not host:
        return f"postgres://{user}/{facts['NAME']}?host={quote(host, safe='')}"
    return f"postgres://{user}{host}:{facts['PORT'] or 5432}/{facts['NAME']}"


test_database_url.__test__ = False  # a tool, not a test


class Cluster:
    """A real ``manage.py qcluster`` on the test's database."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        self._file = log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=ROOT,
            env=environment,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self, *, seconds: float = 20.0) -> None:
        """SIGTERM to the main process, which drains; whatever is left then is killed."""
        try:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """kill -9 the main process and everything it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(timeout=10)
        self._file.close()


@pytest.fixture
def start_worker(
    transactional_db: None, process_environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., Cluster]]:
    """Starts worker clusters, each with further settings if wanted; stops them after the test."""
    clusters: list[Cluster] = []

    def start(**further: str) -> Cluster:
        log = tmp_path / f"qcluster-{len(clusters)}.log"
        clusters.append(Cluster({**process_environment, **further}, log))
        return clusters[-1]

    yield start
    for cluster in clusters:
        cluster.stop()


@pytest.fixture
def worker(start_worker: Callable[..., Cluster]) -> Cluster:
    """One running worker cluster."""
    return start_worker()


# --- the cast ----------------------------------------------------------------------------------


@pytest.fixture
def alice(db: None) -> User:
    """A manager: she edits."""
    return User.objects.create_user(
        "alice",
        "alice@agency.example",
        "alice-password",
        first_name="Alice",
        last_name="Archer",
        is_staff=True,
        role=Role.MANAGER,
    )


@pytest.fixture
def victor(db: None) -> User:
    """A viewer: he reads."""
    return User.objects.create_user(
        "victor",
        "victor@agency.example",
        "victor-password",
        first_name="Victor",
        last_name="Vane",
        is_staff=True,
        role=Role.VIEWER,
    )


@pytest.fixture
def ruth(db: None) -> User:
    """A superuser: she may do everything."""
    return User.objects.create_superuser("ruth", "ruth@agency.example", "ruth-password")


@pytest.fixture
def tilda(db: None) -> User:
    """A talent with a sign-in of her own: no staff."""
    return User.objects.create_user("tilda", "tilda@talent.example", "tilda-password")


@pytest.fixture
def make_talent(db: None) -> Callable[..., Talent]:
    """Makes talents: ``make_talent("Jane Smith", tags=["food"])``."""

    def make(name: str = "Jane Smith", **fields: Any) -> Talent:
        slug = fields.pop("slug", name.lower().replace(" ", "-"))
        return Talent.objects.create(name=name, slug=slug, **fields)

    return make


@pytest.fixture
def jane(make_talent: Callable[..., Talent]) -> Talent:
    """A talent of the roster."""
    return make_talent("Jane Smith", email="jane@talent.example", tags=["food", "travel"])


# --- clients -----------------------------------------------------------------------------------


@pytest.fixture
def api() -> APIClient:
    """A client of the API that has not signed in."""
    return APIClient()


def _signed_in(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user, backend="talent.backends.RoleBackend")
    return client


@pytest.fixture
def alice_api(alice: User) -> APIClient:
    return _signed_in(alice)


@pytest.fixture
def victor_api(victor: User) -> APIClient:
    return _signed_in(victor)


@pytest.fixture
def tilda_api(tilda: User) -> APIClient:
    return _signed_in(tilda)


# --- the browser -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's Chromium. A machine without it fails the suite: it never passes quietly."""
    for name in ("CHROMIUM", "CHROME"):
        if path := os.environ.get(name):
            return path
    for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"):
        if Path(path).exists():
            return path
    pytest.fail("No Chromium found. `apt-get install chromium`, or set CHROMIUM to its path.")
