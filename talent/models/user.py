"""Somebody who signs in: staff, or a talent with an account of her own."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac

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

    second_factor_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when a second factor is asked for."
    )

    class Meta:
        db_table = "talent_user"

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session is bound to: the password, and since when there is a second factor."""
        of_password: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        if self.second_factor_at is None:
            return of_password
        return salted_hmac(of_password, self.second_factor_at.isoformat()).hexdigest()
