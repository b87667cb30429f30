"""The page for our own faults: it needs no database, and says by what name support finds it."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def server_error(request: HttpRequest) -> HttpResponse:
    known = structlog.contextvars.get_contextvars()
    # no request: no context processor runs, so neither session nor messages are read
    page = render_to_string("500.html", {"reference": known.get("request_id", "")})
    return HttpResponse(page, status=500)
