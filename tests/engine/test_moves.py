"""The moves of a connection's row: each happens at most once, and none writes what is not so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socials import tasks
from socials.models import Connection, Priority, SyncStatus, Trigger
from talent.models import Talent

pytestmark = pytest.mark.django_db
ROWS = Connection.objects


@pytest.fixture
def row(jane: Talent) -> Connection:
    return make(jane, "jane")


def make(person: Talent, handle: str, **columns: Any) -> Connection:
    return ROWS.create(
        talent=person,
        platform="YOUTUBE",
        handle=handle,
        handle_key=handle,
        profile_url=f"https://www.youtube.com/@{handle}",
        **{"next_attempt_at": Now(), **columns},
    )


def claim(owner: str = "one", limit: int = 10, **options: Any) -> list[Connection]:
    return ROWS.all().claim(limit, platform="YOUTUBE", owner=owner, **options)


def names(held: Connection) -> dict[str, Any]:
    return {"version": held.sync_version, "owner": held.lease_owner}


def succeed(held: Connection) -> bool:
    told = {"id": held.pk, **names(held), "refresh_in": 3600, "listed": True}
    return bool(ROWS.all().succeed([told]))


def request(row: Connection, priority: int = Priority.INTERACTIVE) -> int:
    trigger = Trigger.MANUAL if priority < Priority.SCHEDULED else Trigger.SCHEDULE
    return ROWS.filter(pk=row.pk).request(trigger=trigger, priority=priority)


def now(row: Connection) -> Connection:
    return ROWS.get(pk=row.pk)


def test_a_claimed_row_belongs_to_one_worker(row: Connection) -> None:
    assert [held.pk for held in claim("one")] == [row.pk]
    assert claim("two") == []
    held = now(row)
    assert (held.sync_status, held.lease_owner, held.attempt) == (SyncStatus.SYNCING, "one", 1)


def test_a_person_goes_before_a_push_and_a_push_before_the_schedule(jane: Talent) -> None:
    for priority in (Priority.SCHEDULED, Priority.INTERACTIVE, Priority.PUSH):
        make(jane, f"p{priority}", priority=priority)
    assert [claim(limit=1)[0].priority for _ in range(3)] == [0, 3, 5]


def test_room_that_is_kept_for_people_is_not_given_to_the_schedule(row: Connection) -> None:
    ROWS.update(priority=Priority.SCHEDULED)
    assert claim(least_urgent=Priority.PUSH) == []


def test_a_row_that_is_not_due_is_not_claimed(row: Connection) -> None:
    ROWS.update(next_attempt_at=Now() + timedelta(seconds=30))
    assert claim() == []


def test_a_result_is_taken_once(row: Connection) -> None:
    held = claim()[0]
    assert succeed(held)
    assert not succeed(held)
    assert now(row).sync_status == SyncStatus.READY


def test_a_late_worker_cannot_overwrite_the_row_of_another(row: Connection) -> None:
    late = claim("one")[0]
    ROWS.update(lease_expires_at=Now() - timedelta(seconds=1))
    ROWS.expired().rescue()
    current = claim("two")[0]
    assert not succeed(late)
    assert not ROWS.all().fail(
        late.pk, **names(late), code="NOT_FOUND", message="", next_refresh_at=None
    )
    assert now(row).lease_owner == "two"
    assert succeed(current)


def test_a_retry_waits_and_counts_its_attempt(row: Connection) -> None:
    held = claim()[0]
    ROWS.all().retry(
        held.pk, **names(held), at=timedelta(seconds=2), code="BAD_RESPONSE", message="x"
    )
    waiting = now(row)
    assert (waiting.sync_status, waiting.attempt, waiting.error_code) == (
        "PENDING",
        1,
        "BAD_RESPONSE",
    )
    assert 1.5 < (waiting.next_attempt_at - waiting.updated_at).total_seconds() < 2.5
    assert claim() == []


def test_a_snooze_gives_its_attempt_back(row: Connection) -> None:
    held = claim()[0]
    ROWS.all().retry(
        held.pk, **names(held), at=timedelta(0), code="RATE_LIMITED", message="x", counted=False
    )
    assert now(row).attempt == 0


def test_pressing_refresh_many_times_queues_one_sync(row: Connection) -> None:
    held = claim()[0]
    succeed(held)
    assert [request(row) for _ in range(5)] == [1, 0, 0, 0, 0]
    assert len(claim()) == 1


@pytest.mark.parametrize("outcome", ["succeed", "fail", "retry"])
def test_refresh_while_syncing_means_exactly_one_more_sync(row: Connection, outcome: str) -> None:
    held = claim()[0]
    assert [request(row) for _ in range(3)] == [1, 0, 0]
    conclude(held, outcome)
    again = now(row)
    assert (again.sync_status, again.attempt, again.wants_again) == ("PENDING", 0, False)
    assert (again.trigger, again.priority) == (Trigger.MANUAL, Priority.INTERACTIVE)
    second = claim()[0]
    assert succeed(second)
    assert now(row).sync_status == SyncStatus.READY


def conclude(held: Connection, outcome: str) -> bool:
    cause = {"code": "INTERNAL", "message": "x"}
    if outcome == "succeed":
        return succeed(held)
    if outcome == "fail":
        return ROWS.all().fail(held.pk, **names(held), **cause, next_refresh_at=None)
    counted = outcome == "retry"
    return ROWS.all().retry(
        held.pk, **names(held), **cause, at=timedelta(seconds=3), counted=counted
    )


def test_refresh_ends_the_wait_between_two_attempts(row: Connection) -> None:
    conclude(claim()[0], "retry")
    assert request(row) == 1
    fresh = now(row)
    assert (fresh.attempt, fresh.error_code) == (0, "")
    assert len(claim()) == 1


def test_refresh_does_not_end_a_limit_that_the_platform_ordered(row: Connection) -> None:
    ROWS.update(priority=Priority.SCHEDULED)
    held = claim()[0]
    ROWS.all().retry(
        held.pk,
        **names(held),
        at=timedelta(minutes=5),
        code="RATE_LIMITED",
        message="x",
        counted=False,
    )
    end = now(row).next_attempt_at
    assert request(row) == 1
    limited = now(row)
    assert (limited.next_attempt_at, limited.priority) == (end, Priority.INTERACTIVE)
    assert (limited.error_code, claim()) == ("RATE_LIMITED", [])
    assert request(row) == 0


def test_refresh_while_syncing_does_not_end_a_limit_found_meanwhile(row: Connection) -> None:
    held = claim()[0]
    request(row)
    ROWS.all().retry(
        held.pk,
        **names(held),
        at=timedelta(minutes=5),
        code="RATE_LIMITED",
        message="x",
        counted=False,
    )
    assert claim() == []


def test_the_schedule_leaves_a_queued_or_syncing_row_alone(row: Connection) -> None:
    assert request(row, Priority.SCHEDULED) == 0
    claim()
    assert request(row, Priority.SCHEDULED) == 0
    assert not now(row).wants_again


def test_a_person_overtakes_the_schedule(row: Connection) -> None:
    ROWS.update(priority=Priority.SCHEDULED, trigger=Trigger.SCHEDULE)
    assert request(row) == 1
    assert (now(row).priority, now(row).trigger) == (Priority.INTERACTIVE, Trigger.MANUAL)


def test_renewing_keeps_only_what_is_still_ours(jane: Talent) -> None:
    first, second = make(jane, "first"), make(jane, "second")
    claim("one")
    ROWS.filter(pk=second.pk).update(lease_owner="two")
    assert ROWS.all().renew([first.pk, second.pk], owner="one") == {first.pk}


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_a_lost_worker_leaves_two_attempts(row: Connection, attempt: int) -> None:
    ROWS.update(attempt=attempt - 1)
    assert claim()[0].attempt == attempt
    ROWS.filter(lease_owner="one").rescue()
    assert (now(row).sync_status, now(row).attempt, now(row).lost_workers) == ("PENDING", 1, 1)


def test_an_account_over_which_every_worker_dies_ends_in_an_error(row: Connection) -> None:
    for _ in range(10):
        assert claim()
        ROWS.filter(lease_owner="one").rescue()
    assert (now(row).sync_status, now(row).error_code) == ("ERROR", "INTERNAL")


def test_what_is_handed_back_is_due_at_once_and_costs_nothing(row: Connection) -> None:
    claim("one")
    assert ROWS.all().release(["one"]) == 1
    assert (now(row).sync_status, now(row).attempt) == ("PENDING", 0)
    assert len(claim("two")) == 1


def test_what_a_database_clock_wrote_that_went_back_since_is_not_waited_for(jane: Talent) -> None:
    held, queued, read = (make(jane, name) for name in ("held", "queued", "read"))
    ahead = Now() + timedelta(hours=3)
    claim(limit=1)
    ROWS.filter(pk=held.pk).update(lease_expires_at=ahead)
    ROWS.filter(pk=queued.pk).update(next_attempt_at=ahead, updated_at=ahead)
    ROWS.filter(pk=read.pk).update(
        sync_status="READY", next_attempt_at=None, last_synced_at=ahead, next_refresh_at=ahead
    )
    tasks.rescue_lost()
    assert set(ROWS.all().due()) == {held, queued}
    assert not ROWS.filter(pk=read.pk).exclude(
        last_synced_at__lte=Now(), next_refresh_at__lte=Now()
    )


MOVES = st.lists(
    st.tuples(
        st.sampled_from(
            ["request", "schedule", "claim", "succeed", "fail", "retry", "snooze", "expire",
             "rescue", "release", "renew", "time"]
        ),
        st.integers(0, 3),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_no_sequence_of_moves_breaks_the_state_machine(
    moves: list[tuple[str, int]], jane: Talent
) -> None:
    with transaction.atomic():
        row = make(jane, "walker")
        Walk(row).go(moves)
        transaction.set_rollback(True)


class Walk:
    """Applies moves, keeping in plain Python who may conclude; the table's checks do the rest."""

    def __init__(self, row: Connection) -> None:
        self.row = row
        self.claims: list[Connection] = []
        self.live: Connection | None = None
        self.version = row.sync_version

    def go(self, moves: list[tuple[str, int]]) -> None:
        steps: dict[str, Callable[[int], Any]] = {
            "request": lambda _: request(self.row),
            "schedule": lambda _: request(self.row, Priority.SCHEDULED),
            "claim": self.claim,
            "expire": lambda _: ROWS.filter(sync_status="SYNCING").update(
                lease_expires_at=Now() - timedelta(seconds=1)
            ),
            "rescue": self.rescue,
            "release": self.release,
            "renew": lambda n: ROWS.all().renew([self.row.pk], owner=f"w{n}"),
            "time": lambda _: ROWS.filter(sync_status="PENDING").update(next_attempt_at=Now()),
        }
        for name, number in moves:
            steps.get(name, lambda n, name=name: self.conclude(name, n))(number)
            self.check()

    def claim(self, number: int) -> None:
        for held in claim(f"w{number}"):
            assert self.live is None
            self.live = held
            self.claims.append(held)

    def conclude(self, outcome: str, number: int) -> None:
        if not self.claims:
            return
        held = self.claims[number % len(self.claims)]
        asked = now(self.row).wants_again
        happened = conclude(held, outcome)
        assert happened == (held is self.live)
        if happened:
            self.live = None
            assert not asked or now(self.row).sync_status == SyncStatus.PENDING

    def rescue(self, _: int) -> None:
        if ROWS.expired().rescue():
            self.live = None

    def release(self, number: int) -> None:
        if ROWS.all().release([f"w{number}"]):
            self.live = None

    def check(self) -> None:
        row = now(self.row)
        assert row.sync_version >= self.version
        self.version = row.sync_version
        assert 0 <= row.attempt <= 20
        assert (row.sync_status == SyncStatus.SYNCING) == (self.live is not None)
        assert not row.wants_again or row.sync_status == SyncStatus.SYNCING
        assert row.sync_status != SyncStatus.ERROR or row.error_code
