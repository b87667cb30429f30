"""What rows of different actors have in common: how they tell a failure, and odd posts."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from scraping.errors import (
    Blocked,
    Failure,
    NotFound,
    PlatformUnavailable,
    PrivateAccount,
)
from scraping.wire import Fields

NOT_FOUND = frozenset({"not_found", "channel_does_not_exist"})
NOT_FOUND_WORDS = ("profile/hashtag does not exist", "channel does not exist", "page not found")
RESTRICTED = ("restricted_page", "restricted profile")


def failure_told(row: Fields) -> Failure | None:
    """The failure that a row tells of its account, or None when it tells none.

    Runs succeed all the same: single accounts fail inside them. ``no_items`` and the like may mean
    private, blocked or bad luck, so they are never read as "not found".
    """
    error, code, note = row.text("error"), row.text("errorCode"), row.text("note")
    told = " · ".join(t for t in (error, code, row.text("errorDescription"), note) if t)[:300]
    words = told.lower()
    where: dict[str, Any] = {"platform": row.platform, "source": row.source}
    if {(error or "").lower(), (code or "").lower()} & NOT_FOUND or any(
        sign in words for sign in NOT_FOUND_WORDS
    ):
        return NotFound(f"Apify finds no such account ({told}).", **where)
    if "profile is private" in words:
        return PrivateAccount(**where)
    if any(sign in words for sign in RESTRICTED):
        return Blocked(f"the profile is shown to signed-in people only: {told}", **where)
    if error or code or row.items("requestErrorMessages"):
        return PlatformUnavailable(f"the scraper got nothing this time: {told}", **where)
    return None


def last_segment(text: str) -> str:
    """``name`` of ``name``, ``@name`` and of a profile URL that ends in it."""
    path = unquote(text).partition("?")[0].partition("#")[0].strip().rstrip("/")
    return path.rpartition("/")[2].lstrip("@").lower()


def texts(row: Fields | None, *keys: str) -> list[str]:
    """Those of the row's fields that are text, in this order."""
    values = [row.value.get(key) for key in keys] if row is not None else []
    return [value for value in values if isinstance(value, str) and value]
