"""Who may do what: viewer reads, manager edits, superuser everything. One place for all doors."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import TextChoices


class Role(TextChoices):
    NONE = "", "No staff access"
    VIEWER = "viewer", "Viewer"
    MANAGER = "manager", "Manager"


def can_read(user: Any) -> bool:
    """Staff of any role."""
    return bool(user.is_active and user.is_staff and (user.is_superuser or user.role))


def can_write(user: Any) -> bool:
    """Managers and superusers."""
    return bool(
        user.is_active and user.is_staff and (user.is_superuser or user.role == Role.MANAGER)
    )


def must_set_up_second_factor(user: Any) -> bool:
    """Whether the house asks this person for a second factor that is not there yet."""
    return bool(settings.REQUIRE_SECOND_FACTOR and user.is_staff and user.second_factor_at is None)
