"""Pages of the people themselves: sign-in and its like."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from talent.pages import session

urlpatterns = [
    path("login", session.sign_in, name="login"),
    path("login/code", session.sign_in_code, name="login-code"),
    path("logout", LogoutView.as_view(http_method_names=["post", "options"]), name="logout"),
    path("theme", session.theme, name="theme"),
]
