"""A trouble of the house that lasts, so that people are told of it once and not every minute."""

from __future__ import annotations

from django.db import models


class Alarm(models.Model):
    name = models.CharField(max_length=80, primary_key=True)
    words = models.CharField(max_length=500, help_text="What is wrong and what to do, last seen.")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(
        null=True, blank=True, help_text="Kept after its end: what comes and goes is no news."
    )

    class Meta:
        db_table = "socials_alarm"

    def __str__(self) -> str:
        return self.name
