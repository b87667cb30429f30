"""The map: every address and the room behind it (``/healthz``, ``/readyz``: config.health)."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from socials.pages.photos import photo, thumb
from talent.api.errors import not_found

handler500 = "talent.pages.errors.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("socials.api.urls")),
    path("api/", include("talent.api.urls")),
    re_path(r"^api(/.*)?$", not_found),
    path("", include("talent.pages.urls")),
    path("", include("socials.pages.urls")),
    path("media/photos/<str:folder>/<str:file>", photo, name="photo"),
    path("media/thumbs/<str:folder>/<str:file>", thumb, name="thumb"),
]
