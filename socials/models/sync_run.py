"""The record of one attempt: what started it, what it asked and got, how it ended."""

from __future__ import annotations

from django.db import models

from socials.models.connection import Connection
from socials.models.states import Trigger


class Outcome(models.TextChoices):
    READY = "ready"
    ERROR = "error"
    RETRY = "retry"
    SUPERSEDED = "superseded"


class SyncRun(models.Model):
    """Append-only: a run is written once, when it has ended."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="runs")
    platform = models.CharField(max_length=16)
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    sync_version = models.BigIntegerField()
    attempt = models.PositiveSmallIntegerField()
    requested_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    error_code = models.CharField(max_length=32, blank=True)
    message = models.TextField(blank=True)
    source = models.CharField(max_length=40, blank=True)
    calls = models.PositiveIntegerField(default=0)
    units = models.PositiveIntegerField(default=0)
    posts_asked = models.PositiveIntegerField(default=0)
    posts_delivered = models.PositiveIntegerField(default=0)
    posts_new = models.PositiveIntegerField(default=0)
    posts_total = models.BigIntegerField(null=True, blank=True)
    stop_reason = models.CharField(max_length=16, blank=True)
    worker = models.CharField(max_length=120, blank=True)

    class Meta:
        db_table = "socials_sync_run"
        indexes = [
            models.Index(fields=["connection", "-started_at", "-id"], name="run_of_connection"),
            models.Index(fields=["finished_at", "platform", "outcome"], name="run_by_end"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(outcome="error") | ~models.Q(error_code=""),
                name="run_error_means_cause",
            ),
            models.CheckConstraint(
                condition=models.Q(finished_at__gte=models.F("started_at")),
                name="run_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.outcome}"
