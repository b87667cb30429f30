"""Staff are told before a permission ends and when it has, once each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from socials import grants, tasks
from socials.models import Connection, Grant, Notice
from talent.models import Activity, Talent, User
from tests.socials.grant_stage import account, given, granted

pytestmark = pytest.mark.django_db


def ends_in(grant: Grant, **delta: float) -> None:
    Grant.objects.filter(pk=grant.pk).update(
        refresh_expires_at=timezone.now() + timedelta(**delta), expires_at=timezone.now()
    )


def subjects() -> list[str]:
    return [message.subject for message in mail.outbox]


def test_each_of_the_four_days_is_told_once(jane: Talent, alice: User) -> None:
    grant = granted(jane)
    told = []
    for days in (15, 13.9, 13, 8, 6.9, 6, 2.9, 2, 0.9, 0.5):
        ends_in(grant, days=days)
        Notice.objects.update(about=timezone.now() + timedelta(days=days, seconds=30))
        before = len(mail.outbox)
        tasks.send_notices()
        tasks.send_notices()
        if len(mail.outbox) > before:
            told.append(days)
    assert told == [13.9, 6.9, 2.9, 0.9]
    assert subjects() == ["TikTok @jane.smith of Jane Smith must be renewed soon"] * 4
    assert Activity.objects.filter(action="grant.ends_soon").count() == 4


def test_a_grant_that_is_found_late_is_told_of_once_not_four_times(
    jane: Talent, alice: User
) -> None:
    ends_in(granted(jane), hours=5)
    tasks.send_notices()
    assert len(mail.outbox) == 1
    assert list(Notice.objects.values_list("kind", flat=True)) == ["ends-1"]


def test_the_end_is_told_once_until_the_talent_has_come_back(jane: Talent, alice: User) -> None:
    granted(jane)
    for _ in range(2):
        Connection.objects.update(connected=False)
        tasks.send_notices()
        tasks.send_notices()
        grants.adopt(jane, "TIKTOK", given(), account())
        tasks.send_notices()
    assert subjects() == ["TikTok @jane.smith of Jane Smith must be connected again"] * 2


def test_the_talents_manager_is_told_or_else_all_managers(
    jane: Talent, alice: User, victor: User, ruth: User, make_talent: Any
) -> None:
    ends_in(granted(jane), days=2)
    tasks.send_notices()
    assert mail.outbox[0].to == ["alice@agency.example", "ruth@agency.example"]
    mila = make_talent("Mila Okafor", manager=alice)
    ends_in(granted(mila, open_id="open-2"), days=2)
    tasks.send_notices()
    assert mail.outbox[1].to == ["alice@agency.example"]
    assert f"/talent/{mila.pk}/profiles" in mail.outbox[1].body


def test_many_ends_make_one_mail(jane: Talent, alice: User) -> None:
    for number in range(3):
        ends_in(granted(jane, handle=f"jane{number}", open_id=f"open-{number}"), days=2)
    tasks.send_notices()
    assert len(mail.outbox) == 1
    assert subjects()[0].endswith(", and 2 more")


def test_a_token_that_renews_itself_is_no_end(jane: Talent, alice: User) -> None:
    granted(jane, ends_in=timedelta(hours=1), refresh_expires_at=None)
    tasks.send_notices()
    assert not mail.outbox


def test_a_mail_that_can_not_be_sent_is_tried_again(
    jane: Talent, alice: User, settings: Any
) -> None:
    ends_in(granted(jane), days=2)
    works = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    tasks.send_notices()
    assert not Notice.objects.exists()
    settings.EMAIL_BACKEND = works
    tasks.send_notices()
    assert len(mail.outbox) == 1
