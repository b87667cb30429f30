"""What every staff page is rendered in, and how a fragment answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers

from socials import queries
from socials.pages.roster_filter import last_address
from talent.pages.access import actor
from talent.roles import can_write


def page(
    request: HttpRequest, template: str, *, here: str = "talents", status: int = 200, **context: Any
) -> HttpResponse:
    """A whole page with its sidebar; ``here`` is the entry of the sidebar that it belongs to."""
    frame = queries.frame(actor(request))
    response = render(
        request,
        template,
        {
            "frame": frame,
            "attention": frame.attention,
            "here": here,
            "list_address": last_address(request),
            "may_edit": can_write(request.user),
            **context,
        },
        status=status,
    )
    return _private(response)


def fragment(
    request: HttpRequest,
    template: str,
    *,
    toast: str = "",
    kind: str = "ready",
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """A part of a page; ``toast`` is what the person is told, ``kind`` whether it is an error."""
    response = render(
        request, template, {"may_edit": can_write(request.user), **context}, status=status
    )
    if toast:
        response["HX-Trigger"] = json.dumps({"toast": {"text": toast, "kind": kind}})
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    """Kept by nobody: a page and its fragment share an address, and after signing out the
    browser's Back must not show either."""
    patch_vary_headers(response, ["HX-Request"])
    patch_cache_control(response, private=True, no_store=True)
    return response


@contextmanager
def gone_is_404(*kinds: type[ObjectDoesNotExist]) -> Iterator[None]:
    """What is not there, or no more, is an address that does not exist."""
    try:
        yield
    except kinds:
        raise Http404 from None


def wants_fragment(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted")
