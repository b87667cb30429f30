"""Who did what to whom, written by the domain and never changed: the database refuses it."""

from __future__ import annotations

from django.db import models


class Activity(models.Model):
    """One event. Plain ids instead of foreign keys: an event outlives what it tells of."""

    at = models.DateTimeField(auto_now_add=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=64)
    talent_id = models.BigIntegerField(null=True, blank=True)
    object = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "talent_activity"
        verbose_name_plural = "activity"
        indexes = [
            models.Index(fields=["-at", "-id"], name="activity_newest"),
            models.Index(fields=["talent_id", "-at", "-id"], name="activity_of_talent"),
            models.Index(fields=["actor_id", "-at", "-id"], name="activity_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object}"
