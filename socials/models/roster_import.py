"""A roster file that somebody uploaded, and what became of its rows."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class RosterImport(models.Model):
    class State(models.TextChoices):
        CHECKING = "checking"
        CHECKED = "checked"
        IMPORTING = "importing"
        IMPORTED = "imported"
        REFUSED = "refused"

    name = models.CharField(max_length=200, help_text="The file's.")
    content = models.BinaryField(help_text="The file, until nothing more is done with it.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.CHECKING)
    refusal = models.TextField(blank=True, help_text="Why the file can't be imported.")
    report = models.JSONField(default=list, help_text="One entry for each row.")
    ignored = models.JSONField(default=list, help_text="Columns that mean nothing here.")
    tries = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "socials_roster_import"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["checking", "checked", "importing", "imported", "refused"]
                ),
                name="roster_import_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["checking", "checked", "importing"])
                | models.Q(content=b""),
                name="roster_import_ended_means_no_file",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"

    @property
    def is_busy(self) -> bool:
        return self.state in {self.State.CHECKING, self.State.IMPORTING}
