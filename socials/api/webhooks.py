"""Webhooks over HTTP: who is told what, and what became of each message. For managers only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from socials import webhooks
from socials.models import Delivery, Event, Webhook
from socials.models.webhook import TRIAL
from talent.api.errors import Conflict, absent, gone_is_404
from talent.api.paging import page_of
from talent.api.permissions import ManagersOnly
from talent.api.schema import documented
from talent.api.serializers import (
    Camel,
    Flag,
    Instant,
    NoFields,
    OrNull,
    PageQuery,
    Several,
    Strict,
    Text,
)
from talent.api.views import ApiView, actor, no_content, success

TAG = "Webhooks"
EVENTS = [event.value for event in Event]


class WebhookSerializer(Camel):
    id = serializers.IntegerField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(EVENTS))
    description = serializers.CharField()
    active = serializers.BooleanField(source="is_active")
    failures = serializers.IntegerField(help_text="Attempts that failed in a row.")
    failing_since = Instant()
    disabled_at = Instant(help_text="When Greenroom switched it off, for failing too long.")
    disabled_reason = OrNull()
    created_at = Instant(allow_null=False)
    updated_at = Instant(allow_null=False)


class WebhookWithSecret(WebhookSerializer):
    secret = serializers.CharField(help_text="Verifies signatures. Shown this once.")


class DeliverySerializer(Camel):
    id = serializers.IntegerField()
    message_id = serializers.CharField(help_text="The `webhook-id` header, at every attempt.")
    event = serializers.ChoiceField([*EVENTS, TRIAL])
    status = serializers.ChoiceField(Delivery.Status.choices)
    attempts = serializers.IntegerField(help_text="Begun, since it was last asked for.")
    response_status = serializers.IntegerField(
        allow_null=True, help_text="Of the last attempt; null where no answer came."
    )
    answer = OrNull(help_text="Why the last attempt failed, in words.")
    next_attempt_at = Instant()
    created_at = Instant(allow_null=False)


@extend_schema_field({"type": "string", "enum": EVENTS})
class EventName(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in EVENTS:
            raise ValidationError(f"Not an event. Known here: {', '.join(EVENTS)}.")
        return data


class ResentSerializer(Camel):
    messages = serializers.IntegerField(help_text="How many are sent once more.")


class WebhookChanges(Strict):
    url = Text(required=False, min_length=1, max_length=2000, help_text="https, public.")
    events = Several(child=EventName(EVENTS), required=False, min_length=1, max_length=20)
    description = Text(required=False, allow_blank=True, max_length=200)
    active = Flag(required=False)


class NewWebhook(WebhookChanges):
    url = Text(min_length=1, max_length=2000, help_text="https, public.")
    events = Several(child=EventName(EVENTS), min_length=1, max_length=20)


WEBHOOK = {
    "id": 4,
    "url": "https://crm.example.com/greenroom",
    "events": ["connection.error", "talent.milestone"],
    "description": "The CRM",
    "active": True,
    "failures": 0,
    "failingSince": None,
    "disabledAt": None,
    "disabledReason": None,
    "createdAt": "2026-01-10T12:00:00Z",
    "updatedAt": "2026-01-10T12:00:00Z",
}
CREATED = WEBHOOK | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="}
DELIVERY = {
    "id": 310,
    "messageId": "msg_0f8b5c2e9d1a4c7b8e6f3a2d5c4b1e90",
    "event": "talent.milestone",
    "status": "pending",
    "attempts": 2,
    "responseStatus": 503,
    "answer": "The receiver answered HTTP 503.",
    "nextAttemptAt": "2026-01-10T12:05:20Z",
    "createdAt": "2026-01-10T12:00:00Z",
}
ASKED = OpenApiExample(
    "A CRM",
    value={
        "url": "https://crm.example.com/greenroom",
        "events": ["connection.error", "talent.milestone"],
        "description": "The CRM",
    },
    request_only=True,
)
SWITCHED_ON = OpenApiExample("Switch it on again", value={"active": True}, request_only=True)


class WebhookList(ApiView):
    permission_classes = [ManagersOnly]

    @documented(
        name="listWebhooks",
        example=WEBHOOK,
        summary="Webhooks, newest first",
        tag=TAG,
        answer=WebhookSerializer,
        many=True,
        query=PageQuery,
    )
    def get(self, request: Request) -> Response:
        query = PageQuery.read(request.query_params)
        page = page_of(
            Webhook.objects.all(),
            by="-created_at",
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
        return success(WebhookSerializer(page.rows, many=True).data, page=page.facts())

    @documented(
        name="createWebhook",
        example=CREATED,
        summary="Be told of events",
        description="Signed by Standard Webhooks. Keep the `secret`: it is not shown again.",
        tag=TAG,
        body=NewWebhook,
        answer=WebhookWithSecret,
        statuses=(201,),
        examples=(ASKED,),
    )
    def post(self, request: Request) -> Response:
        body = NewWebhook(data=request.data)
        body.is_valid(raise_exception=True)
        webhook = webhooks.create(**body.validated_data, actor=actor(request))
        return success(WebhookWithSecret(webhook).data, status=201)


class WebhookDetail(ApiView):
    permission_classes = [ManagersOnly]

    @documented(
        name="getWebhook",
        example=WEBHOOK,
        summary="One webhook",
        tag=TAG,
        answer=WebhookSerializer,
        errors=(404,),
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        return success(WebhookSerializer(_found(webhook_id)).data)

    @documented(
        name="changeWebhook",
        example=WEBHOOK,
        summary="Change a webhook",
        description="Switching it off gives up the messages that wait; switching it on forgets "
        "its failures. The secret stays.",
        tag=TAG,
        body=WebhookChanges,
        answer=WebhookSerializer,
        errors=(404,),
        examples=(SWITCHED_ON,),
    )
    def patch(self, request: Request, webhook_id: int) -> Response:
        _found(webhook_id)
        body = WebhookChanges(data=request.data)
        body.is_valid(raise_exception=True)
        with gone_is_404(Webhook):
            webhook = webhooks.change(webhook_id, body.validated_data, actor=actor(request))
        return success(WebhookSerializer(webhook).data)

    @documented(
        name="deleteWebhook",
        summary="Delete a webhook and its messages",
        tag=TAG,
        statuses=(204,),
        errors=(404,),
    )
    def delete(self, request: Request, webhook_id: int) -> Response:
        with gone_is_404(Webhook):
            webhooks.delete(webhook_id, actor=actor(request))
        return no_content()


class DeliveryList(ApiView):
    permission_classes = [ManagersOnly]

    @documented(
        name="listDeliveries",
        example=DELIVERY,
        summary="What became of a webhook's messages, newest first",
        description="Messages that have ended are kept for 30 days.",
        tag=TAG,
        answer=DeliverySerializer,
        many=True,
        query=PageQuery,
        errors=(404,),
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        query = PageQuery.read(request.query_params)
        page = page_of(
            Delivery.objects.filter(webhook=_found(webhook_id)).defer("payload"),
            by="-created_at",
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
        return success(DeliverySerializer(page.rows, many=True).data, page=page.facts())


class DeliveryResend(ApiView):
    permission_classes = [ManagersOnly]

    @documented(
        name="resendDelivery",
        example=DELIVERY | {"attempts": 0, "nextAttemptAt": "2026-01-10T13:00:00Z"},
        summary="Send a message once more, now",
        description="With the same `webhook-id`, whatever became of it before.",
        tag=TAG,
        answer=DeliverySerializer,
        statuses=(202,),
        errors=(400, 404, 409, 413, 415),
    )
    def post(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        NoFields.check(request)
        with off_is_409():
            try:
                delivery = webhooks.resend(webhook_id, delivery_id, actor=actor(request))
            except Delivery.DoesNotExist:
                raise Http404("This webhook has no message with this id.") from None
        return success(DeliverySerializer(delivery).data, status=202)


class DeliveryResendFailed(ApiView):
    permission_classes = [ManagersOnly]

    @documented(
        name="resendFailedDeliveries",
        example={"messages": 12},
        summary="Send every message that failed once more, now",
        description="What a receiver missed while it was away. Each keeps its `webhook-id`.",
        tag=TAG,
        answer=ResentSerializer,
        statuses=(202,),
        errors=(404, 409),
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        with gone_is_404(Webhook), off_is_409():
            messages = webhooks.resend_failed(webhook_id, actor=actor(request))
        return success({"messages": messages}, status=202)


class WebhookTest(ApiView):
    permission_classes = [ManagersOnly]

    @documented(
        name="testWebhook",
        example=DELIVERY
        | {"event": TRIAL, "attempts": 0, "responseStatus": None, "answer": None}
        | {"nextAttemptAt": "2026-01-10T12:00:00Z"},
        summary="Send a test message",
        description="A signed `webhook.test` that tells of nothing. Its log says whether it arrived.",
        tag=TAG,
        answer=DeliverySerializer,
        statuses=(202,),
        errors=(404, 409),
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        with gone_is_404(Webhook), off_is_409():
            message = webhooks.send_test(webhook_id, actor=actor(request))
        return success(DeliverySerializer(message).data, status=202)


@contextmanager
def off_is_409() -> Iterator[None]:
    try:
        yield
    except webhooks.Inactive:
        raise Conflict("This webhook is switched off. Switch it on first.") from None


def _found(webhook_id: int) -> Webhook:
    webhook = Webhook.objects.filter(pk=webhook_id).first()
    if webhook is None:
        raise absent(Webhook)
    return webhook
