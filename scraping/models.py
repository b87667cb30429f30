"""What we asked providers for, and what it cost."""

from __future__ import annotations

from django.db import models


class ScrapeRun(models.Model):
    """One paid run at a provider. Costs are US dollars as the provider tells them."""

    class Outcome(models.TextChoices):
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        PARTIAL = "partial"
        FAILED = "failed"

    provider = models.CharField(max_length=32)
    platform = models.CharField(max_length=16)
    actor = models.CharField(max_length=100, blank=True)
    provider_run_id = models.CharField(max_length=100, blank=True)
    handles_asked = models.PositiveIntegerField(default=0)
    handles_delivered = models.PositiveIntegerField(default=0)
    items = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=10, decimal_places=5, null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    error_code = models.CharField(max_length=32, blank=True)
    message = models.TextField(blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        db_table = "scraping_run"
        indexes = [models.Index(fields=["-started_at"], name="scrape_run_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_run_id"],
                condition=~models.Q(provider_run_id=""),
                name="scrape_run_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.platform} {self.provider_run_id}"
