"""The thread through the logs: which request, or which background job, began what is happening."""

from __future__ import annotations

from structlog.contextvars import get_contextvars


def began_by() -> str:
    """The id of the request or job under way; empty outside of both."""
    known = get_contextvars()
    return str(known.get("request_id") or known.get("job_id") or "")
