"""Signing in and out, and the theme that a person likes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

THEMES = ("system", "light", "dark")
A_YEAR = 365 * 86_400


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

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if not form.cleaned_data["keep"]:
            self.request.session.set_expiry(0)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next_field=REDIRECT_FIELD_NAME, **kwargs)


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
