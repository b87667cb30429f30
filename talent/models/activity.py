"""Who did what to whom, written by the domain and never changed: the database refuses it."""

from __future__ import annotations

from django.db import models

SYSTEM = "system"


class ActivityQuerySet(models.QuerySet["Activity"]):
    def of(
        self, *, talent: int | None = None, actor: str | None = None, action: str | None = None
    ) -> ActivityQuerySet:
        """Events of a talent, of an actor (an id, or ``system``), of an action or its noun."""
        events = self
        if talent is not None:
            events = events.filter(talent_id=talent)
        if actor == SYSTEM:
            events = events.filter(actor_id__isnull=True)
        elif actor is not None:
            events = events.filter(actor_id=int(actor))
        if action is not None:
            alike = models.Q(action=action)
            if "." not in action:
                alike |= models.Q(action__startswith=f"{action}.")
            events = events.filter(alike)
        return events


class Activity(models.Model):
    """One event. Plain ids instead of foreign keys: an event outlives what it tells of."""

    at = models.DateTimeField(auto_now_add=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=64)
    talent_id = models.BigIntegerField(null=True, blank=True)
    object = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        db_table = "talent_activity"
        verbose_name_plural = "activity"
        indexes = [
            models.Index(fields=["-at", "-id"], name="activity_newest"),
            models.Index(fields=["talent_id", "-at", "-id"], name="activity_of_talent"),
            models.Index(fields=["actor_id", "-at", "-id"], name="activity_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object}"
