"""Sending what waits for webhooks, and writing down how each attempt ended.

Standard Webhooks: signed, the same ``webhook-id`` at every attempt, at least once, in no promised
order. Nothing here runs inside a sync, and no receiver holds up another one.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from random import uniform
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Min
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from standardwebhooks import Webhook as Signature

from scraping.errors import Failure
from scraping.http import Http, Limits, Unsent
from socials.models import Delivery, Webhook
from socials.models.webhook import FORGIVEN
from socials.sync.turn import SENDING, stopping, turn
from socials.webhooks import WebhookRefused, check, note, shown
from talent.mail import mail_managers
from talent.queue import later

log = structlog.get_logger("webhook")

BACKOFF = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds between attempts; with the first at once that makes ten, over more than three days."""
JITTER = 0.2
LONGEST_PAUSE = 300
DISABLED_AFTER = timedelta(days=5)
KEPT_DAYS = 30
LIMITS = Limits(connect_seconds=5, read_seconds=10, total_seconds=15, max_bytes=256 * 1024)
THREADS = 16
JOB_SECONDS = 10.0
IDLE_SECONDS = 0.25
GONE = 410
NOTICE = "socials.tasks.send_webhook_notice"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a thread needs it: plain values, no database."""

    pk: int
    webhook_id: int
    attempts: int
    url: str
    body: str
    message_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Answered:
    """How an attempt ended: a status and when to come again, or words for why there is none."""

    status: int | None
    words: str
    retry_at: datetime | None = None


def deliver_due() -> bool:
    """Send what is due, for a few seconds. True when something is left that is due.

    One worker of a cluster does so at a time: the others stay free for everything else.
    """
    with turn(SENDING) as mine:
        if mine:
            _deliver()
    return mine and _due_in() <= 0 and not stopping()


def _deliver() -> None:
    until = time.monotonic() + JOB_SECONDS
    under_way: dict[Future[Answered], tuple[Message, str]] = {}
    with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as threads:
        while True:
            goes_on = time.monotonic() < until and not stopping()
            if goes_on and (free := THREADS - len(under_way)):
                claim = uuid4().hex
                for delivery in Delivery.objects.all().claim(free, claim=claim):
                    message = _message(delivery)
                    under_way[threads.submit(send, message)] = (message, claim)
            if under_way:
                ended, _ = wait(under_way, IDLE_SECONDS, return_when=FIRST_COMPLETED)
                for future in ended:
                    conclude(*under_way.pop(future), future.result())
            elif goes_on and _due_in() < until - time.monotonic():
                time.sleep(IDLE_SECONDS)  # a first retry comes within seconds: it is worth waiting
            else:
                return


def send(message: Message) -> Answered:
    """One attempt. Never raises."""
    now = datetime.now(UTC)
    try:
        check(message.url)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Signature(message.secret).sign(
                message.message_id, now, message.body
            ),
        }
        reply = _client(message.url).post(
            message.url, headers=headers, content=message.body.encode()
        )
    except WebhookRefused as refused:
        return Answered(None, refused.message)
    except Failure as failure:
        hint = " Only public addresses are connected to." if isinstance(failure, Unsent) else ""
        return Answered(None, f"{failure.detail}.{hint}"[:500])
    words = "" if reply.ok else f"The receiver answered HTTP {reply.status}."
    if 300 <= reply.status < 400:
        words += " Redirects are not followed: give the final address."
    return Answered(reply.status, words, None if reply.ok else reply.retry_at(now))


def conclude(message: Message, claim: str, answered: Answered) -> None:
    """Write down how an attempt ended, on the message and on its receiver."""
    facts: dict[str, Any] = {"response_status": answered.status, "answer": answered.words}
    named = {"delivery_id": message.pk, "webhook_id": message.webhook_id, "status": answered.status}
    with transaction.atomic():
        webhooks = Webhook.objects.select_for_update(no_key=True).filter(pk=message.webhook_id)
        webhook = webhooks.first()
        rows = Delivery.objects.all()
        if webhook is None:
            return
        if answered.status is not None and 200 <= answered.status < 300:
            if rows.delivered(message.pk, claim=claim, **facts):
                _recovered(webhook)
                log.info("webhook.delivered", **named, attempt=message.attempts)
            return
        if message.attempts > len(BACKOFF):
            held = rows.give_up(message.pk, claim=claim, **facts)
        else:
            after = _patience(message.attempts, answered.retry_at)
            held = rows.retry(message.pk, claim=claim, after=after, **facts)
        if held and webhook.is_active:
            _failed(webhook, answered)
    log.info("webhook.failed", **named, attempt=message.attempts, reason=answered.words)


def send_notice(webhook_id: int) -> None:
    """Tell the managers by e-mail that a webhook was switched off."""
    webhook = Webhook.objects.filter(pk=webhook_id).exclude(disabled_at=None).first()
    if webhook is None:
        return
    mail_managers(
        "A webhook was switched off",
        f"Greenroom no longer sends messages to {shown(webhook.url)}.\n\n"
        f"{webhook.disabled_reason}\n\n"
        "When the receiver is well again, switch the webhook on and send what it missed once more: "
        f"{settings.PUBLIC_URL}/webhooks/{webhook.pk}\n",
    )


def forget_old() -> int:
    """Delete messages that ended more than ``KEPT_DAYS`` ago. How many."""
    old = Delivery.objects.exclude(status=Delivery.Status.PENDING).filter(
        created_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)
    )
    forgotten, _ = old.delete()
    return forgotten


def _message(delivery: Delivery) -> Message:
    webhook = delivery.webhook
    return Message(
        delivery.pk,
        webhook.pk,
        delivery.attempts,
        webhook.url,
        json.dumps(delivery.payload, separators=(",", ":"), ensure_ascii=False),
        delivery.message_id,
        webhook.secret,
    )


@cache
def _clients() -> tuple[Http, Http]:
    return Http(LIMITS, public_only=True), Http(LIMITS)


def _client(url: str) -> Http:
    public, sandbox = _clients()
    return sandbox if urlsplit(url).netloc in settings.SANDBOX_HOSTS else public


def _patience(attempts: int, retry_at: datetime | None) -> timedelta:
    """Until the next attempt: the back-off, or what the receiver asks for where that is longer."""
    seconds = BACKOFF[attempts - 1] * uniform(1, 1 + JITTER)  # noqa: S311  no secret
    asked = (retry_at - datetime.now(UTC)).total_seconds() if retry_at else 0
    return timedelta(seconds=max(seconds, asked))


def _recovered(webhook: Webhook) -> None:
    if webhook.failures:
        Webhook.objects.filter(pk=webhook.pk).update(
            failures=0, failing_since=None, paused_until=None
        )


def _failed(webhook: Webhook, answered: Answered) -> None:
    """Count it; leave a failing receiver alone, the longer the more often it failed in a row."""
    since = webhook.failing_since
    if answered.status == GONE:
        _disable(webhook, "The receiver answered 410 Gone: it wants no more messages.")
    elif since is not None and since < timezone.now() - DISABLED_AFTER:
        _disable(webhook, f"Nothing has arrived since {since:%d %B %Y}. Last: {answered.words}")
    else:
        failures = webhook.failures + 1
        pause = min(2 ** min(failures, 10), LONGEST_PAUSE) if failures > FORGIVEN else 0
        Webhook.objects.filter(pk=webhook.pk).update(
            failures=F("failures") + 1,
            failing_since=Coalesce("failing_since", Now()),
            paused_until=Now() + timedelta(seconds=pause),
        )


def _disable(webhook: Webhook, reason: str) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(
        is_active=False, disabled_at=Now(), disabled_reason=reason[:200]
    )
    webhook.deliveries.all().abandon(reason)
    note("webhook.disabled", webhook, None, reason=reason)
    later(NOTICE, webhook.pk)


def _due_in() -> float:
    """Seconds until a message is due whose receiver may be asked; endless when there is none."""
    waiting = Delivery.objects.filter(status=Delivery.Status.PENDING, webhook__is_active=True)
    with_pause = waiting.exclude(webhook__paused_until__gt=Now() + timedelta(seconds=JOB_SECONDS))
    first: datetime | None = with_pause.aggregate(first=Min("next_attempt_at"))["first"]
    return (first - timezone.now()).total_seconds() if first else float("inf")
