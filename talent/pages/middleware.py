"""Staff who still owe the house a second factor get no further than where it is set up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from talent.roles import must_set_up_second_factor

SET_UP = "second-factor"
OPEN = frozenset(
    {SET_UP, "second-factor-begin", "second-factor-confirm", "login", "logout", "theme"}
)


class RequireSecondFactor:
    """The API in a browser asks by itself (``talent.api.authentication``): a token is let through."""

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
