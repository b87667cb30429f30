"""A post's picture as Greenroom keeps it: a platform's own address dies within days."""

from __future__ import annotations

from django.db import models

from socials.models.connection import Connection


class Thumbnail(models.Model):
    """Either a kept file (``name``) or the reason why there is none (``refused``).

    It goes with its connection. A plain post id: else deleting an account would have to read every
    post first, to look whether it has a picture.
    """

    post_id = models.BigIntegerField(primary_key=True)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="thumbnails")
    name = models.CharField(max_length=40, blank=True, db_index=True, help_text="Content hash.")
    refused = models.CharField(max_length=32, blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        db_table = "socials_thumbnail"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(name="") ^ models.Q(refused=""),
                name="thumbnail_kept_or_refused",
            )
        ]

    def __str__(self) -> str:
        return f"{self.post_id} {self.name or self.refused}"
