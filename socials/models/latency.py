"""How long answers took, of all processes on all machines: counters that only grow."""

from __future__ import annotations

from django.db import models


class Latency(models.Model):
    """Answers of one kind, name and outcome that took up to ``bound`` seconds (0: any longer)."""

    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=24)
    outcome = models.CharField(max_length=8)
    bound = models.FloatField()
    answers = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0, help_text="Of all of them together.")

    class Meta:
        db_table = "socials_latency"
        verbose_name_plural = "latencies"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "name", "outcome", "bound"], name="latency_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.outcome}: {self.answers}"
