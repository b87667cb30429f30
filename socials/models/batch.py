"""Work that staff asked for on many talents at once, and how far it is."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from socials.models.connection import Connection


class Batch(models.Model):
    class Kind(models.TextChoices):
        SYNC = "sync"
        PROFILE_IMAGES = "profile-images"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    total = models.PositiveIntegerField(default=0)
    is_forced = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "socials_batch"
        verbose_name_plural = "batches"
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(finished_at__isnull=True), name="batch_unfinished"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} batch {self.pk}"


class BatchItem(models.Model):
    """One account to sync, or one talent whose photo is to be refreshed."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="items")
    talent_id = models.BigIntegerField()
    connection = models.ForeignKey(
        Connection, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    claimed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "socials_batch_item"
        indexes = [
            models.Index(
                fields=["batch", "claimed_at"],
                condition=models.Q(state="waiting"),
                name="batch_item_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.talent_id} {self.state}"
