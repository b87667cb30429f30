"""News that YouTube sends by itself: which channels we asked for, and what a notice sets going.

Polling stands alone: a hub that refuses, forgets or lies costs promptness, never data.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.utils import timezone

from scraping.errors import BadResponse, Failure
from scraping.http import Http, Limits
from scraping.meter import Meter
from socials import connections
from socials.models import Connection, Priority, PushSubscription, Trigger
from socials.platforms.youtube import push as hub
from socials.types import Context
from talent.models import Talent

log = structlog.get_logger(__name__)

PATH = "/callbacks/youtube"
RENEW_BEFORE = timedelta(days=2)
ANSWER_WITHIN = timedelta(hours=1)
"""A hub that did not ask back within this is asked anew."""
LONGEST_WAIT = timedelta(days=1)
LONGEST_LEASE = timedelta(days=15)
ASKED_AT_ONCE = 500


def is_on() -> bool:
    """Whether the hub could reach us: not while PUBLIC_URL is an address of this machine or net."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".internal", ".test"))


def callback() -> str:
    return f"{settings.PUBLIC_URL}{PATH}"


def renew() -> int:
    """Ask the hub for every channel whose subscription is missing or near its end. How many."""
    if not is_on():
        return 0
    _match_connections()
    now = timezone.now()
    due = PushSubscription.objects.filter(ask_at__lte=now).order_by("ask_at")[:ASKED_AT_ONCE]
    context = _context()
    asked = 0
    for row in due:
        try:
            hub.ask(context, row.channel_id, callback=callback(), secret=row.secret)
        except BadResponse as refused:
            _postpone(row, refused, now)
        except Failure as failure:
            _postpone(row, failure, now)
            log.warning("push.hub_unavailable", code=failure.code, waiting=len(due) - asked)
            return asked
        else:
            asked += 1
            PushSubscription.objects.filter(pk=row.pk).update(ask_at=now + ANSWER_WITHIN)
    return asked


def answer(query: Mapping[str, str]) -> str | None:
    """The challenge to give back to the hub, or None where we do not want what it asks about."""
    question = hub.question(query)
    if question is None:
        return None
    row = PushSubscription.objects.filter(channel_id=question.channel_id).first()
    if question.mode == "unsubscribe":
        return None if row else question.challenge
    if row is None:
        return None
    if question.mode == "denied":
        # Anybody can say so; an active subscription ends by its lease alone.
        PushSubscription.objects.filter(pk=row.pk, state=PushSubscription.State.ASKED).update(
            state=PushSubscription.State.DENIED,
            reason=question.reason,
            ask_at=timezone.now() + LONGEST_WAIT,
        )
        return None
    now = timezone.now()
    lease = min(max(question.lease or hub.LEASE, timedelta(hours=1)), LONGEST_LEASE)
    PushSubscription.objects.filter(pk=row.pk).update(
        state=PushSubscription.State.ACTIVE,
        lease_expires_at=now + lease,
        ask_at=now + max(lease - RENEW_BEFORE, lease / 2),
        refusals=0,
        reason="",
    )
    log.info("push.subscribed", channel=row.channel_id, lease_seconds=int(lease.total_seconds()))
    return question.challenge


def receive(body: bytes, signature: str) -> int:
    """Queue a sync for every account that a signed notification is about. How many.

    What is not signed with the secret of its own channel is ignored.
    """
    try:
        notices = hub.notices(body)
    except BadResponse:
        log.warning("push.not_a_notification", size=len(body))
        return 0
    rows = PushSubscription.objects.in_bulk(
        {notice.channel_id for notice in notices}, field_name="channel_id"
    )
    genuine = [
        channel_id
        for channel_id, row in rows.items()
        if hub.is_genuine(body, signature, row.secret)
    ]
    if len(genuine) < len({notice.channel_id for notice in notices}):
        log.warning("push.not_genuine", notices=len(notices))
    if not genuine:
        return 0
    PushSubscription.objects.filter(channel_id__in=genuine).update(notified_at=timezone.now())
    accounts = Connection.objects.filter(
        platform="YOUTUBE", external_id__in=genuine, talent__status=Talent.Status.ACTIVE
    )
    told = list(accounts.values_list("pk", flat=True))
    for pk in told:
        connections.request_sync(pk, trigger=Trigger.PUSH, priority=Priority.PUSH)
    log.info("push.received", notices=len(notices), connections=len(told))
    return len(told)


def _match_connections() -> None:
    """One subscription for each channel of an active talent, none for any other."""
    wanted = set(
        Connection.objects.filter(
            platform="YOUTUBE", external_id__startswith="UC", talent__status=Talent.Status.ACTIVE
        ).values_list("external_id", flat=True)
    )
    # One that nobody wants any more ends with its lease: what still comes for it is ignored.
    PushSubscription.objects.exclude(channel_id__in=wanted).delete()
    there = set(PushSubscription.objects.values_list("channel_id", flat=True))
    now = timezone.now()
    PushSubscription.objects.bulk_create(
        [
            PushSubscription(channel_id=channel_id, secret=secrets.token_hex(20), ask_at=now)
            for channel_id in sorted(wanted - there)
        ],
        ignore_conflicts=True,
        batch_size=1_000,
    )


def _postpone(row: PushSubscription, failure: Failure, now: datetime) -> None:
    """Ask later, and later each time; the hub's own word on when goes first."""
    wait = min(timedelta(minutes=5) * 2 ** min(row.refusals, 10), LONGEST_WAIT)
    PushSubscription.objects.filter(pk=row.pk).update(
        ask_at=max(failure.retry_at or now, now + wait),
        refusals=min(row.refusals + 1, 1_000),
        reason=failure.detail[:200],
    )


def _context() -> Context:
    limits = Limits.within(settings.HTTP_TIMEOUT_SECONDS)
    return Context(Http(limits), settings.PLATFORM_SETTINGS, Meter())
