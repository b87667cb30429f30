"""What is kept, and for how long."""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.db import connection

from scraping.providers import PROVIDERS
from socials import platforms

log = structlog.get_logger(__name__)

RUNS_KEPT_DAYS = 90
AT_ONCE = 10_000
DATED = {
    "socials_post": ("id", "fetched_at"),
    "socials_profile": ("connection_id", "fetched_at"),
    "socials_snapshot": ("id", "taken_at"),
}
"""What holds a platform's data: each table's key, and when a row was read."""

READ_AGAIN_SHARE = 0.75
"""Posts are listed again after this share of the time for which they may be kept."""


def kept_days(platform: str) -> int | None:
    """How long data of a platform's API may be kept without being read again; None: no limit.

    The operator's setting (0: no limit) where there is one, else what the platform's terms say.
    """
    told = settings.RETENTION_DAYS.get(platform)
    return (platforms.get(platform).retention_days if told is None else told) or None


def read_again_days(platform: str) -> float | None:
    """After how long without a listing a scheduled sync lists an account's posts again."""
    days = kept_days(platform)
    return days * READ_AGAIN_SHARE if days else None


def forget_stale_data() -> int:
    """Delete what platforms' APIs told and was not read again in time. How many rows."""
    return sum(map(_forget_stale, platforms.synced()))


def _forget_stale(platform: str) -> int:
    days = kept_days(platform)
    if days is None:
        return 0
    # What a scraping provider read from public pages is not the API's.
    sources = [s.name for s in platforms.get(platform).sources if s.name not in PROVIDERS]
    forgotten = {
        table: _delete(
            f"DELETE FROM {table} WHERE {key} IN ("  # noqa: S608  this module's constants
            f"SELECT kept.{key} FROM {table} kept "
            "JOIN socials_connection account ON account.id = kept.connection_id "
            f"WHERE account.platform = %s AND kept.source = ANY(%s) AND kept.{read_at} "
            "< statement_timestamp() - make_interval(days => %s) LIMIT %s)",
            [platform, sources, days, AT_ONCE],
        )
        for table, (key, read_at) in DATED.items()
    }
    if any(forgotten.values()):
        log.info("data.forgotten", platform=platform, days=days, **forgotten)
    return sum(forgotten.values())


def forget_old_runs() -> int:
    """Delete records of syncs and of photo refreshes older than their time. How many."""
    forgotten = _delete(
        "DELETE FROM socials_sync_run WHERE id IN (SELECT id FROM socials_sync_run "
        "WHERE finished_at < statement_timestamp() - make_interval(days => %s) LIMIT %s)",
        [RUNS_KEPT_DAYS, AT_ONCE],
    )
    forgotten += _delete(
        "DELETE FROM socials_photo_run WHERE id IN (SELECT id FROM socials_photo_run "
        "WHERE at < statement_timestamp() - make_interval(days => %s) LIMIT %s)",
        [RUNS_KEPT_DAYS, AT_ONCE],
    )
    if forgotten:
        log.info("runs.forgotten", runs=forgotten)
    return forgotten


def _delete(statement: str, values: list[Any]) -> int:
    """Repeat a delete that ends with a LIMIT until nothing is left, a part at a time."""
    deleted = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            part = int(cursor.rowcount)
        deleted += part
        if part < AT_ONCE:
            return deleted
