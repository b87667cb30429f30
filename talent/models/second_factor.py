"""A person's authenticator app, and the codes on paper for the day when the phone is lost."""

from __future__ import annotations

from django.db import models

from talent.encryption import SecretField


class SecondFactor(models.Model):
    """The secret that a person's app shares with us; ``confirmed_at`` says that it is in use."""

    user = models.OneToOneField(
        "talent.User", models.CASCADE, primary_key=True, related_name="second_factor"
    )
    secret = SecretField(help_text="Base32, as authenticator apps take it.")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(
        default=-1, help_text="The 30 seconds whose code was used last: no code is taken twice."
    )
    failures = models.PositiveSmallIntegerField(default=0, help_text="Wrong codes in a row.")
    paused_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "talent_second_factor"

    def __str__(self) -> str:
        return f"Second factor of {self.user_id}"


class RecoveryCode(models.Model):
    """Stands in for the app once. Only its hash is kept: it is 80 random bits."""

    user = models.ForeignKey("talent.User", models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "talent_recovery_code"
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")
        ]

    def __str__(self) -> str:
        return f"Recovery code of {self.user_id}"
