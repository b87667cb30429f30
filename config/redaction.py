"""Log lines without secrets: addresses that open something are cut, queries are left out."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

CUT = "[cut]"
# An invite's or a kit's link opens what it names; a callback's query holds a code and a state.
_LINKS = re.compile(
    r"(/(?:connect|kit)/|/oauth/\w+/confirm/|/callbacks/meta/deletion/)[^/\s?#\"'&]+"
)
_QUERY = re.compile(r"(\s/[^\s?]*|^/[^\s?]*|https?://[^\s?\"']+)\?[^\s\"']+")


def redacted(text: str) -> str:
    return _QUERY.sub(rf"\1?{CUT}", _LINKS.sub(rf"\1{CUT}", text))


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every text of a line, tracebacks included."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = redacted(value)
    return event
