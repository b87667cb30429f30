"""Questions that the supervisor asks from outside: who listens, who lives, who is ready."""

from __future__ import annotations

import json
import os
import socket
import urllib.error
import urllib.request
from contextlib import suppress

import psycopg


def answers(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def ready(address: str) -> bool:
    """Whether the web server says that all of it works."""
    with suppress(OSError), urllib.request.urlopen(f"{address}/readyz", timeout=5) as reply:  # noqa: S310
        return bool(reply.status == 200)
    return False


def silent_seconds(database: str, pid: int) -> float | None:
    """How long ago the cluster under this guard last wrote a heartbeat (infinity: never).

    None while the database can't tell.
    """
    question = (
        "SELECT coalesce(extract(epoch FROM now() - max(heartbeat_at)), 'infinity') "
        "FROM socials_worker WHERE host = %s AND cluster LIKE %s"
    )
    with suppress(psycopg.Error), psycopg.connect(database, connect_timeout=3) as connection:
        answer = connection.execute(question, [socket.gethostname(), f"%:{pid}"]).fetchone()
        return float(answer[0]) if answer else None
    return None


def why_not_ready(address: str) -> str:
    """What the web server itself says is missing, in the words of its checks."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5):  # noqa: S310
            return "it is ready now"
    except urllib.error.HTTPError as error:
        with suppress(ValueError), error:
            checks = json.loads(error.read()).get("checks", {})
            return "; ".join(f"{name}: {told}" for name, told in checks.items() if told != "ok")
        return f"/readyz answers {error.code}"
    except OSError:
        return "the web server does not answer"


def exists(pid: int) -> bool:
    """Whether a process has this number, be it ours or not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
