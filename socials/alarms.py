"""Lasting troubles, told to managers and ADMINS by mail: once, and again after a cool-down.

It runs in a worker, so it can't tell that none is left: ``check_queue`` and the alert rules do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from socials import platforms
from socials.errors import CAUSES
from socials.models import Alarm, Circuit, Connection, Outcome, SyncRun
from talent.mail import mail_managers
from talent.queue import waiting

log = structlog.get_logger("alarm")

LATE = timedelta(minutes=5)
FAILING_SHARE = 0.5
FEWEST_ACCOUNTS = 5
MOST_JOBS = 2_000
WINDOW = timedelta(hours=1)
_WATCHING = 7_407  # our advisory lock

Troubles = dict[str, str]
"""What is wrong now: a name that stays the same while it lasts, and words for people."""


def watch() -> int:
    """Look at the house, remember what is wrong, mail what has lasted. How many troubles were told.

    Mail that can't be sent is tried again at the next round.
    """
    with transaction.atomic():
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_WATCHING])
            if not cursor.fetchone()[0]:
                return 0
        now = timezone.now()
        _remember(dict(troubles()), now)
        due = [alarm for alarm in Alarm.objects.filter(ended_at=None) if _is_due(alarm, now)]
        if not due:
            return 0
        try:
            mail_managers(_subject(due), _body(due))
        except (OSError, SMTPException) as error:
            log.warning("alarm.not_sent", error=type(error).__name__)
            return 0
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in due]).update(mailed_at=now)
    for alarm in due:
        log.warning("alarm.told", alarm=alarm.name, words=alarm.words)
    return len(due)


def troubles() -> Iterator[tuple[str, str]]:
    """Everything that is wrong at this moment."""
    yield from _queue()
    yield from _failing()
    yield from _circuits()


def _queue() -> Iterator[tuple[str, str]]:
    late = Connection.objects.all().overdue(seconds=LATE.total_seconds())
    found = late.aggregate(accounts=Count("pk"), oldest=Min("next_attempt_at"))
    if found["accounts"]:
        minutes = int((timezone.now() - found["oldest"]).total_seconds() / 60)
        yield (
            "queue",
            f"{_syncs(found['accounts'])} late, the oldest by {minutes} minutes. Are the workers "
            "up, is a quota used up?",
        )
    if (jobs := waiting()) > MOST_JOBS:
        yield "jobs", f"{jobs} background jobs wait. Start another worker cluster."


def _failing() -> Iterator[tuple[str, str]]:
    ended = SyncRun.objects.filter(
        finished_at__gt=Now() - WINDOW, outcome__in=[Outcome.READY, Outcome.ERROR]
    )
    bad = Q(outcome=Outcome.ERROR)
    for row in ended.values("platform").annotate(
        all=Count("connection", distinct=True), bad=Count("connection", bad, distinct=True)
    ):
        if row["bad"] < max(FEWEST_ACCOUNTS, row["all"] * FAILING_SHARE):
            continue
        causes = ended.filter(bad, platform=row["platform"]).values_list("error_code")
        [(code, _)] = causes.annotate(n=Count("pk")).order_by("-n")[:1]
        name = platforms.get(row["platform"]).name
        yield (
            f"failing {row['platform']}",
            f"{row['bad']} of {row['all']} {name} accounts failed within the hour, mostly for "
            f"{code}: {CAUSES[code].title.format(P=name, h='an account', T='the talent')}",
        )


def _circuits() -> Iterator[tuple[str, str]]:
    for circuit in Circuit.objects.exclude(state=Circuit.State.CLOSED):
        yield (
            f"circuit {circuit.platform} {circuit.source}",
            f"{circuit.source} does not answer. Nothing is lost, its accounts wait; see the "
            "platform's status page.",
        )


def _remember(present: Troubles, now: datetime) -> None:
    Alarm.objects.filter(ended_at=None).exclude(pk__in=present).update(ended_at=now)
    known = Alarm.objects.in_bulk(list(present))
    for name, words in present.items():
        alarm = known.get(name) or Alarm(name=name, since=now)
        if alarm.ended_at is not None:
            alarm.since, alarm.ended_at = now, None
        alarm.words = words[:500]
        alarm.save()


def _is_due(alarm: Alarm, now: datetime) -> bool:
    lasts = now - alarm.since >= timedelta(minutes=settings.ALARM_AFTER_MINUTES)
    rest = timedelta(hours=settings.ALARM_AGAIN_HOURS)
    return lasts and (alarm.mailed_at is None or now - alarm.mailed_at >= rest)


def _subject(due: Sequence[Alarm]) -> str:
    return "Something needs attention" if len(due) == 1 else f"{len(due)} things need attention"


def _body(due: Sequence[Alarm]) -> str:
    told = "\n\n".join(f"Since {alarm.since:%d %B, %H:%M} UTC: {alarm.words}" for alarm in due)
    return (
        f"{told}\n\nThe sync page has the details: {settings.PUBLIC_URL}/sync\n\n"
        f"While it lasts you are told again every {settings.ALARM_AGAIN_HOURS} hours.\n"
    )


def _syncs(number: int) -> str:
    return "1 sync is" if number == 1 else f"{number} syncs are"
