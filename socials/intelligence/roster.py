"""The roster's usual engagement, against which a talent's is read."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db import connection as database

KEPT_SECONDS = 600
KEY = "intelligence:roster-medians"
FEWEST = 3
"""Fewer accounts make no median worth the name."""

_MEDIANS = """
    SELECT c.platform, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY latest.engagement_rate)
    FROM socials_connection c
    JOIN talent_talent t ON t.id = c.talent_id AND t.status = 'active'
    JOIN LATERAL (
        SELECT engagement_rate FROM socials_snapshot
        WHERE connection_id = c.id AND date > CURRENT_DATE - 8
        ORDER BY date DESC LIMIT 1
    ) latest ON latest.engagement_rate IS NOT NULL
    GROUP BY c.platform
"""


@dataclass(frozen=True, slots=True)
class Median:
    rate: float
    accounts: int


def medians() -> dict[str, Median]:
    """Platform → the median of its accounts' engagement over 30 days (by followers on Instagram,
    by views elsewhere). A figure over the roster that names nobody: kept for ten minutes.
    """
    kept: dict[str, Median] | None = cache.get(KEY)
    if kept is None:
        with database.cursor() as cursor:
            cursor.execute(_MEDIANS)
            kept = {
                platform: Median(round(rate, 2), accounts)
                for platform, accounts, rate in cursor.fetchall()
                if accounts >= FEWEST
            }
        cache.set(KEY, kept, KEPT_SECONDS)
    return kept
