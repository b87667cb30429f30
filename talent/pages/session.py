"""Signing in and out, and the theme that a person likes."""

from __future__ import annotations

import time
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from talent import second_factor
from talent.buckets import BUCKETS, address_of
from talent.models import User

THEMES = ("system", "light", "dark")
A_YEAR = 365 * 86_400
HALFWAY = "halfway"
HALFWAY_SECONDS = 600


class SignInForm(AuthenticationForm):
    """Username and password; "keep me signed in" makes the session outlive the browser."""

    keep = forms.BooleanField(required=False)

    error_messages = {
        "invalid_login": "That username and password don't match.",
        "inactive": "This account is switched off. Ask an administrator.",
    }


class SignIn(LoginView):
    form_class = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tries with ever other names from one address are paused as well."""
        key = f"sign-in:{address_of(request)}"
        wait = BUCKETS.take(key, settings.SIGN_INS_PER_MINUTE, time.monotonic())
        if not wait:
            return super().post(request, *args, **kwargs)
        response = render(request, "registration/locked.html", {"address": True}, status=429)
        response["Retry-After"] = str(int(wait) + 1)
        return response

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Signed in; or, with a second factor, only halfway: still nobody to every page."""
        person, keep = form.get_user(), form.cleaned_data["keep"]
        assert isinstance(person, User)
        if person.second_factor_at is None:
            return _enter(self.request, person, keep=keep, to=self.get_success_url())
        self.request.session.cycle_key()
        self.request.session[HALFWAY] = {
            "person": person.pk,
            "hash": person.get_session_auth_hash(),
            "backend": person.backend,  # type: ignore[attr-defined]
            "keep": keep,
            "to": self.get_success_url(),
            "until": int(time.time()) + HALFWAY_SECONDS,
        }
        return redirect("login-code")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next_field=REDIRECT_FIELD_NAME, **kwargs)


@never_cache
@sensitive_post_parameters("code")
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second half of signing in: the code of the app, or a recovery code."""
    halfway = request.session.get(HALFWAY) or {}
    person = _halfway(halfway)
    if person is None:
        return redirect("login")
    if request.method != "POST":
        return render(request, "registration/code.html")
    try:
        second_factor.verify(person, request.POST.get("code", ""))
    except second_factor.WrongCode:
        return render(request, "registration/code.html", {"wrong": True}, status=422)
    except second_factor.Paused:
        return render(request, "registration/code.html", {"paused": True}, status=429)
    del request.session[HALFWAY]
    person.backend = halfway["backend"]  # type: ignore[attr-defined]
    return _enter(request, person, keep=halfway["keep"], to=halfway["to"])


def _halfway(halfway: dict[str, Any]) -> User | None:
    """Whose password was right a moment ago, and is still the same."""
    if halfway.get("until", 0) < time.time():
        return None
    person = User.objects.filter(pk=halfway["person"], is_active=True).first()
    if person and constant_time_compare(person.get_session_auth_hash(), halfway["hash"]):
        return person
    return None


def _enter(request: HttpRequest, person: User, *, keep: bool, to: str) -> HttpResponse:
    login(request, person)
    if not keep:
        request.session.set_expiry(0)
    return HttpResponseRedirect(to)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """The next theme (system, light, dark) for this browser, and back to the page."""
    current = request.COOKIES.get("theme", "system")
    following = THEMES[(THEMES.index(current) + 1) % 3] if current in THEMES else "light"
    response = HttpResponseRedirect(_own_page(request))
    response.set_cookie(
        "theme", following, max_age=A_YEAR, samesite="Lax", secure=request.is_secure()
    )
    return response


def _own_page(request: HttpRequest) -> str:
    page = request.headers.get("Referer", "/")
    own = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if own else "/"


sign_in = never_cache(SignIn.as_view())
