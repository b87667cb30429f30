"""Fetching a public page, and telling a wall from an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from scraping.errors import (
    BadResponse,
    Blocked,
    Failure,
    NotFound,
    PlatformUnavailable,
    RateLimited,
)
from scraping.http import Reply
from scraping.providers.base import Outside
from scraping.wire import Fields, parsed

SOURCE = "public"
BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
PAGE = {
    "User-Agent": BROWSER,
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Language": "en-GB,en;q=0.9",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
}


def fetch(
    url: str, platform: str, context: Outside, *,
    headers: Mapping[str, str] = PAGE, params: Mapping[str, str] | None = None,
) -> Reply:  # fmt: skip
    """One GET. Raises Failure for everything but an answer with content (200 or 400)."""
    context.meter.call()
    reply = context.http.get(url, platform=platform, headers=headers, params=params)
    failure = _failure(reply, platform, context)
    if failure:
        raise failure
    return reply


def _failure(reply: Reply, platform: str, context: Outside) -> Failure | None:
    where: dict[str, Any] = {"platform": platform, "source": SOURCE}
    if 300 <= reply.status < 400:
        return Blocked("the page leads to a sign-in", **where)
    match reply.status:
        case 200 | 400:
            return None
        case 404 | 410:
            return NotFound("there is no such page", **where)
        case 401 | 403 | 407 | 451:
            return Blocked(f"the page is closed to visitors (HTTP {reply.status})", **where)
        case 429:
            return (
                RateLimited(
                    "too many visits from here",
                    retry_at=reply.retry_at(context.clock()),
                    **where,
                )
                if "retry-after" in reply.headers
                else Blocked("too many visits from here", **where)
            )
    if reply.status >= 500:
        return PlatformUnavailable(f"the page answered HTTP {reply.status}", **where)
    return BadResponse(f"the page answered HTTP {reply.status}", field="status", **where)


def script(page: str, attributes: str) -> str | None:
    """The content of the ``<script>`` that carries these attributes."""
    found = re.search(rf"<script[^>]{{0,400}}{attributes}[^>]{{0,400}}>", page)
    if found is None:
        return None
    end = page.find("</script>", found.end())
    return page[found.end() : end] if end >= 0 else None


def embedded(text: str, platform: str, context: Outside) -> Fields:
    """JSON out of a page. Raises BadResponse."""
    return _fields(parsed(text, platform=platform, source=SOURCE), platform, context)


def _fields(value: Any, platform: str, context: Outside) -> Fields:
    return Fields(value, platform=platform, source=SOURCE, meter=context.meter)
