"""Is it alive, is it ready: what load balancers and ``make run`` ask. Queries only, no secrets.

Both are answered before anything else, for who asks often comes by address instead of by name,
over plain HTTP, every few seconds: no host check, no redirect, no line in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max, Min
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from socials.models import Connection, SyncStatus, Worker

logger = logging.getLogger(__name__)

LATE = timedelta(seconds=60)
OVERDUE = timedelta(minutes=5)
OK = "ok"

_migrated = False  # once all are applied it stays so for the life of this process


class HealthMiddleware:
    """Answers ``/healthz`` and ``/readyz``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in ANSWERS:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = ANSWERS[request.path]()
        response["Cache-Control"] = "no-store"
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django: no news, no log
        return response


def healthz() -> HttpResponse:
    """The process answers. Says nothing of what it needs."""
    return JsonResponse({"status": OK})


def readyz() -> HttpResponse:
    """Whether work can be done now: 200, or 503 and which check says why not."""
    told: dict[str, str] = {}
    for check in (database, migrations, workers, queue):
        # What an unreachable database or missing tables would say of the rest is noise.
        told[check.__name__] = _asked(check) if set(told.values()) <= {OK} else "not asked"
    healthy = all(answer == OK for answer in told.values())
    return JsonResponse(
        {"status": OK if healthy else "unavailable", "checks": told},
        status=200 if healthy else 503,
    )


ANSWERS: dict[str, Callable[[], HttpResponse]] = {"/healthz": healthz, "/readyz": readyz}


def _asked(check: Callable[[], str]) -> str:
    try:
        return check()
    except Error as error:
        # The text of a database error can name hosts and users: the log may, the world may not.
        logger.warning("health check %s failed: %s", check.__name__, error)
        return "does not answer"


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def migrations() -> str:
    global _migrated  # noqa: PLW0603
    if not _migrated:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if missing:
            return f"{missing} not applied"
        _migrated = True
    return OK


def workers() -> str:
    """A sign of life of any worker within the last minute."""
    last = Worker.objects.aggregate(last=Max("heartbeat_at"))["last"]
    if last is None:
        return "none has started"
    late = timezone.now() - last
    return OK if late <= LATE else f"no sign of life for {int(late.total_seconds())} s"


def queue() -> str:
    """Nothing that is due waits longer than five minutes."""
    waiting = Connection.objects.filter(
        sync_status=SyncStatus.PENDING, next_attempt_at__lt=Now() - OVERDUE
    ).aggregate(oldest=Min("next_attempt_at"))["oldest"]
    if waiting is None:
        return OK
    return f"the oldest has waited {int((timezone.now() - waiting).total_seconds())} s"
