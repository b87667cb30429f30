"""What a platform's hub was asked to tell us by itself."""

from __future__ import annotations

from django.db import models

from talent.encryption import SecretField


class PushSubscription(models.Model):
    """A channel whose news YouTube's hub pushes to us, until the lease ends."""

    class State(models.TextChoices):
        ASKED = "asked"
        ACTIVE = "active"
        DENIED = "denied"

    channel_id = models.CharField(max_length=120, unique=True)
    secret = SecretField(help_text="Signs what the hub sends.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    ask_at = models.DateTimeField(db_index=True, help_text="When the hub is asked (again).")
    refusals = models.PositiveSmallIntegerField(default=0, help_text="In a row.")
    reason = models.CharField(max_length=200, blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "socials_push_subscription"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="active") | models.Q(lease_expires_at__isnull=False),
                name="push_active_means_leased",
            )
        ]

    def __str__(self) -> str:
        return self.channel_id
