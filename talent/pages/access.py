"""Who may open which page: staff read, managers act. The same rule as the API and the admin."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from talent.models import User
from talent.roles import can_read, can_write

P = ParamSpec("P")
METHODS = ("GET", "HEAD", "POST")
EXPIRED = (
    "You signed in again since this page was opened. Nothing was changed: reload it and try again."
)
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def own_page(view: View[P]) -> View[P]:
    """Signed-in staff of any role, who may also change here, for it is their own.

    Anybody else signs in first, and a fragment takes its whole page along.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _sign_in_first(request)
        if not can_read(request.user):
            raise PermissionDenied
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        return view(request, *args, **kwargs)

    return guarded


def own_action(view: View[P]) -> View[P]:
    """A change of what is one's own: POST only."""
    return own_page(require_POST(view))


def staff_page(view: View[P]) -> View[P]:
    """Signed-in staff, of whom managers alone may change something."""

    @own_page
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method not in {"GET", "HEAD"} and not can_write(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def manager_page(view: View[P]) -> View[P]:
    """A page that viewers don't see either."""

    @staff_page
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not can_write(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def manager_action(view: View[P]) -> View[P]:
    """A change: POST only, by a manager."""
    return manager_page(require_POST(view))


def actor(request: HttpRequest) -> User:
    """The signed-in person, for the activity log."""
    assert isinstance(request.user, User)
    return request.user


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form of an earlier sign-in; a part of a page whose reader has left is led to the sign-in."""
    if not request.headers.get("HX-Request"):
        return render(request, "403.html", {"expired_form": True}, status=403)
    if not request.user.is_authenticated:
        return _sign_in_first(request)
    response = HttpResponse(status=403)
    response["HX-Trigger"] = json.dumps({"toast": {"text": EXPIRED, "kind": "error"}})
    return response


def _sign_in_first(request: HttpRequest) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return redirect_to_login(request.get_full_path())
    page = urlsplit(request.headers.get("HX-Current-URL", "/"))
    back = page.path + (f"?{page.query}" if page.query else "")
    response = HttpResponse(status=204)
    response["HX-Redirect"] = f"{reverse('login')}?{urlencode({'next': back})}"
    return response
