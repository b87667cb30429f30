"""Which events a sync tells the world: changes only, in the transaction that made them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from socials import connections, outbox, renewal, webhooks
from socials.images import pick
from socials.models import Connection, Delivery, Event
from socials.sync.rescue import rescue_owners
from talent.models import Activity, Talent
from tests.engine.conftest import Stage

pytestmark = pytest.mark.django_db

Account = Callable[..., Connection]
Sync = Callable[[Connection], Connection]


@pytest.fixture(autouse=True)
def listener() -> None:
    """Somebody who wants to hear everything."""
    webhooks.create(url="https://crm.example/greenroom", events=list(Event))


def told() -> list[dict[str, Any]]:
    return list(Delivery.objects.order_by("pk").values_list("payload", flat=True))


def names() -> list[str]:
    return [event["type"] for event in told()]


def test_the_first_good_sync_is_told_and_the_next_ones_are_not(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(followers=1000)
    row = sync(account())
    sync(sync(row))
    [event] = told()
    assert event["type"] == "connection.ready"
    assert event["data"] == {
        "talentId": row.talent_id,
        "connectionId": row.pk,
        "platform": "YOUTUBE",
        "handle": "maya",
        "profileUrl": row.profile_url,
        "syncStatus": "READY",
        "source": "youtube_data",
        "followers": 1000,
    }


def test_an_error_is_told_once_for_each_cause_and_its_end_too(
    stage: Stage, account: Account, sync: Sync
) -> None:
    row = account()
    stage.refuses(404)
    sync(sync(row))
    assert names() == ["connection.error"]
    assert told()[0]["data"]["errorCode"] == "NOT_FOUND"
    assert told()[0]["data"]["message"]
    stage.forget()
    stage.refuses(503)
    sync(row)
    assert [event["data"].get("errorCode") for event in told()] == [
        "NOT_FOUND",
        "PLATFORM_UNAVAILABLE",
    ]
    stage.forget()
    stage.says()
    sync(row)
    assert names() == ["connection.error", "connection.error", "connection.ready"]


def test_a_retry_is_no_news(stage: Stage, account: Account, sync: Sync) -> None:
    stage.refuses(500)
    stage.says()
    sync(account())
    assert names() == ["connection.ready"]


def test_a_grant_that_ends_is_told_once_as_that_and_its_return_as_ready(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says()
    row = sync(account())
    Connection.objects.filter(pk=row.pk).update(connected=True)
    assert renewal.end(row, "taken back")
    assert not renewal.end(row, "taken back")
    row = sync(row)
    assert (row.sync_status, row.connected) == ("READY", False)
    assert names() == ["connection.ready", "connection.reauth_required"]
    Connection.objects.filter(pk=row.pk).update(connected=True)
    sync(row)
    assert names()[2:] == ["connection.ready"]


def test_an_account_over_which_workers_die_is_told(account: Account) -> None:
    row = account(lost_workers=9)
    [held] = Connection.objects.all().claim(1, platform="YOUTUBE", owner="gone")
    rescue_owners(["gone"])
    [event] = told()
    assert (event["type"], event["data"]["errorCode"]) == ("connection.error", "INTERNAL")
    assert event["data"]["connectionId"] == held.pk == row.pk


@pytest.mark.parametrize(
    ("before", "after", "passed"),
    [
        (9_999, 10_000, 10_000),
        (9_000, 120_000, 100_000),
        (49_000, 51_000, 50_000),
        (999_999, 1_000_000, 1_000_000),
        (10_000, 49_999, None),
        (10_001, 9_999, None),
        (1, 9_999, None),
    ],
)
def test_a_milestone_is_told_when_it_is_passed(
    stage: Stage, account: Account, sync: Sync, before: int, after: int, passed: int | None
) -> None:
    stage.says(followers=before)
    stage.says(followers=after)
    row = sync(sync(account()))
    found = [event["data"] for event in told() if event["type"] == "talent.milestone"]
    assert [data["milestone"] for data in found] == ([passed] if passed else [])
    if passed:
        assert found[0]["followers"] == after
        assert Activity.objects.get(action="talent.milestone").talent_id == row.talent_id


def test_an_account_that_wavers_about_a_milestone_passes_it_once(
    stage: Stage, account: Account, sync: Sync
) -> None:
    for followers in (9_990, 10_010, 9_990, 10_020):
        stage.says(followers=followers)
    row = account()
    for _ in range(4):
        row = sync(row)
    assert names().count("talent.milestone") == 1


def test_the_numbers_of_an_account_that_is_new_are_no_milestone(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says(followers=2_000_000)
    sync(account())
    assert "talent.milestone" not in names()


def test_a_new_photo_is_told(maya: Talent) -> None:
    Talent.objects.filter(pk=maya.pk).update(
        profile_image_url="/media/old.webp", profile_image_source="instagram"
    )
    pick.settle(maya.pk)
    pick.settle(maya.pk)
    [event] = told()
    assert event["type"] == "profile_image.updated"
    assert event["data"] == {
        "talentId": maya.pk,
        "talentName": "Maya Lindqvist",
        "source": "initials",
        "imageUrl": None,
    }


def test_a_webhook_that_is_deleted_meanwhile_does_not_hurt_a_sync(
    stage: Stage, account: Account, sync: Sync
) -> None:
    stage.says()
    webhooks.delete(webhooks.Webhook.objects.get().pk)
    row = sync(account())
    assert row.sync_status == "READY"
    assert outbox.emit(Event.CONNECTION_READY, row.talent_id, {}) == 0
    connections.disconnect(row.pk)
