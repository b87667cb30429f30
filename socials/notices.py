"""Telling staff, once each, that a permission ends soon or has ended: by mail and in the log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from socials import handles
from socials.models import Connection, ConnectionType, Notice
from talent.activity import record
from talent.mail import addresses_of_managers

log = structlog.get_logger("notice")

DAYS = (1, 3, 7, 14)
ENDED = "ended"
SAME_END = timedelta(days=2)
"""Platforms tell an end as seconds from now: it moves a little with every renewal."""


@dataclass(frozen=True, slots=True)
class Due:
    """One notice that is to be given."""

    row: Connection
    kind: str
    about: datetime

    @property
    def ended(self) -> bool:
        return self.kind == ENDED

    @property
    def shown(self) -> str:
        handle = handles.at(self.row.platform, self.row.handle)
        return f"{self.row.get_platform_display()} {handle}"

    @property
    def page(self) -> str:
        path = reverse("talent-profiles", args=[self.row.talent_id])
        return f"{settings.PUBLIC_URL}{path}"


def send() -> int:
    """Give every notice that is due. Returns how many were given."""
    Notice.objects.filter(kind=ENDED, connection__connected=True).delete()
    by_reader: dict[tuple[str, ...], list[Due]] = defaultdict(list)
    managers = addresses_of_managers()
    for due in _due():
        by_reader[_readers(due.row, managers)].append(due)
    return sum(_give(readers, dues) for readers, dues in by_reader.items())


def ends(rows: QuerySet[Connection]) -> QuerySet[Any]:
    """With ``grant_ends_at``: when the permission ends unless the talent renews it, or null.

    A refresh token carries a permission on; where there is none, the access token is all.
    """
    return rows.annotate(
        grant_ends_at=Case(
            When(grant__refresh_token="", then=F("grant__expires_at")),
            default=F("grant__refresh_expires_at"),
        )
    )


def _due() -> Iterator[Due]:
    now = timezone.now()
    granted = Connection.objects.filter(
        connection_type=ConnectionType.OAUTH, talent__status="active"
    ).select_related("talent__manager")
    for row in granted.filter(connected=False).exclude(notices__kind=ENDED):
        yield Due(row, ENDED, row.created_at)
    soon = ends(granted.filter(connected=True)).filter(
        grant_ends_at__gt=now, grant_ends_at__lte=now + timedelta(days=max(DAYS))
    )
    for row in soon.prefetch_related("notices"):
        about: datetime = row.grant_ends_at
        kind = next(f"ends-{days}" for days in DAYS if about <= now + timedelta(days=days))
        given = (one.kind for one in row.notices.all() if abs(one.about - about) < SAME_END)
        if kind not in given:
            yield Due(row, kind, about)


def _give(readers: tuple[str, ...], dues: Iterable[Due]) -> int:
    """One mail with all that its readers should know. What can't be sent is tried again."""
    try:
        with transaction.atomic():
            given = [due for due in dues if _is_first(due)]
            for due in given:
                _note(due)
            if given and readers:
                _mail(readers, given)
    except (OSError, SMTPException) as error:
        log.warning("notice.not_sent", error=type(error).__name__)
        return 0
    return len(given)


def _is_first(due: Due) -> bool:
    return Notice.objects.get_or_create(connection=due.row, kind=due.kind, about=due.about)[1]


def _note(due: Due) -> None:
    record(
        "grant.ended" if due.ended else "grant.ends_soon",
        talent_id=due.row.talent_id,
        object=str(due.row),
        details={
            "connectionId": due.row.pk,
            "platform": due.row.platform,
            **({} if due.ended else {"endsAt": due.about.isoformat(timespec="seconds")}),
        },
    )


def _mail(readers: tuple[str, ...], dues: list[Due]) -> None:
    first, more = dues[0], len(dues) - 1
    what = f"{first.shown} of {first.row.talent.name}"
    subject = f"{what} {'must be connected again' if first.ended else 'must be renewed soon'}"
    send_mail(
        subject + (f", and {more} more" if more else ""),
        render_to_string("socials/notice_email.txt", {"dues": dues}),
        None,
        list(readers),
    )


def _readers(row: Connection, managers: tuple[str, ...]) -> tuple[str, ...]:
    manager = row.talent.manager
    if manager is not None and manager.is_active and manager.email:
        return (manager.email,)
    return managers
