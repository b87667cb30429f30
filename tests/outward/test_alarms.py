"""Lasting troubles are mailed once, then again after a while, and never for what comes and goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from socials import tasks
from socials.models import Alarm, Circuit, Connection, SyncRun
from talent.models import Talent, User
from tests.api.conftest import a_run, connect

__all__ = ["connect"]  # a fixture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def people(alice: User, victor: User, ruth: User, settings: Any) -> None:
    """A manager, a viewer, a superuser, and an operator outside."""
    settings.ADMINS = [("", "ops@agency.example")]
    alice.is_active = True


@pytest.fixture
def outage(db: None) -> Circuit:
    return Circuit.objects.create(platform="YOUTUBE", source="youtube_data", state="open")


def minutes_pass(minutes: float) -> None:
    """The watch's memory grows that much older; then it looks again."""
    step = timedelta(minutes=minutes)
    Alarm.objects.update(
        since=F("since") - step, mailed_at=F("mailed_at") - step, ended_at=F("ended_at") - step
    )
    tasks.watch()


def test_a_trouble_is_mailed_when_it_has_lasted_and_again_after_the_cool_down(
    outage: Circuit,
) -> None:
    tasks.watch()
    minutes_pass(14)
    assert mail.outbox == []
    minutes_pass(1)
    [letter] = mail.outbox
    assert letter.bcc == ["alice@agency.example", "ops@agency.example", "ruth@agency.example"]
    assert letter.to == []
    assert "youtube_data does not answer" in letter.body
    assert "/sync" in letter.body
    for _ in range(5):
        minutes_pass(60)
    assert len(mail.outbox) == 1
    minutes_pass(60)
    assert len(mail.outbox) == 2


def test_what_is_over_in_time_is_not_mailed(outage: Circuit) -> None:
    tasks.watch()
    Circuit.objects.update(state="closed")
    minutes_pass(20)
    Circuit.objects.update(state="open")
    minutes_pass(10)
    assert mail.outbox == []


def test_what_comes_and_goes_is_told_once_in_the_cool_down(outage: Circuit) -> None:
    tasks.watch()
    for state in ("open", "closed", "open", "open"):
        Circuit.objects.update(state=state)
        minutes_pass(20)
    assert len(mail.outbox) == 1


def test_several_troubles_are_one_mail(outage: Circuit, connect: Callable[..., Connection]) -> None:
    row = connect("TIKTOK")
    Connection.objects.filter(pk=row.pk).update(
        next_attempt_at=timezone.now() - timedelta(minutes=12)
    )
    tasks.watch()
    minutes_pass(15)
    [letter] = mail.outbox
    assert letter.subject.endswith("2 things need attention")
    assert "1 sync is late, the oldest by 12 minutes" in letter.body


def test_a_platform_that_fails_for_many_accounts_is_told_with_its_cause(
    connect: Callable[..., Connection], make_talent: Callable[..., Talent]
) -> None:
    for number in range(8):
        row = connect("INSTAGRAM", f"maya{number}", make_talent(f"Maya {number}"))
        bad = number < 6
        SyncRun.objects.create(
            **a_run(
                row,
                outcome="error" if bad else "ready",
                error_code="BLOCKED" if bad else "",
                started_at=timezone.now(),
                finished_at=timezone.now(),
            )
        )
    tasks.watch()
    words = Alarm.objects.get(name="failing INSTAGRAM").words
    assert words.startswith("6 of 8 Instagram accounts failed within the hour, mostly for BLOCKED")


def test_a_few_failures_and_a_short_wait_are_no_trouble(
    connect: Callable[..., Connection],
) -> None:
    row = connect("INSTAGRAM")
    SyncRun.objects.create(
        **a_run(
            row,
            outcome="error",
            error_code="NOT_FOUND",
            started_at=timezone.now(),
            finished_at=timezone.now(),
        )
    )
    tasks.watch()
    assert not Alarm.objects.exists()


def test_a_mail_server_that_refuses_is_asked_again(
    outage: Circuit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any, **__: Any) -> None:
        raise SMTPException("no")

    tasks.watch()
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", refuses)
        minutes_pass(20)
    assert mail.outbox == []
    tasks.watch()
    assert len(mail.outbox) == 1
