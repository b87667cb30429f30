"""Where a sync stands, how urgent it is, and what began it."""

from django.db import models


class SyncStatus(models.TextChoices):
    PENDING = "PENDING"
    SYNCING = "SYNCING"
    READY = "READY"
    ERROR = "ERROR"


class Priority(models.IntegerChoices):
    """Lower goes first: a person never waits behind the schedule."""

    INTERACTIVE = 0
    PUSH = 3
    SCHEDULED = 5


class Trigger(models.TextChoices):
    CONNECT = "connect"
    MANUAL = "manual"
    SCHEDULE = "schedule"
    OAUTH = "oauth"
    PUSH = "push"
    RETRY = "retry"


LIMITS = ("RATE_LIMITED", "QUOTA_EXHAUSTED")
"""Causes whose end the platform orders: nobody's click shortens them."""
