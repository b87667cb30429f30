"""Django's permissions, derived from the role, so that the admin obeys the same rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.auth.backends import ModelBackend

from talent.roles import can_read, can_write

if TYPE_CHECKING:
    from django.http import HttpRequest

    from talent.models import User

LONGEST_NAME = 150
GREENROOM_APPS = frozenset({"talent", "socials", "scraping"})


class RoleBackend(ModelBackend):
    """Django's permissions, derived from the role, so that the admin obeys the same rule."""

    def has_perm(self, user_obj: User, perm: str, obj: Any = None) -> bool:  # type: ignore[override]
        if super().has_perm(user_obj, perm, obj):
            return True
        app, _, name = perm.partition(".")
        if app not in GREENROOM_APPS:
            return False
        if name.startswith("view_"):
            return can_read(user_obj)
        return can_write(user_obj) and not name.endswith("_user")

    def has_module_perms(self, user_obj: User, app_label: str) -> bool:  # type: ignore[override]
        return super().has_module_perms(user_obj, app_label) or (
            app_label in GREENROOM_APPS and can_read(user_obj)
        )


def tried_name(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The name of a sign-in, cut to what the log of failed ones holds."""
    name = (credentials or request.POST).get("username")
    return str(name or "")[:LONGEST_NAME]
