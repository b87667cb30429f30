"""Connecting, refreshing and letting go of an account."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection as database
from django_q.models import OrmQ

from socials import connections
from socials.errors import InvalidHandle
from socials.models import Connection, Post, Profile, Snapshot, SyncRun
from talent.models import Activity, Talent, User

pytestmark = pytest.mark.django_db


def actions() -> list[str]:
    return list(Activity.objects.order_by("id").values_list("action", flat=True))


def test_a_new_account_is_queued_at_once(jane: Talent, alice: User) -> None:
    row, created = connections.connect(jane, "INSTAGRAM", handle="@Jane.Smith", actor=alice)
    assert created
    assert (row.handle, row.sync_status, row.attempt) == ("jane.smith", "PENDING", 0)
    assert row.next_attempt_at is not None
    assert (row.trigger, row.priority) == ("connect", 0)
    assert OrmQ.objects.count() == 1
    assert actions() == ["connection.connected"]


def test_connecting_twice_gives_one_connection_and_one_sync(jane: Talent) -> None:
    first, _ = connections.connect(jane, "INSTAGRAM", handle="janesmith")
    again, created = connections.connect(
        jane, "INSTAGRAM", profile_url="https://m.instagram.com/JaneSmith/?hl=en"
    )
    assert (again.pk, created) == (first.pk, False)
    assert OrmQ.objects.count() == 1


def test_connecting_an_account_that_failed_tries_it_again(jane: Talent) -> None:
    row, _ = connections.connect(jane, "INSTAGRAM", handle="janesmith")
    Connection.objects.update(sync_status="ERROR", error_code="NOT_FOUND", next_attempt_at=None)
    row, created = connections.connect(jane, "INSTAGRAM", handle="janesmith")
    assert (row.sync_status, row.error_code, created) == ("PENDING", "", False)


def test_an_account_that_is_only_linked_is_ready_and_never_queued(jane: Talent) -> None:
    row, _ = connections.connect(jane, "TWITTER", handle="janesmith")
    assert (row.sync_status, row.next_attempt_at) == ("READY", None)
    assert connections.request_sync(row.pk).sync_status == "READY"
    assert not OrmQ.objects.exists()


def test_a_handle_that_can_not_exist_is_refused_and_nothing_is_written(jane: Talent) -> None:
    with pytest.raises(InvalidHandle) as refused:
        connections.connect(jane, "INSTAGRAM", handle="jane smith!")
    assert refused.value.field == "handle"
    assert not Connection.objects.exists()


@pytest.mark.parametrize("status", ["PENDING", "SYNCING", "READY", "ERROR"])
def test_refresh_works_from_every_state(jane: Talent, alice: User, status: str) -> None:
    row, _ = connections.connect(jane, "INSTAGRAM", handle="janesmith")
    columns: dict[str, Any] = {"sync_status": status, "attempt": 2}
    if status == "SYNCING":
        columns |= {"lease_owner": "w", "lease_expires_at": "2030-01-01T00:00:00Z"}
    if status != "PENDING":
        columns |= {"next_attempt_at": None, "error_code": "INTERNAL"}
    Connection.objects.update(**columns)
    OrmQ.objects.all().delete()
    row = connections.request_sync(row.pk, actor=alice)
    if status == "SYNCING":
        assert (row.sync_status, row.wants_again) == ("SYNCING", True)
    else:
        assert (row.sync_status, row.attempt, row.error_code) == ("PENDING", 0, "")
    assert OrmQ.objects.count() == 1
    assert actions()[-1] == "connection.sync_requested"


def test_refresh_of_an_unknown_connection_is_told() -> None:
    with pytest.raises(Connection.DoesNotExist):
        connections.request_sync(404)


def test_disconnecting_leaves_nothing_behind(jane: Talent, alice: User) -> None:
    row, _ = connections.connect(jane, "INSTAGRAM", handle="janesmith")
    when = "2026-01-01T00:00:00Z"
    Profile.objects.create(connection=row, fetched_at=when)
    Post.objects.create(connection=row, external_id="1", fetched_at=when)
    Snapshot.objects.create(connection=row, date="2026-01-01", taken_at=when)
    SyncRun.objects.create(
        connection=row, sync_version=1, attempt=1, started_at=when, finished_at=when, duration_ms=0
    )
    connections.disconnect(row.pk, actor=alice)
    assert not Connection.objects.exists()
    for model in (Profile, Post, Snapshot, SyncRun):
        assert not model.objects.exists()
    assert actions()[-1] == "connection.disconnected"


def test_disconnecting_tells_those_who_listen_after_the_commit(
    jane: Talent, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[dict[str, Any]] = []

    def listen(**facts: Any) -> None:
        told.append(facts)

    connections.disconnected.connect(listen)
    row, _ = connections.connect(jane, "INSTAGRAM", handle="janesmith")
    with django_capture_on_commit_callbacks(execute=True):
        connections.disconnect(row.pk)
    assert [(facts["talent_id"], facts["connection_id"]) for facts in told] == [(jane.pk, row.pk)]
    connections.disconnected.disconnect(listen)


@pytest.mark.django_db(transaction=True)
def test_many_who_connect_the_same_account_at_once_get_the_same_row(jane: Talent) -> None:
    found: list[tuple[int, bool]] = []

    def connect() -> None:
        try:
            row, created = connections.connect(jane, "INSTAGRAM", handle="janesmith")
            found.append((row.pk, created))
        finally:
            database.close()

    threads = [threading.Thread(target=connect) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len({pk for pk, _ in found}) == 1
    assert sum(created for _, created in found) == 1
    assert OrmQ.objects.count() == 1
