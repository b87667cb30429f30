"""The one door to the job queue: a job is enqueued in the transaction that made it due."""

from __future__ import annotations

from typing import Any

from django_q.models import OrmQ
from django_q.tasks import async_task


def later(task: str, *args: Any, **options: Any) -> None:
    """Run ``task`` (a dotted name of a ``tasks`` module) soon, in a worker, if we commit.

    The ORM broker writes to our own database, so the row stands or falls with the transaction.
    """
    async_task(task, *args, **options)


def waiting() -> int:
    """Jobs in the queue, those under way included."""
    return int(OrmQ.objects.count())
