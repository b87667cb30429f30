"""What is kept, and for how long."""

from __future__ import annotations

import structlog
from django.db import connection

log = structlog.get_logger(__name__)

RUNS_KEPT_DAYS = 90
AT_ONCE = 10_000


def forget_old_runs() -> int:
    """Delete run records older than their time, a part at a time. How many."""
    forgotten = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM socials_sync_run WHERE id IN (SELECT id FROM socials_sync_run "
                "WHERE finished_at < statement_timestamp() - make_interval(days => %s) LIMIT %s)",
                [RUNS_KEPT_DAYS, AT_ONCE],
            )
            part = int(cursor.rowcount)
        forgotten += part
        if part < AT_ONCE:
            break
    if forgotten:
        log.info("runs.forgotten", runs=forgotten)
    return forgotten
