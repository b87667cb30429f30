"""A talent's account on a platform, and where its sync stands. The row is the truth.

PENDING   queued: it runs at ``next_attempt_at`` (attempt n of 3 was the last, 0 before the first)
SYNCING   a worker holds it until ``lease_expires_at``
READY     the last reading is stored
ERROR     a person must act, or every attempt failed; the schedule tries again at the next refresh

``sync_version`` is the fence: every request and every claim raises it, and a result is stored only
if it still carries the number that its claim was given.
How a row gets from one state to another is in ``moves.py``.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from socials.models.moves import ConnectionQuerySet
from socials.models.states import Priority, SyncStatus, Trigger
from talent.models import Talent
from talent.trace import began_by


class Platform(models.TextChoices):
    INSTAGRAM = "INSTAGRAM", "Instagram"
    TIKTOK = "TIKTOK", "TikTok"
    YOUTUBE = "YOUTUBE", "YouTube"
    TWITTER = "TWITTER", "X"
    LINKEDIN = "LINKEDIN", "LinkedIn"


def platform_choices() -> list[tuple[str, str]]:
    return list(Platform.choices)


class ConnectionType(models.TextChoices):
    MANUAL = "MANUAL"
    OAUTH = "OAUTH"


WITHOUT_GRANT = Q(sync_status="READY") & (Q(connected=False) | Q(error_code="PERMISSION_MISSING"))
"""Read by another source, while the talent's own permission has ended or lacks a box."""


class Connection(models.Model):
    talent = models.ForeignKey(Talent, models.CASCADE, related_name="connections")
    platform = models.CharField(max_length=16, choices=platform_choices)
    handle = models.CharField(max_length=120, help_text="As shown, without @.")
    handle_key = models.CharField(max_length=120, help_text="Canonical form for comparison.")
    profile_url = models.URLField(max_length=500)
    external_id = models.CharField(
        max_length=120,
        blank=True,
        help_text="The platform's own stable id, once known.",
    )
    connection_type = models.CharField(
        max_length=8, choices=ConnectionType.choices, default=ConnectionType.MANUAL
    )
    connected = models.BooleanField(
        default=True, help_text="False while the talent must reconnect."
    )

    sync_status = models.CharField(
        max_length=8, choices=SyncStatus.choices, default=SyncStatus.PENDING
    )
    sync_version = models.BigIntegerField(default=1)
    priority = models.PositiveSmallIntegerField(
        choices=Priority.choices, default=Priority.INTERACTIVE
    )
    trigger = models.CharField(max_length=16, choices=Trigger.choices, default=Trigger.CONNECT)
    requested_at = models.DateTimeField(null=True, blank=True)
    request_id = models.CharField(
        max_length=36,
        blank=True,
        default=began_by,
        db_default="",
        help_text="The request or job that asked for this sync, as the logs name it.",
    )
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Attempts begun.")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True, help_text="Start of this attempt.")
    wants_again = models.BooleanField(
        default=False,
        help_text="A person asked while it was syncing: one more sync follows.",
    )

    lost_workers = models.PositiveSmallIntegerField(
        default=0, help_text="Workers that died in a row while they held this row."
    )

    error_code = models.CharField(max_length=32, blank=True)
    sync_error = models.TextField(blank=True)
    reauth_doubts = models.PositiveSmallIntegerField(
        default=0,
        help_text="Classified refusals of the grant in a row: two make it final.",
    )
    told = models.CharField(
        max_length=32,
        blank=True,
        help_text="What receivers of webhooks were told last: READY or the cause of an error.",
    )
    held_reading = models.JSONField(
        null=True,
        blank=True,
        help_text="Doubtful numbers that wait for a second reading.",
    )

    source = models.CharField(max_length=40, blank=True)
    partial = models.JSONField(default=list, blank=True)
    last_synced_at = models.DateTimeField(null=True, blank=True)
    last_posts_read_at = models.DateTimeField(null=True, blank=True)
    next_refresh_at = models.DateTimeField(null=True, blank=True)
    freshness_minutes = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Target age; empty means the talent's platform default.",
    )
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        db_table = "socials_connection"
        indexes = [
            models.Index(fields=["sync_status", "platform"], name="connection_by_status"),
            models.Index(
                fields=["platform", "priority", "next_attempt_at"],
                condition=Q(sync_status="PENDING"),
                name="connection_due",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=Q(sync_status="SYNCING"),
                name="connection_leased",
            ),
            models.Index(
                fields=["platform", "next_refresh_at"],
                condition=Q(sync_status__in=["READY", "ERROR"], next_refresh_at__isnull=False),
                name="connection_to_refresh",
            ),
            models.Index(fields=["platform", "external_id"], name="connection_by_account"),
            models.Index(
                fields=["talent"],
                condition=WITHOUT_GRANT,
                name="connection_to_reconnect",
            ),
            models.Index(fields=["last_synced_at"], name="connection_by_age"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["talent", "platform", "handle_key"],
                name="connection_once_by_handle",
            ),
            models.UniqueConstraint(
                fields=["talent", "platform", "external_id"],
                condition=~Q(external_id=""),
                name="connection_once_by_account",
            ),
            models.CheckConstraint(
                condition=Q(sync_status__in=[status.value for status in SyncStatus]),
                name="connection_status_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    sync_status="SYNCING",
                    lease_expires_at__isnull=False,
                    lease_owner__gt="",
                )
                | (~Q(sync_status="SYNCING") & Q(lease_expires_at__isnull=True, lease_owner="")),
                name="connection_syncing_means_leased",
            ),
            models.CheckConstraint(
                condition=Q(sync_status="PENDING", next_attempt_at__isnull=False)
                | (~Q(sync_status="PENDING") & Q(next_attempt_at__isnull=True)),
                name="connection_pending_means_timed",
            ),
            models.CheckConstraint(
                condition=~Q(sync_status="ERROR") | ~Q(error_code=""),
                name="connection_error_means_cause",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.handle}"

    @property
    def sync_id(self) -> str:
        """The name of this sync in the logs: a run of it carries the same number."""
        return f"{self.pk}.{self.sync_version}"
