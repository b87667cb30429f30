"""An outage opens a circuit: it costs no attempts, it shows, and it closes by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from socials.models import Circuit, Connection
from tests.engine.conftest import Stage

pytestmark = pytest.mark.django_db

NAMES = ["ada1", "ben2", "cleo3", "dora4", "emil5", "fay6", "gus7"]


@pytest.fixture
def outage(
    stage: Stage, account: Callable[..., Connection], loop: Callable[[], None], settings: Any
) -> Stage:
    """Seven accounts were read while the platform was down."""
    settings.SYNC_CONCURRENCY = 1
    for name in NAMES:
        stage.refuses(503, name)
        account(name)
    loop()
    return stage


def circuit() -> Circuit:
    return Circuit.objects.get(platform="YOUTUBE", source="youtube_data")


def test_five_accounts_in_a_row_open_the_circuit(outage: Stage) -> None:
    assert circuit().state == "open"
    assert len(outage.asked) == 5


def test_an_open_circuit_costs_no_attempts_and_asks_nobody(outage: Stage) -> None:
    rows = Connection.objects.all()
    assert {row.sync_status for row in rows} == {"PENDING"}
    assert {row.error_code for row in rows} == {"PLATFORM_UNAVAILABLE"}
    assert sorted(row.attempt for row in rows)[:3] == [0, 0, 0]
    assert max(row.attempt for row in rows) <= 1


@pytest.mark.parametrize("probe_in", [-1, 10_000], ids=["its time", "a clock that went back"])
def test_one_probe_closes_it_and_everybody_is_read_at_once(
    outage: Stage, loop: Callable[[], None], probe_in: int
) -> None:
    outage.forget()
    for name in NAMES:
        outage.says(name)
    Circuit.objects.update(probe_at=Now() + timedelta(seconds=probe_in))
    Connection.objects.update(next_attempt_at=Now() - timedelta(seconds=1))
    loop()
    assert circuit().state == "closed"
    assert set(Connection.objects.values_list("sync_status", flat=True)) == {"READY"}


def test_a_probe_that_fails_opens_it_again_after_one_call(
    outage: Stage, loop: Callable[[], None]
) -> None:
    outage.asked.clear()
    later = timedelta(seconds=-1)
    Circuit.objects.update(probe_at=Now() + later)
    Connection.objects.update(next_attempt_at=Now() + later)
    loop()
    assert (circuit().state, len(outage.asked)) == ("open", 1)


def test_a_person_who_presses_refresh_during_an_outage_waits_for_the_probe(
    outage: Stage, sync: Callable[[Connection], Connection]
) -> None:
    outage.asked.clear()
    row = sync(Connection.objects.first())
    assert (row.sync_status, row.error_code, outage.asked) == (
        "PENDING",
        "PLATFORM_UNAVAILABLE",
        [],
    )


def test_one_account_that_fails_again_and_again_opens_nothing(
    stage: Stage, account: Callable[..., Connection], sync: Callable[[Connection], Connection]
) -> None:
    stage.refuses(503)
    row = sync(sync(account()))
    assert (row.sync_status, circuit().state) == ("ERROR", "closed")


def test_a_good_reading_in_between_starts_the_count_anew(
    stage: Stage, account: Callable[..., Connection], loop: Callable[[], None]
) -> None:
    for name in NAMES[:4]:
        stage.refuses(503, name)
        account(name)
    loop()
    stage.says("good")
    account("good")
    loop()
    for name in NAMES[4:]:
        stage.refuses(503, name)
        account(name)
    loop()
    assert circuit().state == "closed"


def test_an_outage_that_lasts_for_an_hour_is_told_as_an_error(
    outage: Stage, sync: Callable[[Connection], Connection], loop: Callable[[], None]
) -> None:
    Connection.objects.update(requested_at=Now() - timedelta(hours=2), next_attempt_at=Now())
    loop()
    assert set(Connection.objects.values_list("sync_status", flat=True)) == {"ERROR"}
