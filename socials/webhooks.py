"""Webhooks as managers make, change and try them. What waits is sent by ``socials.deliveries``."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from socials import outbox
from socials.models import Delivery, Webhook
from socials.outbox import DELIVER
from talent.activity import record
from talent.queue import later
from talent.rules import FieldRefused

if TYPE_CHECKING:
    from talent.models import User

SWITCHED_OFF = "The webhook was switched off."


class WebhookRefused(FieldRefused):
    """A webhook that can't be so."""


class Inactive(Exception):
    """Nothing is sent to a webhook that is switched off."""


def create(
    *,
    url: str,
    events: Sequence[str],
    description: str = "",
    active: bool = True,
    actor: User | None = None,
) -> Webhook:
    """A new webhook; its ``secret`` is to be shown now and never again. Raises WebhookRefused."""
    check(url)
    with transaction.atomic():
        webhook = Webhook.objects.create(
            url=url,
            events=sorted(set(events)),
            description=description,
            is_active=active,
            secret=Webhook.new_secret(),
        )
        note("webhook.added", webhook, actor, events=webhook.events)
    return webhook


def change(webhook_id: int, changes: dict[str, Any], *, actor: User | None = None) -> Webhook:
    """Change ``url``, ``events``, ``description`` or ``active``.

    Switching it off gives up what waits; switching it on forgets its failures. Raises
    Webhook.DoesNotExist, WebhookRefused.
    """
    if "url" in changes:
        check(changes["url"])
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update(no_key=True).get(pk=webhook_id)
        for name in ("url", "description"):
            setattr(webhook, name, changes.get(name, getattr(webhook, name)))
        webhook.events = sorted(set(changes.get("events", webhook.events)))
        webhook.is_active = changes.get("active", webhook.is_active)
        if webhook.is_active:
            webhook.failures = 0
            webhook.failing_since = webhook.paused_until = webhook.disabled_at = None
            webhook.disabled_reason = ""
        else:
            webhook.deliveries.all().abandon(SWITCHED_OFF)
        webhook.save()
        note("webhook.changed", webhook, actor, changed=sorted(changes))
    return webhook


def delete(webhook_id: int, *, actor: User | None = None) -> None:
    """Raises Webhook.DoesNotExist."""
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update().get(pk=webhook_id)
        note("webhook.deleted", webhook, actor)
        webhook.delete()


def resend(webhook_id: int, delivery_id: int, *, actor: User | None = None) -> Delivery:
    """Send a message once more, now, whatever became of it. Raises Delivery.DoesNotExist, Inactive."""
    with transaction.atomic():
        delivery = Delivery.objects.get(pk=delivery_id, webhook=webhook_id)
        webhook = _ready(webhook_id)
        Delivery.objects.filter(pk=delivery_id).again()
        note("webhook.resent", webhook, actor, deliveryId=delivery_id, event=delivery.event)
        later(DELIVER)
    delivery.refresh_from_db()
    return delivery


def resend_failed(webhook_id: int, *, actor: User | None = None) -> int:
    """Send every message that failed once more. How many. Raises Webhook.DoesNotExist, Inactive."""
    with transaction.atomic():
        webhook = _ready(webhook_id)
        messages = webhook.deliveries.filter(status=Delivery.Status.FAILED).again()
        if messages:
            note("webhook.resent", webhook, actor, messages=messages)
            later(DELIVER)
    return messages


def send_test(webhook_id: int, *, actor: User | None = None) -> Delivery:
    """Send a message that tells of nothing, to see whether it arrives.

    Raises Webhook.DoesNotExist, Inactive.
    """
    with transaction.atomic():
        webhook = _ready(webhook_id)
        message = outbox.trial(webhook)
        note("webhook.tested", webhook, actor, deliveryId=message.pk)
    return message


def _ready(webhook_id: int) -> Webhook:
    """The webhook, locked, and no longer waiting for its receiver to recover."""
    webhook = Webhook.objects.select_for_update(no_key=True).get(pk=webhook_id)
    if not webhook.is_active:
        raise Inactive
    Webhook.objects.filter(pk=webhook_id).update(paused_until=None)
    return webhook


def check(url: str) -> None:
    """Whether messages may go there at all. Raises WebhookRefused.

    What a name stands for is judged when it is connected to: only public addresses.
    """
    example = "Give an https address, for example https://example.com/greenroom."
    try:
        parts = urlsplit(url)
        name, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise WebhookRefused("url", f"This is not an address. {example}") from None
    if parts.scheme in ("http", "https") and parts.netloc in settings.SANDBOX_HOSTS:
        return
    if parts.scheme != "https" or not name:
        mine = " To try it on this machine, name it in SANDBOX_HOSTS." if settings.DEBUG else ""
        raise WebhookRefused("url", f"Messages go over https only. {example}{mine}")
    if parts.username is not None or parts.password is not None:
        raise WebhookRefused(
            "url", f"Leave user and password out: the signature does it. {example}"
        )
    if parts.fragment:
        raise WebhookRefused("url", f"Leave out what follows the #. {example}")
    if not url.isascii() or any(letter <= " " for letter in url):
        raise WebhookRefused("url", f"Only plain characters, percent-encoded. {example}")
    if name == "localhost" or name.endswith(".localhost") or not _may_be_public(name):
        raise WebhookRefused("url", f"{name} is not a public address. {example}")


def _may_be_public(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_global
    except ValueError:
        return "." in name


def shown(url: str) -> str:
    """An address without its query, which may hold a secret."""
    return url.partition("?")[0]


def note(action: str, webhook: Webhook, actor: User | None, **details: Any) -> None:
    record(
        action,
        actor=actor,
        object=shown(webhook.url),
        details={"webhookId": webhook.pk, **details},
    )
