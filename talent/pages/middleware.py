"""What every page has in common: who may come in at all, and what is said of what is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.defaults import page_not_found
from psycopg.errors import ForeignKeyViolation

from talent.roles import must_set_up_second_factor

log = structlog.get_logger(__name__)

SET_UP = "second-factor"
OPEN = frozenset(
    {SET_UP, "second-factor-begin", "second-factor-confirm", "login", "logout", "theme"}
)


class RequireSecondFactor:
    """Staff who still owe the house a second factor get no further than where it is set up.

    The API in a browser asks by itself (``talent.api.authentication``): a token is let through.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        match = request.resolver_match
        if request.path.startswith("/api/") or (match and match.view_name in OPEN):
            return None
        if not must_set_up_second_factor(request.user):
            return None
        if not request.headers.get("HX-Request"):
            return redirect(SET_UP)
        response = HttpResponse(status=204)
        response["HX-Redirect"] = reverse(SET_UP)
        return response


class GoneMeanwhile:
    """What somebody deleted while a page was at work on it is not found: no fault of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        names_what_went = isinstance(exception.__cause__, ForeignKeyViolation)
        if not (isinstance(exception, ObjectDoesNotExist) or names_what_went):
            return None
        log.warning("page.gone", error=str(exception).splitlines()[0][:200])
        return page_not_found(request, exception)
