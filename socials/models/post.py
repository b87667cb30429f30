"""One published item. Absent metrics are null, never zero; a deleted post is marked, not lost."""

from __future__ import annotations

from django.db import models

from scraping.types import PostKind
from socials.models.connection import Connection


class Post(models.Model):
    # Found by ``post_once``, which begins with it.
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="posts", db_index=False)
    external_id = models.CharField(max_length=120)
    shared_id = models.CharField(
        max_length=60, blank=True, help_text="What every source calls it, where their ids differ."
    )
    kind = models.CharField(max_length=10, choices=[(k.value, k.value) for k in PostKind])
    kind_confidence = models.CharField(max_length=10, blank=True)
    caption = models.TextField(blank=True)
    url = models.CharField(max_length=1000, blank=True)
    thumbnail_url = models.CharField(max_length=2000, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True)
    duration_seconds = models.FloatField(null=True, blank=True)
    likes = models.BigIntegerField(null=True, blank=True)
    comments = models.BigIntegerField(null=True, blank=True)
    shares = models.BigIntegerField(null=True, blank=True)
    saves = models.BigIntegerField(null=True, blank=True)
    views = models.BigIntegerField(null=True, blank=True)
    reach = models.BigIntegerField(null=True, blank=True)
    quality = models.JSONField(default=dict)
    view_definition = models.CharField(max_length=60, blank=True)
    partial = models.JSONField(default=list)
    note = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=40)
    fetched_at = models.DateTimeField()
    metrics_due_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "socials_post"
        indexes = [
            # With ``deleted_at``, so that what is stored is counted from the index alone.
            models.Index("connection", models.F("posted_at").desc(nulls_last=True), models.F("id").desc(), include=["deleted_at"], name="post_newest"),
            models.Index(
                fields=["connection", "metrics_due_at"],
                condition=models.Q(metrics_due_at__isnull=False, deleted_at__isnull=True),
                name="post_metrics_due",
            ),
        ]  # fmt: skip
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="post_once"),
            models.UniqueConstraint(
                fields=["connection", "shared_id"],
                condition=~models.Q(shared_id=""),
                name="post_once_for_all_sources",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id
