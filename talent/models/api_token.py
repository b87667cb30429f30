"""A client's key to the API: only its hash is kept, so a stolen database opens nothing."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from talent.models.user import User

PREFIX = "grn_"
LAST_USED_STEP = timedelta(minutes=1)


def digest_of(secret: str) -> str:
    """SHA-256 is enough: the secret is 256 random bits, there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self) -> ApiTokenQuerySet:
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
            revoked_at__isnull=True,
            user__is_active=True,
        )

    def named(self, name_or_secret: str) -> ApiTokenQuerySet:
        """Tokens of this name, or the one whose secret this is."""
        return self.filter(Q(name=name_or_secret) | Q(digest=digest_of(name_or_secret)))

    def revoke(self) -> int:
        """Close every token of this set that is still open; returns how many."""
        return self.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())


class ApiToken(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12, help_text="How the token begins, to recognise it by.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        db_table = "talent_api_token"
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    # Factories

    @classmethod
    def issue(
        cls, user: User, *, name: str, expires_at: datetime | None = None
    ) -> tuple[ApiToken, str]:
        """A new token and its secret, which exists nowhere else and can't be shown again."""
        secret = PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user,
            name=name,
            digest=digest_of(secret),
            hint=secret[:10],
            expires_at=expires_at,
        )
        return token, secret

    # Mutators

    def mark_used(self) -> None:
        """Note the time of use, at most once a minute: a poll must not cost a write."""
        now = timezone.now()
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_STEP)
        if self.last_used_at is None or self.last_used_at < now - LAST_USED_STEP:
            ApiToken.objects.filter(stale, pk=self.pk).update(last_used_at=now)
