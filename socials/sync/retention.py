"""What is kept, and for how long."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import connection

log = structlog.get_logger(__name__)

RUNS_KEPT = timedelta(days=90)
AT_ONCE = 10_000


def forget_old_runs() -> int:
    """Delete run records older than their time, a part at a time. How many."""
    forgotten = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM socials_sync_run WHERE id IN (SELECT id FROM socials_sync_run "
                "WHERE finished_at < statement_timestamp() - %s LIMIT %s)",
                [RUNS_KEPT, AT_ONCE],
            )
            forgotten += cursor.rowcount
            if cursor.rowcount < AT_ONCE:
                break
    if forgotten:
        log.info("runs.forgotten", runs=forgotten)
    return forgotten
