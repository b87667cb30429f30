"""An account's profile as last read. Counts are null where the source does not tell them."""

from __future__ import annotations

from django.db import models

from socials.models.connection import Connection


class Profile(models.Model):
    connection = models.OneToOneField(
        Connection, models.CASCADE, primary_key=True, related_name="profile"
    )
    display_name = models.CharField(max_length=300, blank=True)
    bio = models.TextField(null=True, blank=True)  # noqa: DJ001  null: the source can't tell
    avatar_url = models.CharField(max_length=2000, blank=True)
    followers = models.BigIntegerField(null=True, blank=True)
    following = models.BigIntegerField(null=True, blank=True)
    posts = models.BigIntegerField(null=True, blank=True)
    likes = models.BigIntegerField(null=True, blank=True)
    views = models.BigIntegerField(null=True, blank=True)
    verified = models.BooleanField(null=True, blank=True)
    private = models.BooleanField(null=True, blank=True)
    quality = models.JSONField(default=dict, help_text="Field → exact, rounded, hidden, unknown.")
    provenance = models.JSONField(
        default=dict,
        help_text="Field → {source, fetchedAt}, for each number that is kept.",
    )
    extra = models.JSONField(default=dict)
    source = models.CharField(max_length=40)
    fetched_at = models.DateTimeField()

    class Meta:
        db_table = "socials_profile"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(followers__isnull=True) | models.Q(followers__gte=0),
                name="profile_followers_not_negative",
            )
        ]

    def __str__(self) -> str:
        return self.display_name or str(self.connection_id)
