"""The back office's front: Greenroom's name on Django's admin, for staff with a role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from talent.roles import can_read


class GreenroomAdminSite(AdminSite):
    site_header = "Greenroom"
    site_title = "Greenroom"
    index_title = "Back office"
    site_url = "/"
    empty_value_display = "—"

    def has_permission(self, request: HttpRequest) -> bool:
        return can_read(request.user)

    def register(self, model_or_iterable: Any, *args: Any, **options: Any) -> None:
        """All but the queue's own models: who may edit a job there could run any function."""
        one_or_many = model_or_iterable
        models = one_or_many if isinstance(one_or_many, Iterable) else [one_or_many]
        wanted = [model for model in models if model._meta.app_label != "django_q"]
        super().register(wanted, *args, **options)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one way in, with all its checks: the house's own sign-in."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
