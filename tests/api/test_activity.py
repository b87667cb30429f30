"""The activity log over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from talent.activity import record
from talent.models import Activity, Talent, User

URL = "/api/admin/activity"


def actions(client: APIClient, **query: Any) -> list[str]:
    return [entry["action"] for entry in client.get(URL, query).json()["data"]]


def test_entries_come_newest_first_and_can_be_chosen(
    viewer: APIClient, jane: Talent, alice: User
) -> None:
    record("talent.added", actor=alice, talent_id=jane.pk, object="Jane Smith")
    record("connection.connected", actor=alice, talent_id=jane.pk, object="Instagram janesmith")
    record("connection.renamed", talent_id=jane.pk, object="Instagram jane", details={"a": [1]})
    record("retention.done")
    whole = ["retention.done", "connection.renamed", "connection.connected", "talent.added"]
    assert actions(viewer) == whole
    assert actions(viewer, talent=jane.pk) == whole[1:]
    assert actions(viewer, actor=alice.pk) == whole[2:]
    assert actions(viewer, actor="system") == whole[:2]
    assert actions(viewer, action="connection") == whole[1:3]
    assert actions(viewer, action="connection.renamed") == whole[1:2]
    entry = viewer.get(URL, {"action": "talent.added"}).json()["data"][0]
    assert entry.pop("at").endswith("Z")
    assert entry == {
        "id": Activity.objects.get(action="talent.added").pk,
        "actor": {"id": alice.pk, "name": "Alice Archer"},
        "action": "talent.added",
        "talentId": jane.pk,
        "object": "Jane Smith",
        "details": {},
    }


def test_pages_follow_each_other(viewer: APIClient) -> None:
    for number in range(5):
        record(f"thing.done{'abcde'[number]}")
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = viewer.get(URL, {"limit": 2, "cursor": cursor}).json()
        seen += [entry["action"][-1] for entry in page["data"]]
        cursor = page["page"]["next"]
    assert "".join(seen) == "edcba"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("talent", "jane"),
        ("talent", "0"),
        ("actor", "alice"),
        ("action", "Talent Added"),
        ("who", "x"),
    ],
)
def test_a_senseless_filter_is_refused_by_name(viewer: APIClient, name: str, value: str) -> None:
    answer = viewer.get(URL, {name: value})
    assert answer.status_code == 400
    assert list(answer.json()["details"]) == [name]


def test_twenty_entries_cost_as_many_queries_as_one(
    viewer: APIClient, django_assert_num_queries: Any
) -> None:
    for upto in (1, 20):
        for _ in range(Activity.objects.count(), upto):
            record("thing.done")
        viewer.get(URL)
        with django_assert_num_queries(2):
            assert len(viewer.get(URL).json()["data"]) == upto
