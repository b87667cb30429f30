"""Somebody who signs in: staff, or a talent with an account of her own."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from talent.roles import Role


class User(AbstractUser):
    role = models.CharField(
        max_length=16,
        choices=Role.choices,
        default=Role.NONE,
        blank=True,
        help_text="Managers edit, viewers read. Needs staff status. Superusers may do everything.",
    )
    avatar_url = models.URLField(max_length=2000, blank=True)

    class Meta:
        db_table = "talent_user"

    def __str__(self) -> str:
        return self.get_full_name() or self.username
