"""Pictures that could be a talent's photo, and the record of each attempt to refresh it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from socials.models.connection import Connection
from talent.models import ImageSource, Talent


class Photo(models.Model):
    """One picture: of an account, or uploaded by staff (no connection). Bytes are in storage."""

    talent = models.ForeignKey(Talent, models.CASCADE, related_name="photos")
    connection = models.OneToOneField(
        Connection, models.CASCADE, null=True, blank=True, related_name="photo"
    )
    source = models.CharField(max_length=16, choices=ImageSource.choices)
    name = models.CharField(max_length=64, db_index=True, help_text="Content hash of its files.")
    content_hash = models.CharField(max_length=64, help_text="Of the bytes as downloaded.")
    original_url = models.CharField(max_length=2000, blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    focus_x = models.FloatField(default=0.5)
    focus_y = models.FloatField(default=0.5)
    is_chosen = models.BooleanField(default=False, help_text="Staff prefer it to the usual order.")
    taken_at = models.DateTimeField(help_text="When this content was first seen.")
    checked_at = models.DateTimeField(help_text="When the account was last found to show it.")

    class Meta:
        db_table = "socials_photo"
        constraints = [
            models.UniqueConstraint(
                fields=["talent"], condition=Q(is_chosen=True), name="photo_one_chosen"
            ),
            models.UniqueConstraint(
                fields=["talent"], condition=Q(connection__isnull=True), name="photo_one_upload"
            ),
            models.CheckConstraint(
                condition=Q(connection__isnull=True, source="manual")
                | (Q(connection__isnull=False) & ~Q(source="manual")),
                name="photo_upload_means_manual",
            ),
            models.CheckConstraint(
                condition=Q(focus_x__gte=0, focus_x__lte=1, focus_y__gte=0, focus_y__lte=1),
                name="photo_focus_inside",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} photo of {self.talent_id}"


class PhotoRun(models.Model):
    """One attempt to refresh a talent's photo. Plain talent id: statistics outlive the talent."""

    class Outcome(models.TextChoices):
        SUCCESSFUL = "successful"
        FAILED = "failed"
        SKIPPED = "skipped"

    talent_id = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    source = models.CharField(max_length=16, blank=True)
    cause = models.CharField(max_length=32, blank=True)
    was_updated = models.BooleanField(default=False)
    duration_ms = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "socials_photo_run"

    def __str__(self) -> str:
        return f"{self.talent_id} {self.outcome}"
