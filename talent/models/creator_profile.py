"""A user's own settings, and the creator that she says she is. Two tables on purpose."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class UserSettings(models.Model):
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="settings",
    )
    display_name = models.CharField(max_length=100, blank=True)
    company = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=100, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "talent_user_settings"
        verbose_name_plural = "user settings"

    def __str__(self) -> str:
        return f"Settings of {self.user_id}"


class ScrapeStatus(models.TextChoices):
    PENDING = "PENDING"
    SYNCING = "SYNCING"
    READY = "READY"
    ERROR = "ERROR"


class CreatorProfile(models.Model):
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="creator_profile"
    )
    tiktok_handle = models.CharField(max_length=100, blank=True)
    display_name = models.CharField(max_length=200, blank=True)
    bio = models.TextField(blank=True)
    avatar_url = models.CharField(max_length=2000, blank=True)
    tiktok_followers = models.BigIntegerField(null=True, blank=True)
    hearts = models.BigIntegerField(null=True, blank=True)
    videos = models.BigIntegerField(null=True, blank=True)
    following = models.BigIntegerField(null=True, blank=True)
    verified = models.BooleanField(null=True, blank=True)
    scrape_status = models.CharField(  # noqa: DJ001  null: none yet
        max_length=16, choices=ScrapeStatus.choices, null=True, blank=True
    )
    scrape_error = models.TextField(blank=True)
    scrape_requested_at = models.DateTimeField(null=True, blank=True)
    scraped_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "talent_creator_profile"

    def __str__(self) -> str:
        return f"@{self.tiktok_handle}" if self.tiktok_handle else f"Creator {self.user_id}"
