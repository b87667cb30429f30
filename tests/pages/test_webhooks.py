"""Webhooks on pages: made with a secret that is shown once, tried, paused, sent again, deleted."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from socials import outbox, webhooks
from socials.models import Delivery, Event, Webhook
from talent.models import Activity, User

FORM = {
    "url": "https://crm.example/hook?key=abc",
    "about": "The CRM",
    "events": ["talent.milestone"],
}


def text(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.fixture
def webhook(db: None) -> Webhook:
    return webhooks.create(url="https://crm.example/hook", events=list(Event))


def a_message(data: dict[str, str] | None = None) -> Delivery:
    outbox.emit(Event.TALENT_MILESTONE, 1, data or {})
    return Delivery.objects.latest("pk")


def test_a_manager_makes_one_and_sees_its_secret_once(alice_browser: Client) -> None:
    assert "No webhooks yet" in text(alice_browser, "/webhooks")
    made = alice_browser.post("/webhooks/new", FORM)
    found = re.search(r'value="(whsec_[^"]+)"', made.content.decode())
    assert found
    webhook = Webhook.objects.get()
    assert webhook.secret == found[1]
    assert webhook.events == ["talent.milestone"]
    assert "no-store" in made["Cache-Control"]
    for address in ("/webhooks", f"/webhooks/{webhook.pk}"):
        page = text(alice_browser, address)
        assert "The CRM" in page
        assert "whsec_" not in page
    assert "whsec_" not in str(list(Activity.objects.values()))


def test_what_is_wrong_is_told_at_its_field_and_nothing_is_lost(alice_browser: Client) -> None:
    answer = alice_browser.post("/webhooks/new", {"url": "http://10.0.0.1/", "about": "x" * 201})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "https only" in page
    assert "At most 200 characters" in page
    assert "Choose what it is told of" in page
    assert 'value="http://10.0.0.1/"' in page
    assert not Webhook.objects.exists()


def test_it_is_changed_paused_switched_on_and_deleted(
    alice_browser: Client, webhook: Webhook, alice: User
) -> None:
    page = f"/webhooks/{webhook.pk}"
    secret = webhook.secret
    assert alice_browser.post(page, FORM).status_code == 302
    assert alice_browser.post(page, FORM | {"url": "x"}).status_code == 422
    alice_browser.post(f"{page}/switch", {"active": "off"})
    assert "Paused" in text(alice_browser, page)
    alice_browser.post(f"{page}/switch", {"active": "on"})
    webhook.refresh_from_db()
    assert (webhook.url, webhook.description) == (FORM["url"], "The CRM")
    assert (webhook.is_active, webhook.secret) == (True, secret)
    asked = re.search(r'<form class="confirm"[^>]*>', text(alice_browser, f"{page}?delete"))
    assert asked
    assert "hidden" not in asked[0]
    assert alice_browser.post(f"{page}/delete").status_code == 302
    assert not Webhook.objects.exists()
    for gone in ("switch", "test", "delete", "resend-failed"):
        assert alice_browser.post(f"{page}/{gone}").status_code == 302
    assert alice_browser.get(page).status_code == 404
    told = (
        Activity.objects.filter(actor_id=alice.pk).order_by("pk").values_list("action", flat=True)
    )
    assert list(told) == ["webhook.changed"] * 3 + ["webhook.deleted"]


def test_the_log_tells_what_became_of_each_message_and_sends_it_again(
    alice_browser: Client, webhook: Webhook
) -> None:
    page = f"/webhooks/{webhook.pk}"
    message = a_message({"handle": "<script>alert(1)</script>"})
    Delivery.objects.filter(pk=message.pk).abandon("The receiver answered HTTP 503.")
    Delivery.objects.filter(pk=message.pk).update(response_status=503)
    shown = text(alice_browser, page)
    assert "HTTP 503" in shown
    assert message.message_id in shown
    assert "<script>alert" not in shown
    assert "every 2s" not in shown
    assert message.message_id not in text(alice_browser, f"{page}?show=delivered")
    alice_browser.post(f"{page}/deliveries/{message.pk}/resend")
    message.refresh_from_db()
    assert message.status == "pending"
    assert "every 2s" in text(alice_browser, page)
    assert "every 2s" in text(alice_browser, f"{page}/log")
    Delivery.objects.filter(pk=message.pk).abandon("HTTP 503")
    alice_browser.post(f"{page}/resend-failed")
    message.refresh_from_db()
    assert message.status == "pending"
    other = webhooks.create(url="https://other.example/", events=list(Event))
    answer = alice_browser.post(f"/webhooks/{other.pk}/deliveries/{message.pk}/resend", follow=True)
    assert "no longer in the log" in answer.content.decode()


def test_a_long_log_has_pages(alice_browser: Client, webhook: Webhook) -> None:
    for _ in range(31):
        a_message()
    oldest = Delivery.objects.earliest("pk").message_id
    newest = text(alice_browser, f"/webhooks/{webhook.pk}")
    assert oldest not in newest
    older = re.search(r'href="([^"]+cursor=[^"]+)"', newest)
    assert older
    assert oldest in text(alice_browser, older[1].replace("&amp;", "&"))


def test_a_test_message_is_sent_and_told(alice_browser: Client, webhook: Webhook) -> None:
    answer = alice_browser.post(f"/webhooks/{webhook.pk}/test", follow=True)
    assert "A test message is on its way" in answer.content.decode()
    assert Delivery.objects.get().event == "webhook.test"
    webhooks.change(webhook.pk, {"active": False})
    answer = alice_browser.post(f"/webhooks/{webhook.pk}/test", follow=True)
    assert "Switch it on first" in answer.content.decode()


def test_one_that_greenroom_switched_off_says_why_and_one_that_fails_too(
    alice_browser: Client, webhook: Webhook
) -> None:
    now = timezone.now()
    Webhook.objects.update(failures=4, failing_since=now - timedelta(hours=3))
    assert "last 4 attempts failed, the first 3 h ago" in text(
        alice_browser, f"/webhooks/{webhook.pk}"
    )
    Webhook.objects.update(
        is_active=False, disabled_at=now, disabled_reason="The receiver answered 410 Gone."
    )
    page = text(alice_browser, f"/webhooks/{webhook.pk}")
    assert "Greenroom switched it off" in page
    assert "410 Gone" in page
    assert "Switched off" in text(alice_browser, "/webhooks")


def test_viewers_see_nothing_of_them(
    victor_browser: Client, alice_browser: Client, webhook: Webhook
) -> None:
    for address in ("/webhooks", "/webhooks/new", f"/webhooks/{webhook.pk}"):
        assert victor_browser.get(address).status_code == 403
    assert 'href="/webhooks"' not in text(victor_browser, "/sync")
    assert 'href="/webhooks"' in text(alice_browser, "/sync")


def test_the_list_costs_the_same_for_any_number(
    alice_browser: Client, webhook: Webhook, django_assert_max_num_queries: object
) -> None:
    for number in range(5):
        webhooks.create(url=f"https://{number}.example/", events=[Event.TALENT_MILESTONE])
    a_message()
    with django_assert_max_num_queries(10):
        text(alice_browser, "/webhooks")
    with django_assert_max_num_queries(13):
        text(alice_browser, f"/webhooks/{webhook.pk}")
