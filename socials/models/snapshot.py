"""History: one point a day per connection (UTC), the day's last reading."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from socials.models.connection import Connection


class Snapshot(models.Model):
    # Found by ``snapshot_once_a_day``, which begins with it.
    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="snapshots", db_index=False
    )
    date = models.DateField()
    followers = models.BigIntegerField(null=True, blank=True)
    following = models.BigIntegerField(null=True, blank=True)
    posts = models.BigIntegerField(null=True, blank=True)
    likes = models.BigIntegerField(null=True, blank=True)
    views = models.BigIntegerField(null=True, blank=True)
    engagement_rate = models.FloatField(null=True, blank=True)
    view_definition = models.CharField(max_length=60, blank=True)
    view_definition_before = models.CharField(
        max_length=60,
        blank=True,
        db_default="",
        help_text="Set on the day on which views began to be counted in another way.",
    )
    source = models.CharField(max_length=40)
    taken_at = models.DateTimeField()

    class Meta:
        db_table = "socials_snapshot"
        indexes = [
            models.Index(
                fields=["connection", "date"],
                condition=~models.Q(view_definition_before=""),
                name="snapshot_counted_anew",
            ),
            # A day of the whole roster: its points lie together, so that a few kilobytes find
            # them. Several spans a range, because points that retention took leave room.
            BrinIndex(
                fields=["date"],
                opclasses=["date_minmax_multi_ops"],
                autosummarize=True,
                pages_per_range=32,
                name="snapshot_by_day",
            ),
        ]
        constraints = [
            # A line is read from the index alone: the rows of one account lie a day's worth of
            # other accounts apart, so that a year of them would be 365 pages.
            models.UniqueConstraint(
                fields=["connection", "date"], include=["followers"], name="snapshot_once_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.date}"
