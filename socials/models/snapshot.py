"""History: one point a day per connection (UTC), the day's last reading."""

from __future__ import annotations

from django.db import models

from socials.models.connection import Connection


class Snapshot(models.Model):
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="snapshots")
    date = models.DateField()
    followers = models.BigIntegerField(null=True, blank=True)
    following = models.BigIntegerField(null=True, blank=True)
    posts = models.BigIntegerField(null=True, blank=True)
    likes = models.BigIntegerField(null=True, blank=True)
    views = models.BigIntegerField(null=True, blank=True)
    engagement_rate = models.FloatField(null=True, blank=True)
    view_definition = models.CharField(max_length=60, blank=True)
    source = models.CharField(max_length=40)
    taken_at = models.DateTimeField()

    class Meta:
        db_table = "socials_snapshot"
        constraints = [
            models.UniqueConstraint(fields=["connection", "date"], name="snapshot_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.date}"
