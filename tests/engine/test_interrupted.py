"""The database goes away in the middle of things: nothing is lost, nothing is asked of the wrong one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection as database
from django.db import transaction

from socials import connections
from socials.models import Connection
from tests.conftest import clients_waiting, until
from tests.engine.conftest import Stage
from tests.engine.stage import StageSource

pytestmark = pytest.mark.django_db(transaction=True)
Account = Callable[..., Connection]


@pytest.fixture
def failing_reservation(request: pytest.FixtureRequest, db: None) -> Iterator[None]:
    """The n-th time that units are set aside, the server says that it shuts down."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            CREATE SEQUENCE reservations;
            CREATE FUNCTION shut_down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('reservations') = TG_ARGV[0]::int THEN
                    RAISE EXCEPTION 'shutting down' USING ERRCODE = '57P01';
                END IF;
                RETURN NEW;
            END $$
            """
        )
        cursor.execute(
            "CREATE TRIGGER shut_down BEFORE INSERT ON socials_quota_window "
            f"FOR EACH ROW EXECUTE FUNCTION shut_down({int(request.param)})"
        )
    yield
    with database.cursor() as cursor:
        cursor.execute("DROP FUNCTION shut_down CASCADE; DROP SEQUENCE reservations")


@pytest.mark.parametrize("failing_reservation", [1, 2], indirect=True)
def test_a_row_that_was_about_to_be_asked_for_is_asked_for_afterwards(
    failing_reservation: None, stage: Stage, account: Account, loop: Callable[[], None]
) -> None:
    stage.perform(StageSource(units=1), StageSource("apify", units=1))
    stage.says(source="apify", followers=5)  # the first source knows nobody of this name
    row = account()
    loop()
    row.refresh_from_db()
    assert (row.sync_status, row.source, row.attempt) == ("READY", "apify", 1)
    assert [source for source, _, _ in stage.asked] == ["youtube_data", "apify"]


def test_a_refresh_pressed_in_the_moment_in_which_a_sync_ends_is_not_lost(
    stage: Stage, account: Account
) -> None:
    row = account()
    (held,) = Connection.objects.all().claim(1, platform="YOUTUBE", owner="one")
    told = {"id": row.pk, "version": held.sync_version, "owner": "one"}
    press = threading.Thread(target=_press, args=(row.pk,))
    with transaction.atomic():
        Connection.objects.all().succeed([told | {"refresh_in": 3600, "listed": True}])
        press.start()
        until(clients_waiting, what="the press")
    press.join(10)
    row.refresh_from_db()
    assert (row.sync_status, row.trigger, row.attempt) == ("PENDING", "manual", 0)


def _press(connection_id: int) -> None:
    connections.request_sync(connection_id)
    database.close()


def test_a_server_whose_machine_vanished_is_noticed_within_half_a_minute() -> None:
    database.ensure_connection()
    facts = {name: int(v) for name, v in database.connection.info.get_parameters().items()
             if v.isdigit()}  # fmt: skip
    silence = facts["keepalives_idle"] + facts["keepalives_interval"] * facts["keepalives_count"]
    assert (silence <= 30, facts["tcp_user_timeout"] <= 30_000) == (True, True)
    assert facts["connect_timeout"] <= 30


def test_the_locks_of_a_worker_that_was_cut_off_end_within_its_lease() -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT current_setting('idle_in_transaction_session_timeout')::interval")
        assert timedelta(0) < cursor.fetchone()[0] <= timedelta(seconds=settings.SYNC_LEASE_SECONDS)
