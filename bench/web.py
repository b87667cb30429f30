"""A production web server on the measurements' database, and somebody who is signed in to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import quote

import psutil
from django.test import Client

from bench.hits import Address
from bench.stage import ROOT, production_settings
from socials.models import Connection
from talent.models import Talent, User
from talent.roles import Role


@contextmanager
def server() -> Iterator[tuple[psutil.Process, int]]:
    """``manage.py serve`` with DEBUG off, ready to answer: its process and its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    environment = {
        **os.environ,
        **production_settings(),
        "API_REQUESTS_PER_MINUTE": "10000000",
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)  # noqa: S603  our own
    try:
        _wait_for(port)
        yield psutil.Process(process.pid), port
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def sign_in() -> str:
    """A manager's cookie."""
    User.objects.filter(username="bench").delete()
    staff = User.objects.create_user("bench", "b@b.example", is_staff=True, role=Role.MANAGER)
    client = Client()
    client.force_login(staff, backend="talent.backends.RoleBackend")
    return f"sessionid={client.cookies['sessionid'].value}"


def mixed(people: int = 20) -> list[Address]:
    """What a staffed office asks for: of ten requests six polls, a list, a page and two of the API."""
    found: list[Address] = []
    for talent in Talent.objects.order_by("pk")[:people]:
        row = Connection.objects.get(talent=talent)
        live = Address(f"/talent/{talent.pk}/profiles/live?ids={row.pk}&version={quote('0')}")
        account = Address(f"/api/admin/socials/{row.pk}", '"an-old-one"')
        accounts = Address(f"/api/admin/talent/{talent.pk}/social-connections", '"an-old-one"')
        found += [
            live, account, Address("/"), live, accounts, Address(f"/talent/{talent.pk}"), live,
            Address("/api/admin/talent?limit=50"), live, Address("/api/admin/queue-stats"),
        ]  # fmt: skip
    return found


def with_etags(port: int, cookie: str, addresses: Sequence[Address]) -> list[Address]:
    """The same, with the ETags that a poll has from its last answer."""
    known: dict[str, str] = {}
    for path in {one.path for one in addresses if one.etag}:
        ask = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Cookie": cookie})
        with urllib.request.urlopen(ask, timeout=30) as answer:  # noqa: S310  our own server
            known[path] = answer.headers["ETag"]
    return [Address(one.path, known.get(one.path, "")) for one in addresses]


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 300  # collecting static files takes a while, once
    while time.monotonic() < deadline:
        with (
            suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5),
        ):
            return
        time.sleep(0.1)
    raise TimeoutError("the web server did not start")
