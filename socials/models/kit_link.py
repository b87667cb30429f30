"""The public link to a talent's media kit: unguessable, revocable, with what it may show."""

from __future__ import annotations

import secrets
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from talent.encryption import SecretField
from talent.models import Talent


class KitMetric(models.TextChoices):
    """What a media kit can show; the name alone is always there."""

    PHOTO = "photo", "Photo"
    BIO = "bio", "Bio, place and tags"
    FOLLOWERS = "followers", "Followers"
    ENGAGEMENT = "engagementRate", "Engagement"
    VIEWS = "averageViews", "Average views"
    GROWTH = "growth", "Growth, 30 days"
    PACE = "postsPerWeek", "Posts per week"
    HISTORY = "history", "Followers over 12 months"
    POSTS = "bestPosts", "Top posts"
    LINKS = "links", "Links to X and LinkedIn"
    CONTACT = "contact", "The manager's name and e-mail"


class KitLinkQuerySet(models.QuerySet["KitLink"]):
    def open(self) -> Self:
        """Links that still work."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), talent__status="active")


class KitLink(models.Model):
    """Found by the token's hash; the token itself is encrypted. A talent has one at a time."""

    talent = models.ForeignKey(Talent, models.CASCADE, related_name="kit_links")
    token_hash = models.CharField(max_length=64, unique=True)
    token = SecretField()
    metrics = ArrayField(
        models.CharField(max_length=20, choices=KitMetric.choices),
        help_text="What it shows, in this order.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    views = models.PositiveBigIntegerField(
        default=0, help_text="Opened by people who aren't staff."
    )
    last_viewed_at = models.DateTimeField(null=True, blank=True)

    objects = KitLinkQuerySet.as_manager()

    class Meta:
        db_table = "socials_kit_link"
        constraints = [
            models.UniqueConstraint(
                fields=["talent"], condition=Q(revoked_at=None), name="kit_link_one_open"
            ),
            models.CheckConstraint(condition=~Q(metrics=[]), name="kit_link_shows_something"),
        ]

    def __str__(self) -> str:
        return f"Media kit of {self.talent_id}"

    @staticmethod
    def new_token() -> str:
        return secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        return f"{settings.PUBLIC_URL}/kit/{self.token}"
