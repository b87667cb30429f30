"""The back office's front: Greenroom's name on Django's admin, for staff with a role."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from talent.roles import can_read


class GreenroomAdminSite(AdminSite):
    site_header = "Greenroom"
    site_title = "Greenroom"
    index_title = "Back office"
    site_url = "/"
    empty_value_display = "—"

    def has_permission(self, request: HttpRequest) -> bool:
        return can_read(request.user)
