"""What the database takes of what platforms tell: text, addresses and counts, made fit."""

from __future__ import annotations

import re

from scraping.types import MAX_COUNT

WEB = re.compile(r"https?://[^\s]", re.IGNORECASE)


def clean(text: str | None, limit: int | None = None) -> str:
    """Text that PostgreSQL takes: no NUL, no lone surrogate, no more than ``limit`` characters."""
    if not text:
        return ""
    if not text.isascii():
        text = text.encode(errors="replace").decode()
    return text.replace("\x00", "")[:limit]


def link(url: str | None, limit: int) -> str:
    """A web address, or nothing: a cut one would lead elsewhere, and ``javascript:`` is a trap."""
    whole = clean(url)
    return whole if len(whole) <= limit and WEB.match(whole) else ""


def count(value: int | None) -> int | None:
    return value if value is not None and 0 <= value <= MAX_COUNT else None
