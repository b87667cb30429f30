"""A circuit for each platform and source, shared by all workers: an outage costs no attempts.

closed     readings pass; failures of different connections in a row are counted
open       nothing passes until ``probe_at``
half-open  one reading is under way to see whether the platform is back
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from scraping.errors import Failure, PlatformUnavailable, QuotaExhausted, RateLimited
from socials.models import Circuit

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a source may be asked now: freely, by one ``probe``, or not before ``until``."""

    until: datetime | None = None
    probe: bool = False
    code: str = "PLATFORM_UNAVAILABLE"

    @property
    def failure(self) -> Failure:
        """Why those who are turned away wait."""
        for limit in (RateLimited, QuotaExhausted):
            if self.code == limit.code:
                return limit("All reading from this source waits.")
        return PlatformUnavailable("We ask again when it is likely to be back.")


FREE = Gate()


def enter(platform: str, source: str, *, owner: str) -> Gate:
    """Ask to read from a source. The caller of the one probe is told so."""
    circuit = (
        _rows(platform, source).filter(~Q(state="closed") | Q(blocked_until__gt=Now())).first()
    )
    if circuit is None:
        return FREE
    if _rows(platform, source).filter(blocked_until__gt=Now()).exists():
        return Gate(circuit.blocked_until, code=circuit.error_code or "RATE_LIMITED")
    if circuit.state == Circuit.State.CLOSED:
        return FREE
    pause = timedelta(seconds=settings.CIRCUIT_OPEN_SECONDS)
    # One that is further off than any was written by a clock that has gone back since.
    due = Q(probe_at__lte=Now()) | Q(probe_at__gt=Now() + 2 * pause)
    taken = (
        _rows(platform, source)
        .exclude(state="closed")
        .filter(due)
        .update(state=Circuit.State.HALF_OPEN, probe_by=owner, probe_at=Now() + pause)
    )
    circuit.refresh_from_db()
    if circuit.state == Circuit.State.CLOSED:
        return FREE
    if taken:
        log.info("circuit.probed", platform=platform, source=source)
    return Gate(circuit.probe_at, probe=bool(taken))


def succeeded(platform: str, source: str) -> bool:
    """A reading came back: the row of failures ends. True when this closed the circuit."""
    failing = _rows(platform, source).exclude(state="closed", failing=[])
    if not failing.exists():
        return False
    with transaction.atomic():
        circuit = failing.select_for_update().first()
        if circuit is None:
            return False
        was_open = circuit.state != Circuit.State.CLOSED
        failing.update(
            state=Circuit.State.CLOSED, failing=[], opened_at=None, probe_at=None, probe_by="",
            error_code="", updated_at=Now(),
        )  # fmt: skip
    if was_open:
        log.info("circuit.closed", platform=platform, source=source)
    return was_open


def failed(platform: str, source: str, connection_id: int, code: str) -> datetime | None:
    """A reading found the platform down. When it may be asked again, once the circuit is open."""
    with transaction.atomic():
        Circuit.objects.bulk_create(
            [Circuit(platform=platform, source=source)], ignore_conflicts=True
        )
        circuit = _rows(platform, source).select_for_update().get()
        failing = [pk for pk in circuit.failing if pk != connection_id] + [connection_id]
        circuit.failing = failing[-settings.CIRCUIT_FAILURES :]
        opens = len(circuit.failing) >= settings.CIRCUIT_FAILURES
        if circuit.state == Circuit.State.CLOSED and not opens:
            circuit.save(update_fields=["failing", "updated_at"])
            return None
        if circuit.state != Circuit.State.OPEN:
            _rows(platform, source).update(
                state=Circuit.State.OPEN,
                opened_at=circuit.opened_at or Now(),
                probe_at=Now() + timedelta(seconds=settings.CIRCUIT_OPEN_SECONDS),
                probe_by="",
                error_code=code,
                failing=circuit.failing,
                updated_at=Now(),
            )
            log.warning("circuit.opened", platform=platform, source=source, code=code)
        circuit.refresh_from_db()
        return circuit.probe_at


def block(platform: str, source: str, until: datetime, code: str) -> None:
    """A limit of the whole source, told by the platform: nobody asks before its end."""
    Circuit.objects.bulk_create([Circuit(platform=platform, source=source)], ignore_conflicts=True)
    blocked = _rows(platform, source).exclude(blocked_until__gte=until)
    if blocked.update(blocked_until=until, error_code=code, updated_at=Now()):
        log.warning("source.blocked", platform=platform, source=source, until=until.isoformat())


def _rows(platform: str, source: str) -> QuerySet[Circuit]:
    return Circuit.objects.filter(platform=platform, source=source)
