"""A talent's permission to us: tokens (encrypted at rest), scopes, expiry."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from socials.models.connection import Connection
from talent.encryption import SecretField


class GrantQuerySet(models.QuerySet["Grant"]):
    def wear_out(self, connection_id: int, *, asked_at: datetime) -> None:
        """The platform refuses an access token before its time: the next reading renews it first.

        Not where nothing can renew it, nor where it was renewed for this very sync.
        """
        older = models.Q(refreshed_at=None) | models.Q(refreshed_at__lt=asked_at)
        self.filter(older, pk=connection_id).exclude(refresh_token="").update(expires_at=Now())


class Grant(models.Model):
    connection = models.OneToOneField(
        Connection, models.CASCADE, primary_key=True, related_name="grant"
    )
    access_token = SecretField()
    refresh_token = SecretField(blank=True)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    refresh_expires_at = models.DateTimeField(null=True, blank=True)
    app_user_id = models.CharField(max_length=120, blank=True, db_index=True)
    granted_at = models.DateTimeField()
    refreshed_at = models.DateTimeField(null=True, blank=True)
    refresh_after = models.DateTimeField(
        null=True, blank=True, help_text="Cool-down after a refresh that failed."
    )

    objects = GrantQuerySet.as_manager()

    class Meta:
        db_table = "socials_grant"

    def __str__(self) -> str:
        return f"Grant of {self.connection_id}"


class Revocation(models.Model):
    """A grant of a deleted account that is still to be given back to its platform."""

    platform = models.CharField(max_length=16)
    access_token = SecretField()
    refresh_token = SecretField(blank=True)
    app_user_id = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "socials_revocation"

    def __str__(self) -> str:
        return f"Revocation at {self.platform}"

    @classmethod
    def take(
        cls,
        platform: str,
        *,
        access_token: str,
        refresh_token: str = "",
        app_user_id: str = "",
        external_id: str = "",
        talent_id: int | None = None,
    ) -> Self | None:
        """Queue a grant for revocation, unless another account of ours lives on it.

        Platforms know one permission per person and app: it would die there too. Where the person
        is not told (Google tells the channel only), the talent's other accounts count as hers.
        """
        same = models.Q(pk__in=[])
        if app_user_id:
            same |= models.Q(app_user_id=app_user_id)
        elif talent_id is not None:
            same |= models.Q(connection__talent=talent_id)
        if external_id:
            same |= models.Q(connection__external_id=external_id)
        if Grant.objects.filter(same, connection__platform=platform).exists():
            return None
        return cls.objects.create(
            platform=platform,
            access_token=access_token,
            refresh_token=refresh_token,
            app_user_id=app_user_id,
            due_at=timezone.now(),
        )
