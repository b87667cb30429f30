"""Readings that arrive together are stored together, and each stands or falls alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from socials.models import Connection, Post, Profile, Snapshot, SyncRun
from socials.sync import reading as asking
from socials.sync import store
from socials.sync.reading import Held
from socials.types import Count, PostKind, Reading
from socials.types import Post as ReadPost
from socials.types import Profile as ReadProfile
from tests.engine.conftest import Stage

pytestmark = pytest.mark.django_db
Account = Callable[..., Connection]
READ_AT = datetime.now(UTC)


def told(held: Held, *, account: str = "", followers: int = 7, posts: int = 2) -> Reading:
    return Reading(
        profile=ReadProfile(
            external_id=account or f"UC{held.row.handle}",
            handle=held.row.handle,
            followers=Count.exact(followers),
        ),
        posts=tuple(
            ReadPost(
                f"{number}", PostKind.VIDEO, posted_at=READ_AT - timedelta(days=number),
                likes=Count.exact(number), views=Count.exact(100),
            )
            for number in range(posts)
        ),
        source="youtube_data",
        fetched_at=READ_AT,
        listed_since=READ_AT - timedelta(days=60),
    )  # fmt: skip


def claimed(account: Account, number: int, prefix: str = "maya") -> list[Held]:
    for index in range(number):
        account(f"{prefix}{index}")
    return asking.prepare(Connection.objects.all().claim(number, platform="YOUTUBE", owner="one"))


def test_many_accounts_take_as_many_statements_as_one(account: Account) -> None:
    counts = []
    for number in (1, 15):
        helds = claimed(account, number, prefix=f"group{number}x")
        Connection.objects.update(told="READY")
        with CaptureQueriesContext(
            database,
        ) as queries:
            store.save([(held, told(held)) for held in helds])
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15
    assert Connection.objects.filter(sync_status="READY").count() == 16
    assert (Post.objects.count(), Snapshot.objects.count(), SyncRun.objects.count()) == (32, 16, 16)


def test_one_that_the_database_refuses_fails_alone(account: Account) -> None:
    helds = claimed(account, 5)
    with database.cursor() as cursor:  # stands for whatever a table refuses
        cursor.execute(
            "ALTER TABLE socials_profile ADD CONSTRAINT no_666 CHECK (followers <> 666) NOT VALID"
        )
    fates = store.save(
        [(held, told(held, followers=666 if n == 3 else 7)) for n, held in enumerate(helds)]
    )
    assert [isinstance(fate, store.Saved) for fate in fates] == [True, True, True, False, True]
    assert Profile.objects.count() == 4
    assert not Post.objects.filter(connection=helds[3].row.pk).exists()


def test_late_and_deleted_ones_are_left_out_and_the_others_stored(account: Account) -> None:
    helds = claimed(account, 4)
    Connection.objects.filter(pk=helds[0].row.pk).delete()
    Connection.objects.filter(pk=helds[1].row.pk).update(lease_owner="two")
    Connection.objects.filter(pk=helds[2].row.pk).update(sync_version=99)
    fates = store.save([(held, told(held)) for held in helds])
    assert [type(fate).__name__ for fate in fates] == ["Late", "Late", "Late", "Saved"]
    assert set(Post.objects.values_list("connection", flat=True)) == {helds[3].row.pk}


def test_two_handles_of_one_account_that_arrive_together_are_told_apart(account: Account) -> None:
    helds = claimed(account, 2)
    fates = store.save([(held, told(held, account="UCsame")) for held in helds])
    assert [type(fate).__name__ for fate in fates] == ["Saved", "InvalidHandle"]


def test_one_that_a_person_asked_for_meanwhile_is_queued_again_the_rest_is_ready(
    account: Account,
) -> None:
    helds = claimed(account, 2)
    Connection.objects.filter(pk=helds[0].row.pk).update(wants_again=True)
    store.save([(held, told(held)) for held in helds])
    rows = Connection.objects.order_by("pk").values_list("sync_status", "wants_again", "attempt")
    assert list(rows) == [("PENDING", False, 0), ("READY", False, 1)]


def test_what_did_not_change_is_not_written_again(account: Account) -> None:
    (held,) = claimed(account, 1)
    store.save([(held, told(held))])
    before = versions()
    Connection.objects.update(sync_status="PENDING", next_attempt_at=Now())
    (again,) = asking.prepare(Connection.objects.all().claim(1, platform="YOUTUBE", owner="one"))
    store.save([(again, told(again))])
    assert versions() == before


def test_the_day_on_which_views_are_counted_anew_tells_how_they_were_before(
    account: Account,
) -> None:
    (held,) = claimed(account, 1)
    earlier = Snapshot.objects.create(
        connection=held.row, date=READ_AT.date() - timedelta(days=3), view_definition="old",
        source="test", taken_at=READ_AT,
    )  # fmt: skip
    read = told(held)
    new = tuple(replace(post, view_definition="new") for post in read.posts)
    store.save([(held, replace(read, posts=new))])
    assert Snapshot.objects.latest("date").view_definition_before == "old"
    earlier.view_definition = "new"
    earlier.save()
    Connection.objects.update(sync_status="PENDING", next_attempt_at=Now())
    (again,) = asking.prepare(Connection.objects.all().claim(1, platform="YOUTUBE", owner="one"))
    store.save([(again, replace(told(again), posts=new))])
    assert Snapshot.objects.latest("date").view_definition_before == ""


def versions() -> list[tuple[int, int]]:
    """Each post's id and the transaction that wrote it last."""
    with database.cursor() as cursor:
        cursor.execute("SELECT id, xmin::text::bigint FROM socials_post ORDER BY id")
        return list(cursor.fetchall())


def test_a_loop_keeps_no_statement_with_debug_on(
    stage: Stage, account: Account, loop: Callable[[], None], settings: Any
) -> None:
    settings.DEBUG = True
    for number in range(3):
        stage.says(f"maya{number}", items=[{"id": "a"}])
        account(f"maya{number}")
    loop()
    assert Connection.objects.filter(sync_status="READY").count() == 3
    assert not any("INSERT INTO socials_post" in query["sql"] for query in database.queries)
