"""What all workers on all machines share: quotas, circuits, heartbeats, sightings of drift."""

from __future__ import annotations

from django.db import models


class QuotaWindow(models.Model):
    """Units used of a bucket in one window (``youtube.units`` today). Reserved before spent."""

    bucket = models.CharField(max_length=80)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    used = models.PositiveBigIntegerField(default=0)
    cap = models.PositiveBigIntegerField()

    class Meta:
        db_table = "socials_quota_window"
        constraints = [
            models.UniqueConstraint(fields=["bucket", "starts_at"], name="quota_window_once"),
            models.CheckConstraint(
                condition=models.Q(used__lte=models.F("cap")),
                name="quota_never_overspent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bucket} {self.used}/{self.cap}"


class Circuit(models.Model):
    """The breaker of one platform and source."""

    class State(models.TextChoices):
        CLOSED = "closed"
        OPEN = "open"
        HALF_OPEN = "half-open"

    platform = models.CharField(max_length=16)
    source = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CLOSED)
    failing = models.JSONField(default=list, help_text="Distinct connections that failed in a row.")
    opened_at = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True)
    probe_by = models.CharField(max_length=120, blank=True)
    blocked_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="A limit told by the platform for all of this source.",
    )
    error_code = models.CharField(max_length=32, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "socials_circuit"
        constraints = [models.UniqueConstraint(fields=["platform", "source"], name="circuit_once")]

    def __str__(self) -> str:
        return f"{self.platform} {self.source} {self.state}"


class Worker(models.Model):
    """A worker process and its last sign of life."""

    id = models.CharField(max_length=120, primary_key=True)
    cluster = models.CharField(max_length=120, blank=True)
    host = models.CharField(max_length=120)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(db_index=True)
    busy = models.PositiveIntegerField(default=0, help_text="Connections in hand.")

    class Meta:
        db_table = "socials_worker"

    def __str__(self) -> str:
        return self.id


class DriftSighting(models.Model):
    """A field or shape of a payload that no parser knows: counted, visible, never fatal."""

    platform = models.CharField(max_length=16)
    source = models.CharField(max_length=40)
    path = models.CharField(max_length=300)
    times = models.PositiveBigIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        db_table = "socials_drift_sighting"
        constraints = [
            models.UniqueConstraint(fields=["platform", "source", "path"], name="drift_once")
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.path}"
