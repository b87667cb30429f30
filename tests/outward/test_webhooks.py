"""Messages to other systems: signed, patient, at least once, and never to a private address."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection as database
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ
from standardwebhooks import WebhookVerificationError
from werkzeug import Response

from socials import deliveries, outbox, tasks, webhooks
from socials.models import Delivery, Event, Webhook
from socials.sync.turn import CLUSTER, SENDING, turn
from talent.models import Activity, User
from talent.queue import later
from tests.conftest import ROOT, until
from tests.outward.conftest import Receiver, listening, time_passes

pytestmark = pytest.mark.django_db

Receivers = Callable[..., Receiver]
Deliver = Callable[[], None]


def happen(times: int = 1) -> None:
    for number in range(times):
        outbox.emit(Event.TALENT_MILESTONE, 3, {"milestone": 10_000, "number": number})


def only() -> Delivery:
    return Delivery.objects.get()


# --- a good receiver ---


def test_the_library_of_the_standard_accepts_what_arrives(
    receiver: Receiver, deliver: Deliver
) -> None:
    webhook = listening(receiver)
    happen()
    deliver()
    [opened] = receiver.opened(webhook.secret)
    assert opened["type"] == "talent.milestone"
    assert opened["data"] == {"talentId": 3, "milestone": 10_000, "number": 0}
    assert opened["timestamp"].endswith("Z")
    row = only()
    assert (row.status, row.attempts, row.response_status) == ("delivered", 1, 200)
    assert receiver.ids == [row.message_id]


def test_another_secret_or_another_body_does_not_verify(
    receiver: Receiver, deliver: Deliver
) -> None:
    webhook = listening(receiver)
    happen()
    deliver()
    with pytest.raises(WebhookVerificationError):
        receiver.opened(Webhook.new_secret())
    headers, body = receiver.received[0]
    receiver.received[0] = (headers, body.replace(b"10000", b"20000"))
    with pytest.raises(WebhookVerificationError):
        receiver.opened(webhook.secret)


def test_each_receiver_hears_what_it_asked_for_under_one_id(
    receivers: Receivers, deliver: Deliver
) -> None:
    one, two, other, off = (receivers() for _ in range(4))
    listening(one)
    listening(two, Event.TALENT_MILESTONE)
    listening(other, Event.CONNECTION_ERROR)
    webhooks.change(listening(off).pk, {"active": False})
    happen()
    deliver()
    assert one.ids == two.ids
    assert len(one.ids) == 1
    assert other.received == off.received == []


def test_an_event_that_is_rolled_back_is_never_told(receiver: Receiver, deliver: Deliver) -> None:
    listening(receiver)
    before = OrmQ.objects.count()
    with transaction.atomic():
        happen()
        transaction.set_rollback(True)
    deliver()
    assert receiver.received == []
    assert OrmQ.objects.count() == before


def test_without_a_listener_an_event_costs_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        happen()


# --- a receiver in trouble ---


def test_a_failure_is_tried_again_with_the_same_id_ever_more_patiently(
    receivers: Receivers, deliver: Deliver
) -> None:
    receiver = receivers(Response(status=500))
    webhook = listening(receiver)
    happen()
    waits = []
    for attempt in range(1, 11):
        deliver()
        row = only()
        assert (row.attempts, row.response_status) == (attempt, 500)
        if row.next_attempt_at:
            waits.append((row.next_attempt_at - timezone.now()).total_seconds())
            assert row.status == "pending"
            Webhook.objects.update(failing_since=timezone.now())  # else it would be switched off
            time_passes(waits[-1] + 0.1)
    assert row.status == "failed"
    assert row.next_attempt_at is None
    assert row.answer == "The receiver answered HTTP 500."
    for wait, planned in zip(waits, deliveries.BACKOFF, strict=True):
        assert planned - 2 <= wait <= planned * 1.2
    assert len(set(receiver.ids)) == 1
    assert len(receiver.opened(webhook.secret)) == 10


def test_the_first_retry_comes_within_seconds_by_itself(
    receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = receivers(Response(status=503), Response(status=204))
    listening(receiver)
    happen()
    monkeypatch.setattr(deliveries, "BACKOFF", (0.5, 300))
    monkeypatch.setattr(deliveries, "JOB_SECONDS", 5.0)
    tasks.deliver_webhooks()
    assert len(receiver.received) == 2
    assert only().status == "delivered"
    assert Webhook.objects.get().failures == 0


def test_a_receiver_that_asks_for_patience_gets_it(receivers: Receivers, deliver: Deliver) -> None:
    listening(receivers(Response(status=429, headers={"Retry-After": "900"})))
    happen()
    deliver()
    row = only()
    assert row.next_attempt_at
    assert 880 < (row.next_attempt_at - timezone.now()).total_seconds() <= 900


def test_while_a_receiver_fails_it_gets_one_message_at_a_time(
    receivers: Receivers, deliver: Deliver
) -> None:
    bad, good = receivers(Response(status=500)), receivers()
    webhook = listening(bad)
    listening(good)
    happen(12)
    deliver()
    assert len(good.received) == 12
    # Four at a time until the third failure is known: the first two each let one more go.
    assert 1 <= len(bad.received) <= 6
    sent = len(bad.received)
    deliver()
    assert len(bad.received) == sent
    time_passes(400)
    bad.answers = [Response()]
    for _ in range(4):
        deliver()
    assert set(webhook.deliveries.values_list("status", flat=True)) == {"delivered"}


def test_gone_switches_the_webhook_off_and_tells_the_managers(
    receivers: Receivers, deliver: Deliver, alice: User, victor: User
) -> None:
    webhook = listening(receivers(Response(status=410)))
    happen(2)
    Delivery.objects.filter(pk=Delivery.objects.order_by("pk")[1].pk).update(
        next_attempt_at=timezone.now() + timedelta(hours=1)
    )
    deliver()
    webhook.refresh_from_db()
    assert not webhook.is_active
    assert "410" in webhook.disabled_reason
    assert set(webhook.deliveries.values_list("status", flat=True)) == {"failed"}
    assert Activity.objects.get(action="webhook.disabled").actor_id is None
    [notice] = [job.task for job in OrmQ.objects.all() if "notice" in job.task["func"]]
    tasks.send_webhook_notice(*notice["args"])
    [letter] = mail.outbox
    assert letter.bcc == ["alice@agency.example"]
    assert f"/webhooks/{webhook.pk}" in letter.body
    happen()
    assert Delivery.objects.filter(status="pending").count() == 0


def test_days_of_failure_switch_the_webhook_off(receivers: Receivers, deliver: Deliver) -> None:
    webhook = listening(receivers(Response(status=500)))
    happen()
    deliver()
    time_passes(4 * 86_400)
    deliver()
    webhook.refresh_from_db()
    assert webhook.is_active
    assert webhook.failures == 2
    time_passes(86_500)
    deliver()
    webhook.refresh_from_db()
    assert not webhook.is_active
    assert webhook.disabled_reason.startswith("Nothing has arrived since")
    webhooks.change(webhook.pk, {"active": True})
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.failing_since, webhook.disabled_at) == (0, None, None)


def test_a_redirect_is_not_followed(receivers: Receivers, deliver: Deliver) -> None:
    elsewhere = receivers()
    listening(receivers(Response(status=302, headers={"Location": elsewhere.url})))
    happen()
    deliver()
    assert elsewhere.received == []
    assert (only().status, only().response_status) == ("pending", 302)
    assert "not followed" in only().answer


def test_an_answer_is_neither_kept_nor_read_without_end(
    receivers: Receivers, deliver: Deliver
) -> None:
    def endless() -> Response:
        return Response((b"secret of theirs" * 4096 for _ in range(1000)), status=200)

    listening(receivers(endless))
    happen()
    deliver()
    row = only()
    assert row.status == "pending"
    assert "larger than" in row.answer
    assert "secret of theirs" not in str(Delivery.objects.values().get())


# --- where messages may go ---


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://10.1.2.3/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/hook",
        "https://intranet/hook",
        "http://example.com/hook",
        "ftp://example.com/hook",
        "https://user:password@example.com/hook",
        "https://example.com/hook#part",
        "https://example.com:99999/hook",
        "https://exa mple.com/hook",
        "https:///hook",
        "example.com/hook",
        "https://example.com/h\u00f6ren",
    ],
)
def test_an_address_that_is_not_public_https_is_refused(url: str) -> None:
    with pytest.raises(webhooks.WebhookRefused) as refused:
        webhooks.create(url=url, events=[Event.CONNECTION_READY])
    assert refused.value.field == "url"
    assert "https://example.com/greenroom" in refused.value.message


def test_a_name_that_leads_to_a_private_address_is_not_connected_to(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        real = socket.getaddrinfo

        def rebound(name: str, *rest: Any, **more: Any) -> Any:
            return real("127.0.0.1" if name == "hooks.example" else name, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", rebound)
        webhooks.create(url=f"https://hooks.example:{port}/", events=[Event.TALENT_MILESTONE])
        happen()
        deliver()
        with pytest.raises(TimeoutError):
            server.accept()
    assert (only().status, only().response_status) == ("pending", None)
    assert "Only public addresses" in only().answer


# --- several workers, and lost ones ---


@pytest.mark.django_db(transaction=True)
def test_workers_of_two_machines_deliver_each_message_once(
    receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = receivers(lambda: [time.sleep(0.02), Response()][1])
    listening(receiver)
    happen(30)
    monkeypatch.setattr(deliveries, "JOB_SECONDS", 2.0)
    clusters = iter(["one", "two"])
    lock = threading.Lock()

    def work() -> None:
        with lock, pytest.MonkeyPatch.context() as patch:
            patch.setenv(CLUSTER, next(clusters))
            place = turn(SENDING)
            mine = place.__enter__()
        assert mine
        try:
            deliveries._deliver()
        finally:
            place.__exit__(None, None, None)
            database.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.ids) == 30
    assert len(set(receiver.ids)) == 30
    assert set(Delivery.objects.values_list("status", "attempts")) == {("delivered", 1)}


def test_what_a_lost_worker_was_sending_is_sent_again(receiver: Receiver, deliver: Deliver) -> None:
    webhook = listening(receiver)
    happen()
    [held] = Delivery.objects.all().claim(10, claim="a worker that is gone")
    deliver()
    assert receiver.received == []
    time_passes(61)
    deliver()
    assert only().status == "delivered"
    assert only().attempts == 2
    late = deliveries._message(held)
    deliveries.conclude(late, "a worker that is gone", deliveries.Answered(500, "too late"))
    webhook.refresh_from_db()
    assert (only().status, webhook.failures) == ("delivered", 0)


def test_no_receiver_gets_more_than_four_messages_at_a_time(receiver: Receiver) -> None:
    listening(receiver)
    happen(10)
    assert len(Delivery.objects.all().claim(16, claim="a")) == 4
    assert Delivery.objects.all().claim(16, claim="b") == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.engine
def test_a_worker_that_is_killed_in_the_middle_loses_no_message(
    receivers: Receivers, start_worker: Callable[..., Any], receiving_server: Any
) -> None:
    asked = threading.Event()

    def hangs() -> Response:
        asked.set()
        time.sleep(3)
        return Response()

    receiver = receivers(hangs, Response())
    webhook = listening(receiver)
    cluster = start_worker(SANDBOX_HOSTS=f"127.0.0.1:{receiving_server.port}")
    happen()
    assert asked.wait(20)
    cluster.kill()
    assert only().status == "pending"
    time_passes(61)
    later(outbox.DELIVER)  # instead of the minute's wake-up
    start_worker(SANDBOX_HOSTS=f"127.0.0.1:{receiving_server.port}")
    until(lambda: only().status == "delivered", seconds=90, what="the second delivery")
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
    assert len(receiver.opened(webhook.secret)) == 2


# --- a person's hand ---


def test_a_message_can_be_sent_once_more_at_once(receivers: Receivers, deliver: Deliver) -> None:
    receiver = receivers(Response(status=500), Response())
    webhook = listening(receiver)
    happen()
    deliver()
    webhooks.resend(webhook.pk, only().pk)
    deliver()
    assert only().status == "delivered"
    webhooks.resend(webhook.pk, only().pk)
    deliver()
    assert len(receiver.ids) == 3
    assert len(set(receiver.ids)) == 1


def test_the_secret_rests_encrypted(receiver: Receiver) -> None:
    webhook = listening(receiver)
    with database.cursor() as cursor:
        cursor.execute("SELECT secret FROM socials_webhook")
        [(stored,)] = cursor.fetchall()
    assert webhook.secret.startswith("whsec_")
    assert webhook.secret not in stored
    assert Webhook.objects.get().secret == webhook.secret


def test_messages_that_ended_are_forgotten_after_their_time(
    receiver: Receiver, deliver: Deliver
) -> None:
    listening(receiver)
    happen(2)
    deliver()
    happen()
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    tasks.forget_old_deliveries()
    assert only().status == "pending"


def test_the_documented_receiver_takes_each_message_once(
    receiver: Receiver, deliver: Deliver, capsys: pytest.CaptureFixture[str]
) -> None:
    example = (ROOT / "docs/webhooks.md").read_text().split("```python\n")[1].split("```")[0]
    told: dict[str, Any] = {}
    exec(example, told)
    webhook = listening(receiver)
    happen()
    deliver()
    webhooks.resend(webhook.pk, only().pk)
    deliver()
    seen: set[str] = set()
    for headers, body in receiver.received:
        lower = {name.lower(): value for name, value in headers.items()}
        assert told["receive"](body, lower, webhook.secret, seen) == 204
        assert told["receive"](body + b" ", lower, webhook.secret, seen) == 401
    assert capsys.readouterr().out.count("talent.milestone") == 1


def test_the_documentation_tells_every_event_and_wait() -> None:
    text = (ROOT / "docs/webhooks.md").read_text()
    for event in Event:
        assert f"`{event}`" in text
    assert "5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h" in text
    hours = [f"{seconds // 3600} h" for seconds in deliveries.BACKOFF[3:]]
    assert " and ".join([", ".join(hours[:-1]), hours[-1]]) in text
