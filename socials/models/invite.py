"""Links that let a talent connect her accounts herself, and grants that wait for her yes."""

from __future__ import annotations

import hashlib
import secrets
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from socials.models.connection import Connection, platform_choices
from talent.encryption import SecretField
from talent.models import Talent


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class InviteQuerySet(models.QuerySet["Invite"]):
    def open(self) -> Self:
        """Links that still work."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), talent__status="active")


class Invite(models.Model):
    """A link for one talent. It is found by the token's hash; the token itself is encrypted."""

    talent = models.ForeignKey(Talent, models.CASCADE, related_name="invites")
    token_hash = models.CharField(max_length=64, unique=True)
    token = SecretField()
    platforms = ArrayField(models.CharField(max_length=16, choices=platform_choices))
    email = models.EmailField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)

    objects = InviteQuerySet.as_manager()

    class Meta:
        db_table = "socials_invite"
        indexes = [models.Index(fields=["talent", "-created_at"], name="invite_newest")]
        constraints = [
            models.CheckConstraint(condition=~Q(platforms=[]), name="invite_names_a_platform"),
        ]

    def __str__(self) -> str:
        return f"Invite of {self.talent_id}"

    @staticmethod
    def new_token() -> str:
        return secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        return f"{settings.PUBLIC_URL}/connect/{self.token}"

    @property
    def is_open(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


class PendingGrant(models.Model):
    """A grant that was given and not yet confirmed ("is this the right account?")."""

    id = models.CharField(max_length=64, primary_key=True)
    invite = models.ForeignKey(Invite, models.CASCADE, related_name="pending")
    platform = models.CharField(max_length=16, choices=platform_choices)
    access_token = SecretField()
    refresh_token = SecretField(blank=True)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    refresh_expires_at = models.DateTimeField(null=True, blank=True)
    account = models.JSONField(help_text="The account as read once: what the talent is shown.")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "socials_pending_grant"

    def __str__(self) -> str:
        return f"Pending {self.platform} of invite {self.invite_id}"


class Notice(models.Model):
    """Something that staff were told about a grant, so that they are told once."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16, help_text="ends-14, ends-7, ends-3, ends-1, ended.")
    about = models.DateTimeField(help_text="The end that it is about.")
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "socials_notice"
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "about"], name="notice_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.connection_id}"
