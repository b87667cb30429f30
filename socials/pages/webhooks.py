"""Webhooks for managers: where messages go, what became of each, and sending them once more."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from socials import webhooks
from socials.models import Delivery, Event, Webhook
from socials.pages.shell import fragment, page
from talent.api.paging import page_or_first
from talent.pages.access import actor, manager_action, manager_page

HERE = "webhooks"
WEBHOOKS, ROWS = 50, 30
LONGEST_URL, LONGEST_DESCRIPTION = 2000, 200
SHOWN = {"all": "All", "delivered": "Delivered", "pending": "Waiting", "failed": "Failed"}
WATCHED = timedelta(seconds=30)
"""The log refreshes itself while a message is due as soon as this."""
WORDS: dict[str, tuple[str, str]] = {
    Event.CONNECTION_READY: ("Account is ready", "First read, or well again after an error"),
    Event.CONNECTION_ERROR: ("Account fails", "A sync ended in an error, for a new cause"),
    Event.CONNECTION_REAUTH_REQUIRED: (
        "Reconnect needed",
        "The talent must connect the account again",
    ),
    Event.PROFILE_IMAGE_UPDATED: ("New photo", "Another picture is the talent's photo"),
    Event.TALENT_MILESTONE: ("Milestone", "An account passed 10K, 50K, 100K … followers"),
}


@dataclass
class Draft:
    """What the form holds, and what is wrong with it."""

    url: str = ""
    description: str = ""
    chosen: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, webhook: Webhook) -> Draft:
        return cls(webhook.url, webhook.description, webhook.events)

    @classmethod
    def posted(cls, request: HttpRequest) -> Draft:
        given = {name: request.POST.get(name, "").replace("\x00", "") for name in ("url", "about")}
        chosen = [event for event in request.POST.getlist("events") if event in Event.values]
        draft = cls(given["url"].strip(), " ".join(given["about"].split()), chosen)
        draft.judge()
        return draft

    def judge(self) -> None:
        if len(self.url) > LONGEST_URL:
            self.errors["url"] = f"At most {LONGEST_URL:,} characters."
        else:
            try:
                webhooks.check(self.url)
            except webhooks.WebhookRefused as refused:
                self.errors["url"] = refused.message
        if len(self.description) > LONGEST_DESCRIPTION:
            self.errors["about"] = f"At most {LONGEST_DESCRIPTION} characters."
        if not self.chosen:
            self.errors["events"] = "Choose what it is told of."

    @property
    def options(self) -> list[tuple[str, str, str, bool]]:
        """Each event: its name, what it is called, when it comes, whether it is chosen."""
        return [(event, *WORDS[event], event in self.chosen) for event in Event.values]

    def fields(self) -> dict[str, Any]:
        return {"url": self.url, "description": self.description, "events": self.chosen}


def state_of(webhook: Webhook) -> tuple[str, str]:
    """Its icon and colour, and the word for it."""
    if webhook.disabled_at:
        return "error", "Switched off"
    if not webhook.is_active:
        return "muted", "Paused"
    return ("pending", "Failing") if webhook.failures else ("ready", "On")


@manager_page
def webhook_list(request: HttpRequest) -> HttpResponse:
    failed = Count("deliveries", filter=Q(deliveries__status=Delivery.Status.FAILED))
    rows = Webhook.objects.annotate(failed=failed).order_by("-created_at", "-id")
    found = Paginator(rows, WEBHOOKS).get_page(request.GET.get("page"))
    return page(
        request,
        "socials/webhooks.html",
        here=HERE,
        found=found,
        lines=[(row, *state_of(row), _called(row.events)) for row in found.object_list],
    )


@manager_page
def webhook_new(request: HttpRequest) -> HttpResponse:
    """The form; a POST makes the webhook, whose secret is on that answer and nowhere else."""
    if request.method != "POST":
        return page(request, "socials/webhook_new.html", here=HERE, draft=Draft())
    draft = Draft.posted(request)
    if draft.errors:
        return page(request, "socials/webhook_new.html", here=HERE, draft=draft, status=422)
    webhook = webhooks.create(**draft.fields(), actor=actor(request))
    return _webhook_page(request, webhook, Draft.of(webhook), secret=webhook.secret)


@manager_page
def webhook_detail(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """The webhook with its form and its log; a POST changes it."""
    webhook = get_object_or_404(Webhook, pk=webhook_id)
    if request.method != "POST":
        return _webhook_page(request, webhook, Draft.of(webhook))
    draft = Draft.posted(request)
    if draft.errors:
        return _webhook_page(request, webhook, draft, status=422)
    webhooks.change(webhook_id, draft.fields(), actor=actor(request))
    messages.success(request, "Saved")
    return redirect("webhook", webhook_id)


@manager_page
def webhook_log(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """The log alone, for its own poll."""
    webhook = get_object_or_404(Webhook, pk=webhook_id)
    return fragment(request, "socials/_webhook_log.html", **_log(request, webhook))


@manager_action
def webhook_switch(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """On or off, as ``active`` says."""
    active = request.POST.get("active") == "on"
    try:
        webhooks.change(webhook_id, {"active": active}, actor=actor(request))
    except Webhook.DoesNotExist:
        return _gone(request)
    messages.success(request, "The webhook is on" if active else "The webhook is paused")
    return redirect("webhook", webhook_id)


@manager_action
def webhook_delete(request: HttpRequest, webhook_id: int) -> HttpResponse:
    try:
        webhooks.delete(webhook_id, actor=actor(request))
    except Webhook.DoesNotExist:
        return _gone(request)
    messages.success(request, "The webhook is deleted, with its log")
    return redirect("webhooks")


@manager_action
def webhook_test(request: HttpRequest, webhook_id: int) -> HttpResponse:
    return _sent(request, webhook_id, webhooks.send_test, "A test message is on its way")


@manager_action
def webhook_resend_failed(request: HttpRequest, webhook_id: int) -> HttpResponse:
    told = "What failed is sent once more"
    return _sent(request, webhook_id, webhooks.resend_failed, told)


@manager_action
def delivery_resend(request: HttpRequest, webhook_id: int, delivery_id: int) -> HttpResponse:
    def again(webhook_id: int, **by: Any) -> Delivery:
        return webhooks.resend(webhook_id, delivery_id, **by)

    return _sent(request, webhook_id, again, "The message is sent once more")


def _sent(request: HttpRequest, webhook_id: int, journey: Any, told: str) -> HttpResponse:
    try:
        journey(webhook_id, actor=actor(request))
    except Webhook.DoesNotExist:
        return _gone(request)
    except Delivery.DoesNotExist:
        messages.error(request, "This message is no longer in the log")
    except webhooks.Inactive:
        messages.error(request, "The webhook is off. Switch it on first.")
    else:
        messages.success(request, told)
    return redirect("webhook", webhook_id)


def _gone(request: HttpRequest) -> HttpResponse:
    messages.error(request, "This webhook is no longer there")
    return redirect("webhooks")


def _webhook_page(
    request: HttpRequest, webhook: Webhook, draft: Draft, *, secret: str = "", status: int = 200
) -> HttpResponse:
    mark, word = state_of(webhook)
    return page(
        request,
        "socials/webhook.html",
        here=HERE,
        status=status,
        mark=mark,
        word=word,
        draft=draft,
        secret=secret,
        deleting="delete" in request.GET,
        **_log(request, webhook),
    )


def _log(request: HttpRequest, webhook: Webhook) -> dict[str, Any]:
    show = request.GET.get("show", "all")
    show = show if show in SHOWN else "all"
    rows = Delivery.objects.filter(webhook=webhook)
    if show != "all":
        rows = rows.filter(status=show)
    found = page_or_first(rows, by="-created_at", cursor=request.GET.get("cursor"), limit=ROWS)
    soon = timezone.now() + WATCHED
    waiting = Delivery.objects.filter(webhook=webhook, status=Delivery.Status.PENDING)
    return {
        "webhook": webhook,
        "show": show,
        "shown": SHOWN,
        "log": [(row, _event(row.event), _body(row)) for row in found.rows],
        "older": urlencode({"show": show, "cursor": found.next}) if found.next else "",
        "is_later": "cursor" in request.GET,
        "busy": webhook.is_active and waiting.filter(next_attempt_at__lt=soon).exists(),
        "failed": webhook.deliveries.filter(status=Delivery.Status.FAILED).count(),
        "query": request.GET.urlencode(),
    }


def _called(events: list[str]) -> list[str]:
    return [WORDS[event][0] for event in Event.values if event in events]


def _event(event: str) -> str:
    return WORDS[event][0] if event in WORDS else "Test"


def _body(row: Delivery) -> str:
    return json.dumps(row.payload, indent=2, ensure_ascii=False)
