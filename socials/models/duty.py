"""What platforms told us to do, so that it is done once and can be shown to have been done."""

from __future__ import annotations

from django.db import models


class Heard(models.Model):
    """A platform's message that was acted on, known by its hash."""

    digest = models.CharField(max_length=64, primary_key=True)
    heard_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "socials_heard"

    def __str__(self) -> str:
        return self.digest


class DeletionRequest(models.Model):
    """A person's wish, told by a platform, that we delete what we know of her.

    It keeps nothing of the person: the code is all that leads here.
    """

    code = models.CharField(max_length=32, primary_key=True)
    platform = models.CharField(max_length=16)
    accounts = models.PositiveIntegerField(help_text="Accounts that were deleted.")
    requested_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "socials_deletion_request"

    def __str__(self) -> str:
        return f"Deletion {self.code}"
