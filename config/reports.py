"""Our own faults, told to Sentry (or what speaks its protocol) where SENTRY_DSN names one.

What the log says at ERROR is told, with the line's fields and, for an exception, its stack. Refusals
and platforms that fail are no faults of ours: the log says them at lower levels.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.types import Event, Hint
from structlog.contextvars import get_contextvars

from config import redaction

TAGS = ("event", "request_id", "sync_id", "job")
"""Fields by which reports are found."""


def start(dsn: str, *, environment: str) -> None:
    """From now on, in this process and those forked from it.

    Nothing is sent but what ``Reports`` tells: no request's body, no headers, no local variables.
    """
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        before_send=_cleaned,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            AtexitIntegration(callback=lambda pending, timeout: None),
            DedupeIntegration(),
            ExcepthookIntegration(),
            ThreadingIntegration(propagate_scope=False),
        ],
    )


class Reports(logging.Handler):
    """A handler of the root logger. The SDK sends from a thread of its own, and keeps its faults;
    what a line itself breaks never reaches whoever wrote it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._tell(record)
        except Exception:  # noqa: BLE001  fields are of any kind, and so is what their words raise
            self.handleError(record)

    def _tell(self, record: logging.LogRecord) -> None:
        line = dict(record.msg) if isinstance(record.msg, Mapping) else {}
        error = _error_of(record.exc_info or line.pop("exc_info", None))
        fields = get_contextvars() | {"event": record.getMessage()} | line
        with sentry_sdk.new_scope() as scope:
            scope.set_context("line", fields)
            scope.set_tag("logger", record.name)
            for name in TAGS:
                if name in fields:
                    scope.set_tag(name, str(fields[name]))
            if error is None:
                scope.capture_message(str(fields["event"]), level="error")
            else:
                scope.capture_exception(error)


def _error_of(told: Any) -> BaseException | None:
    """The exception of a line: itself, its triple, or ``True`` for the one that is handled now."""
    if isinstance(told, BaseException):
        return told
    if isinstance(told, tuple):
        return told[1] if isinstance(told[1], BaseException) else None
    return sys.exc_info()[1] if told else None


def _cleaned(event: Event, _hint: Hint) -> Event:
    cleaned: Event = redaction.value("", event)
    return cleaned
