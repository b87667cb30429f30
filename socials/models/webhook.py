"""Other systems that want to hear from us, and every message to them: an outbox in our database."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection as database
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from talent.encryption import SecretField

CLAIM_SECONDS = 60
"""A message that was taken for sending and not heard of for so long is sent again."""
AT_ONCE = 4
"""Messages under way to one receiver at a time; one alone while it fails."""
FORGIVEN = 2
"""So many failures in a row may be the messages' own; one more, and the receiver is failing."""


class Event(models.TextChoices):
    CONNECTION_READY = "connection.ready"
    CONNECTION_ERROR = "connection.error"
    CONNECTION_REAUTH_REQUIRED = "connection.reauth_required"
    PROFILE_IMAGE_UPDATED = "profile_image.updated"
    TALENT_MILESTONE = "talent.milestone"


TRIAL = "webhook.test"
"""Sent when somebody asks whether messages arrive; nobody can subscribe to it."""


class Webhook(models.Model):
    """A receiver: its address, what it wants to hear, and how it has been doing."""

    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    events = ArrayField(models.CharField(max_length=40, choices=Event.choices))
    secret = SecretField()
    is_active = models.BooleanField(default=True)
    failures = models.PositiveIntegerField(default=0, help_text="Attempts that failed in a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(
        null=True, blank=True, help_text="Switched off by Greenroom."
    )
    disabled_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "socials_webhook"
        constraints = [
            models.CheckConstraint(condition=~Q(events=[]), name="webhook_names_an_event"),
            models.CheckConstraint(
                condition=Q(disabled_at=None) | Q(is_active=False),
                name="webhook_disabled_means_inactive",
            ),
        ]

    def __str__(self) -> str:
        return f"Webhook {self.pk}"

    @staticmethod
    def new_secret() -> str:
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


_CLAIM = """
    WITH receiver AS MATERIALIZED (
        SELECT id, failures FROM socials_webhook
        WHERE is_active
            AND (paused_until IS NULL OR paused_until <= statement_timestamp())
            AND EXISTS (
                SELECT 1 FROM socials_webhook_delivery
                WHERE webhook_id = socials_webhook.id AND status = 'pending'
                    AND next_attempt_at <= statement_timestamp()
            )
        FOR NO KEY UPDATE SKIP LOCKED
    ), due AS MATERIALIZED (
        SELECT message.id FROM receiver CROSS JOIN LATERAL (
            SELECT id FROM socials_webhook_delivery
            WHERE webhook_id = receiver.id AND status = 'pending'
                AND next_attempt_at <= statement_timestamp()
            ORDER BY next_attempt_at, id
            LIMIT GREATEST(
                0, CASE WHEN receiver.failures <= %s THEN %s ELSE 1 END - (
                    SELECT count(*) FROM socials_webhook_delivery
                    WHERE webhook_id = receiver.id AND status = 'pending'
                        AND claim <> '' AND next_attempt_at > statement_timestamp()
                )
            )
            FOR NO KEY UPDATE SKIP LOCKED
        ) message
        LIMIT %s
    )
    UPDATE socials_webhook_delivery SET
        claim = %s, attempts = attempts + 1,
        next_attempt_at = statement_timestamp() + make_interval(secs => %s)
    FROM due WHERE socials_webhook_delivery.id = due.id
    RETURNING socials_webhook_delivery.id
"""


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Every move of a message. Time is the database's; a conclusion names the claim it ends."""

    def claim(self, limit: int, *, claim: str) -> list[Delivery]:
        """Take up to ``limit`` due messages; each is ours alone for ``CLAIM_SECONDS``.

        A receiver's row is locked meanwhile, so that no number of workers sends it more than
        ``AT_ONCE`` messages at a time.
        """
        with database.cursor() as cursor:
            cursor.execute(_CLAIM, [FORGIVEN, AT_ONCE, limit, claim, CLAIM_SECONDS])
            ids = [row[0] for row in cursor.fetchall()]
        return list(self.filter(pk__in=ids).select_related("webhook").order_by("pk"))

    def delivered(self, pk: int, *, claim: str, **answer: Any) -> bool:
        """pending → delivered."""
        return self._conclude(pk, claim, status="delivered", next_attempt_at=None, **answer)

    def retry(self, pk: int, *, claim: str, after: timedelta, **answer: Any) -> bool:
        """pending, again in a while."""
        return self._conclude(pk, claim, next_attempt_at=Now() + after, **answer)

    def give_up(self, pk: int, *, claim: str, **answer: Any) -> bool:
        """pending → failed."""
        return self._conclude(pk, claim, status="failed", next_attempt_at=None, **answer)

    def abandon(self, reason: str) -> int:
        """Messages that nobody waits for any more: pending → failed."""
        return self.filter(status="pending").update(
            status="failed", next_attempt_at=None, claim="", answer=reason[:500]
        )

    def again(self) -> int:
        """A person wants them sent once more, with the same id. One under way is left alone."""
        under_way = Q(status="pending", next_attempt_at__gt=Now()) & ~Q(claim="")
        return self.exclude(under_way).update(
            status="pending", attempts=0, claim="", next_attempt_at=Now()
        )

    def _conclude(self, pk: int, claim: str, **values: Any) -> bool:
        held = self.filter(pk=pk, claim=claim, status="pending")
        return bool(held.update(claim="", concluded_at=Now(), **values))


class Delivery(models.Model):
    """One message to one receiver. ``message_id`` is the same at every attempt."""

    class Status(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=40)
    event = models.CharField(max_length=40, choices=[*Event.choices, (TRIAL, "Test")])
    payload = models.JSONField(help_text="The body: type, timestamp, data.")
    talent_id = models.BigIntegerField(null=True, help_text="Whom it tells of, if of anybody.")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Begun.")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    claim = models.CharField(max_length=32, blank=True, help_text="Who is sending it just now.")
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.CharField(
        max_length=500, blank=True, help_text="How the last attempt ended, in words."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    concluded_at = models.DateTimeField(null=True, blank=True, help_text="End of the last attempt.")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        db_table = "socials_webhook_delivery"
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["webhook", "-created_at", "-id"], name="delivery_newest"),
            models.Index(
                fields=["webhook", "next_attempt_at"],
                condition=Q(status="pending"),
                name="delivery_due",
            ),
            models.Index(fields=["talent_id"], name="delivery_of_talent"),
            models.Index(
                fields=["created_at"], condition=~Q(status="pending"), name="delivery_ended"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "message_id"], name="delivery_once"),
            models.CheckConstraint(
                condition=Q(status="pending", next_attempt_at__isnull=False)
                | (~Q(status="pending") & Q(next_attempt_at__isnull=True, claim="")),
                name="delivery_pending_means_timed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook_id}: {self.status}"
