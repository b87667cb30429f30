"""What a log line is made of, beside its secrets (``config.redaction``)."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any


def no_trace_of_refusals(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """For structlog: a traceback is for our own faults.

    Django adds one to every page that it refuses, which says nothing that the line doesn't.
    """
    if entry.get("level") not in ("error", "critical"):
        entry.pop("exc_info", None)
    return entry
