"""Webhooks through the API: made, shown, changed, sent again; never a secret twice."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from socials import outbox, webhooks
from socials.models import Delivery, Event, Webhook
from talent.models import Activity, User
from tests.api.conftest import a_message

pytestmark = pytest.mark.django_db
URL = "/api/admin/webhooks"
BODY = {"url": "https://crm.example/greenroom?key=abc", "events": ["talent.milestone"]}


@pytest.fixture
def webhook(manager: APIClient) -> dict[str, Any]:
    answer = manager.post(URL, BODY, format="json")
    assert answer.status_code == 201, answer.content
    return dict(answer.json()["data"])


def test_the_secret_is_shown_once(manager: APIClient, webhook: dict[str, Any]) -> None:
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    one = manager.get(f"{URL}/{webhook['id']}")
    every = manager.get(URL)
    assert one.json()["data"] == webhook == every.json()["data"][0]
    changed = manager.patch(f"{URL}/{webhook['id']}", {"description": "CRM"}, format="json")
    assert changed.json()["data"]["description"] == "CRM"
    for answer in (one, every, changed):
        assert secret not in answer.content.decode()
    assert secret not in repr(Webhook.objects.get().__dict__["url"])


def test_every_change_is_in_the_activity_without_the_address_query(
    manager: APIClient, webhook: dict[str, Any], alice: User
) -> None:
    url = f"{URL}/{webhook['id']}"
    manager.patch(url, {"active": False}, format="json")
    manager.delete(url)
    events = Activity.objects.filter(actor_id=alice.pk, action__startswith="webhook.")
    assert list(events.order_by("pk").values_list("action", "object")) == [
        ("webhook.added", "https://crm.example/greenroom"),
        ("webhook.changed", "https://crm.example/greenroom"),
        ("webhook.deleted", "https://crm.example/greenroom"),
    ]
    assert manager.get(url).status_code == 404
    assert manager.delete(url).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://crm.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": ""}, "url"),
        ({"events": []}, "events"),
        ({"events": ["talent.born"]}, "events"),
        ({"events": "talent.milestone"}, "events"),
        ({"events": [{}]}, "events"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"active": "yes"}, "active"),
    ],
)
def test_a_senseless_value_is_refused_by_its_name(
    manager: APIClient, webhook: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    for answer in (
        manager.post(URL, BODY | change, format="json"),
        manager.patch(f"{URL}/{webhook['id']}", change, format="json"),
    ):
        assert answer.status_code == 400
        assert [name.partition(".")[0] for name in answer.json()["details"]] == [field]


def test_deliveries_are_listed_page_by_page_and_sent_again(manager: APIClient) -> None:
    message = a_message()
    for number in range(4):
        outbox.emit(Event.TALENT_MILESTONE, 1, {"milestone": number})
    url = f"{URL}/{message.webhook_id}/deliveries"
    first = manager.get(url, {"limit": 3}).json()
    rest = manager.get(url, {"limit": 3, "cursor": first["page"]["next"]}).json()
    ids = [entry["id"] for entry in first["data"] + rest["data"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 5
    assert rest["data"][-1] == {
        "id": message.pk,
        "messageId": message.message_id,
        "event": "talent.milestone",
        "status": "pending",
        "attempts": 0,
        "responseStatus": None,
        "answer": None,
        "nextAttemptAt": rest["data"][-1]["nextAttemptAt"],
        "createdAt": rest["data"][-1]["createdAt"],
    }
    Delivery.objects.filter(pk=message.pk).update(
        status="failed", next_attempt_at=None, attempts=10, response_status=500
    )
    answer = manager.post(f"{url}/{message.pk}/resend")
    assert answer.status_code == 202
    assert (answer.json()["data"]["status"], answer.json()["data"]["attempts"]) == ("pending", 0)


def test_a_message_of_another_webhook_or_of_one_that_is_off_is_not_sent_again(
    manager: APIClient, webhook: dict[str, Any]
) -> None:
    message = a_message(Event.CONNECTION_READY)
    foreign = manager.post(f"{URL}/{webhook['id']}/deliveries/{message.pk}/resend")
    assert foreign.status_code == 404
    webhooks.change(message.webhook_id, {"active": False})
    off = manager.post(f"{URL}/{message.webhook_id}/deliveries/{message.pk}/resend")
    assert off.status_code == 409
    assert "switched off" in off.json()["message"]
    message.refresh_from_db()
    assert (message.status, message.answer) == ("failed", "The webhook was switched off.")


def test_a_test_message_goes_to_this_webhook_alone(
    manager: APIClient, webhook: dict[str, Any]
) -> None:
    webhooks.create(url="https://other.example/", events=list(Event))
    answer = manager.post(f"{URL}/{webhook['id']}/test")
    assert answer.status_code == 202
    assert answer.json()["data"]["event"] == "webhook.test"
    message = Delivery.objects.get()
    assert message.webhook_id == webhook["id"]
    assert message.payload["data"] == {"webhookId": webhook["id"]}
    assert manager.post(f"{URL}/0/test").status_code == 404
    subscribed = manager.post(URL, BODY | {"events": ["webhook.test"]}, format="json")
    assert subscribed.status_code == 400
    webhooks.change(webhook["id"], {"active": False})
    assert manager.post(f"{URL}/{webhook['id']}/test").status_code == 409


def test_what_failed_is_sent_once_more_with_one_request(
    manager: APIClient, webhook: dict[str, Any]
) -> None:
    for number in range(3):
        outbox.emit(Event.TALENT_MILESTONE, number, {})
    delivered, *missed = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=delivered.pk).update(status="delivered", next_attempt_at=None)
    Delivery.objects.filter(pk__in=[row.pk for row in missed]).abandon("HTTP 503")
    url = f"{URL}/{webhook['id']}/deliveries/resend-failed"
    answer = manager.post(url)
    assert (answer.status_code, answer.json()["data"]) == (202, {"messages": 2})
    pending = Delivery.objects.filter(status="pending")
    assert {row.message_id for row in pending} == {row.message_id for row in missed}
    assert manager.post(url).json()["data"] == {"messages": 0}
    assert manager.post(f"{URL}/0/deliveries/resend-failed").status_code == 404
    webhooks.change(webhook["id"], {"active": False})
    assert manager.post(url).status_code == 409
