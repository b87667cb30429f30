"""A receiver of webhooks: a real HTTP server that keeps what it was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db.models import F
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook as Signature
from werkzeug import Request, Response

from socials import deliveries, webhooks
from socials.models import Delivery, Event, Webhook
from socials.tasks import deliver_webhooks

_NUMBERS = count()
Answer = Response | Callable[[], Response]


@dataclass
class Receiver:
    """What it was sent, and what it answers: the last answer stays."""

    url: str
    answers: list[Answer]
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        self.received.append((dict(request.headers), request.get_data()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, Response) else answer()

    @property
    def ids(self) -> list[str]:
        return [headers["Webhook-Id"] for headers, _ in self.received]

    def opened(self, secret: str) -> list[Any]:
        """Every message, as the Standard Webhooks library reads it; a false signature raises."""
        return [Signature(secret).verify(body, headers) for headers, body in self.received]


@pytest.fixture(scope="session")
def receiving_server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def receivers(receiving_server: HTTPServer, settings: Any) -> Callable[..., Receiver]:
    """Makes receivers: ``receivers(Response(status=500), Response())``."""
    receiving_server.clear()
    settings.SANDBOX_HOSTS = [f"127.0.0.1:{receiving_server.port}"]

    def make(*answers: Answer) -> Receiver:
        path = f"/hook-{next(_NUMBERS)}"
        receiver = Receiver(receiving_server.url_for(path), list(answers) or [Response("ok")])
        receiving_server.expect_request(path).respond_with_handler(receiver.answer)
        return receiver

    return make


@pytest.fixture
def receiver(receivers: Callable[..., Receiver]) -> Receiver:
    return receivers()


def listening(receiver: Receiver, *events: Event) -> Webhook:
    """A webhook of this receiver, for every event unless some are named."""
    return webhooks.create(url=receiver.url, events=list(events or Event))


def time_passes(seconds: float) -> None:
    """What waits, waits that much less; so do pauses, claims and the memory of failures."""
    step = timedelta(seconds=seconds)
    for model, names in ((Delivery, ["next_attempt_at"]), (Webhook, ["paused_until"])):
        for row in model.objects.all():
            moments = {name: getattr(row, name) for name in names if getattr(row, name)}
            model.objects.filter(pk=row.pk).update(
                **{name: moment - step for name, moment in moments.items()}
            )
    Webhook.objects.update(failing_since=F("failing_since") - step)


@pytest.fixture
def deliver(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The job, in this very process, without its patience for what is due in a few seconds."""
    monkeypatch.setattr(deliveries, "JOB_SECONDS", 0.5)
    return deliver_webhooks
