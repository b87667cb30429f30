"""Work on many talents at once: begun in one call, watched until it has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models.functions import Now
from rest_framework.test import APIClient

from socials import batches, connections
from socials.models import BatchItem, Connection
from talent.models import Activity, Talent, User

pytestmark = pytest.mark.django_db
URL = "/api/admin/batches"


@pytest.fixture
def roster(make_talent: Callable[..., Talent]) -> list[Talent]:
    talents = [make_talent(name) for name in ("Ana", "Bea", "Cleo")]
    for talent in talents[:2]:
        connections.connect(talent, "INSTAGRAM", handle=talent.name)
        connections.connect(talent, "TWITTER", handle=talent.name)
    Connection.objects.filter(platform="INSTAGRAM").update(
        sync_status="READY", next_attempt_at=None
    )
    return talents


def ended(connection: Connection, status: str) -> None:
    code = "NOT_FOUND" if status == "ERROR" else ""
    Connection.objects.filter(pk=connection.pk).update(
        sync_status=status, next_attempt_at=None, error_code=code, last_synced_at=Now()
    )


def test_a_sync_of_some_talents_is_queued_and_told_until_its_end(
    alice_api: APIClient, roster: list[Talent], alice: User
) -> None:
    ids = [talent.pk for talent in roster]
    answer = alice_api.post(URL, {"kind": "sync", "talentIds": ids}, format="json")
    assert answer.status_code == 202
    batch = answer.json()["data"]
    assert (batch["kind"], batch["total"], batch["done"]) == ("sync", 2, 0)
    first, second = Connection.objects.filter(platform="INSTAGRAM").order_by("pk")
    assert first.sync_status == second.sync_status == "PENDING"
    ended(first, "READY")
    told = alice_api.get(f"{URL}/{batch['id']}").json()["data"]
    assert (told["done"], told["failed"], told["finishedAt"]) == (1, 0, None)
    ended(second, "ERROR")
    told = alice_api.get(f"{URL}/{batch['id']}").json()["data"]
    assert (told["done"], told["failed"]) == (1, 1)
    assert told["finishedAt"] is not None
    assert Activity.objects.filter(action="batch.started", actor_id=alice.pk).count() == 1


def test_what_has_ended_stays_ended_when_the_schedule_comes_again(
    alice_api: APIClient, roster: list[Talent]
) -> None:
    body = {"kind": "sync", "talentIds": [roster[0].pk]}
    batch = alice_api.post(URL, body, format="json").json()["data"]
    only = Connection.objects.get(talent=roster[0], platform="INSTAGRAM")
    ended(only, "READY")
    batches.tend()
    connections.request_sync(only.pk)
    assert alice_api.get(f"{URL}/{batch['id']}").json()["data"]["done"] == 1


def test_a_deleted_account_does_not_hold_a_batch_up(
    alice_api: APIClient, roster: list[Talent]
) -> None:
    body = {"kind": "sync", "talentIds": [roster[0].pk]}
    batch = alice_api.post(URL, body, format="json").json()["data"]
    connections.disconnect(Connection.objects.get(talent=roster[0], platform="INSTAGRAM").pk)
    assert alice_api.get(f"{URL}/{batch['id']}").json()["data"]["finishedAt"] is not None


def test_photos_by_filter_are_worked_through_by_a_job(
    alice_api: APIClient, roster: list[Talent]
) -> None:
    body = {"kind": "profile-images", "filter": {"platform": "INSTAGRAM"}, "forceRefresh": True}
    batch = alice_api.post(URL, body, format="json").json()["data"]
    assert batch["total"] == 2
    assert batches.work_on(batch["id"]) is False
    told = alice_api.get(f"{URL}/{batch['id']}").json()["data"]
    assert (told["done"], told["failed"]) == (2, 0)
    assert told["finishedAt"] is not None


def test_what_a_lost_worker_had_taken_is_taken_again(
    alice_api: APIClient, roster: list[Talent]
) -> None:
    body = {"kind": "profile-images", "talentIds": [roster[0].pk]}
    batch = alice_api.post(URL, body, format="json").json()["data"]
    item = BatchItem.objects.get(batch=batch["id"])
    assert batches._take(batch["id"]) == {item.pk: roster[0].pk}
    assert batches._take(batch["id"]) == {}
    BatchItem.objects.update(claimed_at="2026-01-01T00:00:00Z")
    assert batches._take(batch["id"]) == {item.pk: roster[0].pk}


def test_an_empty_batch_is_finished_at_once(alice_api: APIClient, roster: list[Talent]) -> None:
    body = {"kind": "sync", "filter": {"search": "nobody at all"}}
    batch = alice_api.post(URL, body, format="json").json()["data"]
    assert batch["total"] == 0
    assert batch["finishedAt"] is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "sync"}, "talentIds"),
        ({"kind": "sync", "talentIds": []}, "talentIds"),
        ({"kind": "sync", "talentIds": [1], "filter": {}}, "talentIds"),
        ({"kind": "dance", "talentIds": [1]}, "kind"),
        ({"kind": "sync", "filter": {"platform": "MYSPACE"}}, "filter"),
        ({"kind": "sync", "talentIds": "all"}, "talentIds"),
    ],
)
def test_a_senseless_batch_is_refused_by_name(
    alice_api: APIClient, body: dict[str, Any], field: str
) -> None:
    answer = alice_api.post(URL, body, format="json")
    assert answer.status_code == 400
    assert any(name.split(".")[0] == field for name in answer.json()["details"])


def test_unknown_talents_and_batches_are_404_and_viewers_only_watch(
    alice_api: APIClient, victor_api: APIClient, roster: list[Talent]
) -> None:
    body = {"kind": "sync", "talentIds": [999_999]}
    assert alice_api.post(URL, body, format="json").status_code == 404
    assert alice_api.get(f"{URL}/999999").status_code == 404
    body = {"kind": "sync", "talentIds": [roster[0].pk]}
    batch = alice_api.post(URL, body, format="json").json()["data"]
    assert victor_api.post(URL, body, format="json").status_code == 403
    assert victor_api.get(f"{URL}/{batch['id']}").status_code == 200


def test_a_large_batch_costs_no_more_queries(
    alice: User, make_talent: Callable[..., Talent], django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        connections.connect(make_talent(f"Talent {number}"), "TIKTOK", handle=f"talent{number}")
    with django_assert_max_num_queries(25):
        batches.begin("sync", Talent.objects.all(), actor=alice)
