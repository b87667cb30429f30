"""Webhooks to a receiver that fails three times in ten, while the worker cluster is killed over and over.

Promised: every message arrives at least once, and one that comes twice carries the same id.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from django.conf import settings
from django.db import connection

from bench.figures import Figure
from bench.stage import ROOT, counts, number
from socials import outbox, webhooks
from socials.models import Event, Webhook
from talent.queue import later

MESSAGES = 400
FAULTS = 0.3
ANSWER_SECONDS = 0.1
KILLS = 3
SECONDS = 300


class Receiver:
    """Counts what came, by message id: all of it, and what it answered well."""

    def __init__(self, faults: float) -> None:
        self.came: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self._faults, self._chance = faults, random.Random(1)  # noqa: S311  no secret
        receiver = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.judge(self.headers["webhook-id"])
                time.sleep(ANSWER_SECONDS)  # so that some are under way when their sender dies
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def judge(self, message_id: str) -> int:
        self.came[message_id] += 1
        if self._chance.random() < self._faults:
            return 503
        self.taken[message_id] += 1
        return 200


def measure() -> list[Figure]:
    receiver = Receiver(FAULTS)
    host = f"127.0.0.1:{receiver.server.server_port}"
    settings.SANDBOX_HOSTS = [host]
    Webhook.objects.all().delete()
    webhook = webhooks.create(url=f"http://{host}/hook", events=[Event.TALENT_MILESTONE])
    for talent in range(MESSAGES):
        outbox.emit(Event.TALENT_MILESTONE, talent, {"milestone": 10_000})
    begun = time.perf_counter()
    for _ in range(KILLS):
        with _cluster(host):
            _until(len(receiver.taken) + MESSAGES // (KILLS + 2), receiver)
        # Nobody is left who could hold one: what the dead one had is due once its claim has run out.
        _time_passes("true")
    with _cluster(host):
        _until(MESSAGES, receiver)
        _settled()
    seconds = time.perf_counter() - begun
    receiver.server.shutdown()
    ids = set(webhook.deliveries.values_list("message_id", flat=True))
    told: dict[str, Any] = {
        "messages": MESSAGES, "requests": sum(receiver.came.values()), "kills": KILLS,
        "seconds, waits cut short": seconds,
        **counts("SELECT status, count(*) FROM socials_webhook_delivery GROUP BY 1"),
    }  # fmt: skip
    twice = sum(1 for times in receiver.taken.values() if times > 1)
    return [
        Figure("messages that never arrived", len(ids - set(receiver.taken)), at_most=0, unit="", made_of=told),
        Figure("ids that were never ours", len(set(receiver.came) - ids), at_most=0, unit=""),
        Figure("messages taken twice, under their own id", twice, unit=""),
    ]  # fmt: skip


def _until(wanted: int, receiver: Receiver) -> None:
    """Until so many messages were taken; waits between attempts are cut short."""
    deadline = time.monotonic() + SECONDS
    while len(receiver.taken) < min(wanted, MESSAGES):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(receiver.taken)} of {wanted} messages after {SECONDS} s")
        _time_passes("claim = ''")
        time.sleep(0.5)


def _settled() -> None:
    deadline = time.monotonic() + SECONDS
    waiting = "SELECT count(*) FROM socials_webhook_delivery WHERE status = 'pending'"
    while number(waiting):
        if time.monotonic() > deadline:
            raise TimeoutError("Some outcome was never written down.")
        _time_passes("claim = ''")
        time.sleep(0.5)


def _time_passes(whose: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE socials_webhook SET paused_until = NULL")
        cursor.execute(
            "UPDATE socials_webhook_delivery SET next_attempt_at = now() "  # noqa: S608
            f"WHERE status = 'pending' AND {whose}"
        )
    later(outbox.DELIVER)


@contextmanager
def _cluster(host: str) -> Iterator[None]:
    """A worker cluster that ends by kill -9, with everything that it started."""
    environment = {**os.environ, "SANDBOX_HOSTS": host, "WORKERS": "2", "LOG_LEVEL": "CRITICAL"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=ROOT,
        env=environment,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
