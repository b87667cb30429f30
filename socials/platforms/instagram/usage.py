"""What Meta's headers tell of the limits: percent used, and when a full one is free again.

They are optional and come in several forms; one that can't be read is counted as drift and ignored.
Reference: https://developers.facebook.com/docs/graph-api/overview/rate-limiting
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from scraping.http import LONGEST_WAIT, Reply
from scraping.meter import Meter, Usage

APP = "instagram.app"
"""The limit that all calls of the app share (``X-App-Usage``)."""
APP_HEADER = "x-app-usage"
ACCOUNT_HEADER = "x-business-use-case-usage"
PERCENTS = ("call_count", "total_time", "total_cputime")


def observe(
    reply: Reply, meter: Meter, source: str, now: datetime, *, shared: bool
) -> datetime | None:
    """Tell the meter the limits that this reply mentions; the end of a full one, if told.

    ``shared`` says that all readings of this source use one token, so that an account's limit
    holds them all up. Of a talent's own limit only the end is handed back: it concerns no other.
    """
    ends = []
    for header, read in ((APP_HEADER, _app), (ACCOUNT_HEADER, _accounts)):
        if header not in reply.headers:
            continue
        try:
            usages = list(read(json.loads(reply.headers[header]), now))
        except (ValueError, TypeError, AttributeError, RecursionError):
            meter.unknown(source, f"headers.{header}")
            continue
        for usage in usages:
            ends.append(usage.blocked_until)
            if shared or header == APP_HEADER:
                meter.observe(usage)
    return max(filter(None, ends), default=None)


def _app(value: Any, now: datetime) -> Iterator[Usage]:
    if value:
        yield _usage(APP, value, now)


def _accounts(value: Any, now: datetime) -> Iterator[Usage]:
    if not isinstance(value, dict):
        raise TypeError
    for account_id, entries in value.items():
        for entry in entries if isinstance(entries, list) else [entries]:
            # The header also tells of advertising limits, which are not ours.
            if str(entry.get("type", "instagram")).startswith("instagram"):
                yield _usage(f"instagram.account.{account_id[:40]}", entry, now)


def _usage(bucket: str, entry: Mapping[str, Any], now: datetime) -> Usage:
    """Raises TypeError or ValueError for an entry without a readable percentage."""
    percents = [_number(entry[name]) for name in PERCENTS if entry.get(name) is not None]
    if not percents:
        raise ValueError(bucket)
    minutes = _number(entry.get("estimated_time_to_regain_access") or 0)
    wait = min(timedelta(minutes=min(minutes, 1e6)), LONGEST_WAIT)
    return Usage(bucket, math.ceil(min(max(percents), 1e6)), now + wait if minutes > 0 else None)


def _number(value: Any) -> float:
    number = float(value)
    if not 0 <= number < math.inf:
        raise ValueError(value)
    return number
