"""The roster over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from socials.models import Connection, Profile
from talent.models import Activity, Talent, User

URL = "/api/admin/talent"
KEYS = {
    "id", "name", "slug", "email", "bio", "tags", "location", "timezone", "status", "manager",
    "linkedUserId", "profileImageUrl", "profileImageSource", "lastProfileImageSyncAt",
    "totalFollowers", "connections", "createdAt", "updatedAt",
}  # fmt: skip


def names(client: APIClient, query: str = "") -> list[str]:
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer.json()
    return [talent["name"] for talent in answer.json()["data"]]


def test_a_manager_adds_reads_changes_archives_and_deletes_a_talent(
    manager: APIClient, alice: User, tilda: User
) -> None:
    body = {
        "name": "Jane Smith",
        "email": "jane@example.com",
        "tags": ["food", "travel"],
        "managerId": alice.pk,
        "linkedUserId": tilda.pk,
    }
    added = manager.post(URL, body, format="json")
    assert added.status_code == 201
    talent = added.json()["data"]
    assert set(talent) == KEYS
    assert talent["slug"] == "jane-smith"
    assert talent["manager"] == {"id": alice.pk, "name": "Alice Archer"}
    assert talent["linkedUserId"] == tilda.pk
    assert talent["totalFollowers"] is None
    assert talent["connections"] == []
    assert talent["profileImageSource"] == "initials"
    assert talent["createdAt"].endswith("Z")

    url = f"{URL}/{talent['id']}"
    assert manager.get(url).json() == {"success": True, "data": talent}

    changed = manager.patch(url, {"bio": "Cooks.", "managerId": None}, format="json").json()["data"]
    assert (changed["bio"], changed["manager"], changed["name"]) == ("Cooks.", None, "Jane Smith")

    archived = manager.patch(url, {"status": "archived"}, format="json").json()["data"]
    assert archived["status"] == "archived"
    assert names(manager) == []

    assert manager.delete(url).status_code == 204
    gone = manager.get(url)
    assert gone.status_code == 404
    assert gone.json() == {
        "success": False,
        "error": "NOT_FOUND",
        "message": "There is no talent with this id.",
    }
    assert manager.delete(url).status_code == 404
    actions = Activity.objects.filter(talent_id=talent["id"]).values_list("action", flat=True)
    assert {"talent.added", "talent.updated", "talent.archived", "talent.deleted"} <= set(actions)


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({}, "name", "like Jane Smith"),
        ({"name": " "}, "name", "like Jane Smith"),
        ({"name": 5}, "name", "string"),
        ({"name": "J\u0000"}, "name", "Null"),
        ({"name": "J" * 201}, "name", "200"),
        ({"name": "Jane", "email": "jane"}, "email", "jane@example.com"),
        ({"name": "Jane", "nmae": "x"}, "nmae", "Unknown field. Known here: name, email"),
        ({"name": "Jane", "slug": "x"}, "slug", "Unknown field"),
        ({"name": "Jane", "tags": "food"}, "tags", "list"),
        ({"name": "Jane", "tags": ["x" * 51]}, "tags.0", "50"),
        ({"name": "Jane", "managerId": 987654}, "managerId", "staff"),
        ({"name": "Jane", "managerId": 10**30}, "managerId", "less than"),
        ({"name": "Jane", "linkedUserId": 987654}, "linkedUserId", "no such user"),
        ({"name": "Jane", "timezone": "Mars/Olympus"}, "timezone", "Europe/Berlin"),
        (["Jane"], "body", "JSON object"),
    ],
)
def test_a_refused_talent_names_the_field(
    manager: APIClient, body: Any, field: str, says: str
) -> None:
    answer = manager.post(URL, body, format="json")
    assert answer.status_code == 400, answer.json()
    told = answer.json()
    assert told["success"] is False
    assert told["error"] == "VALIDATION_ERROR"
    assert says.lower() in " ".join(told["details"][field]).lower()
    assert not Talent.objects.exists()


def test_a_user_is_linked_to_one_talent_only(manager: APIClient, jane: Talent, tilda: User) -> None:
    Talent.objects.filter(pk=jane.pk).update(linked_user=tilda)
    answer = manager.post(URL, {"name": "Bea", "linkedUserId": tilda.pk}, format="json")
    assert answer.status_code == 400
    assert "Jane Smith" in answer.json()["details"]["linkedUserId"][0]


def test_search_covers_name_email_tags_and_handles(
    manager: APIClient, make_talent: Callable[..., Talent], connect: Callable[..., Connection]
) -> None:
    make_talent("Anouk Bell", email="hello@bells.example")
    bea = make_talent("Bea Cole", tags=["gardening"])
    connect("TIKTOK", "greenthumb", to=bea)
    assert names(manager, "search=anouk") == ["Anouk Bell"]
    assert names(manager, "search=bells.example") == ["Anouk Bell"]
    assert names(manager, "search=garden") == ["Bea Cole"]
    assert names(manager, "search=@greenthumb") == ["Bea Cole"]
    assert names(manager, "search=100%25") == []
    # how a list is written is not what is in it
    for sign in ("{", "}", ",", "%22", "%5C"):
        assert names(manager, f"search={sign}") == []


def test_a_letter_and_its_accent_are_found_however_they_are_typed(
    manager: APIClient, make_talent: Callable[..., Talent]
) -> None:
    body = {"name": "Jose\u0301 Nu\u0301n\u0303ez", "tags": ["cafe\u0301", "caf\u00e9"]}
    told = manager.post("/api/admin/talent", body, format="json").json()["data"]
    assert (told["name"], told["tags"]) == ("Jos\u00e9 N\u00fa\u00f1ez", ["caf\u00e9"])
    for typed in ("JOS\u00c9", "jose\u0301", "cafe\u0301"):
        assert names(manager, f"search={quote(typed)}") == [told["name"]]


def test_filters_choose_by_platform_sync_status_manager_and_status(
    manager: APIClient,
    alice: User,
    make_talent: Callable[..., Talent],
    read_account: Callable[..., Connection],
    connect: Callable[..., Connection],
) -> None:
    make_talent("Archived One", status="archived")
    bea = make_talent("Bea Cole", manager=alice)
    read_account("INSTAGRAM", "bea", to=bea)
    cleo = make_talent("Cleo Dunn")
    connect("TIKTOK", "cleo", to=cleo)
    Talent.objects.filter(name="Jane Smith").delete()

    assert names(manager) == ["Bea Cole", "Cleo Dunn"]
    assert names(manager, "status=archived") == ["Archived One"]
    assert names(manager, "status=all") == ["Archived One", "Bea Cole", "Cleo Dunn"]
    assert names(manager, "platform=TIKTOK") == ["Cleo Dunn"]
    assert names(manager, "platform=tiktok&syncStatus=READY") == []
    assert names(manager, "syncStatus=READY") == ["Bea Cole"]
    assert names(manager, f"manager={alice.pk}") == ["Bea Cole"]
    assert names(manager, "manager=none") == ["Cleo Dunn"]
    assert names(manager, "search=&platform=&status=&syncStatus=&manager=&ordering=") == [
        "Bea Cole",
        "Cleo Dunn",
    ]


@pytest.mark.parametrize(
    "query",
    [
        "platform=MYSPACE", "status=gone", "syncStatus=ready", "manager=alice", "ordering=password",
        "limit=0", "limit=201", "limit=many", "cursor=abc", "cursor=bnVsbA", "sync_status=READY",
        "search=%00",
    ],
)  # fmt: skip
def test_a_senseless_parameter_is_refused_by_name(manager: APIClient, query: str) -> None:
    answer = manager.get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["details"]) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    "ordering", ["name", "-name", "createdAt", "-createdAt", "totalFollowers", "-totalFollowers"]
)
def test_pages_follow_each_other_without_gap_or_repetition(
    manager: APIClient,
    make_talent: Callable[..., Talent],
    connect: Callable[..., Connection],
    ordering: str,
) -> None:
    for number in range(7):
        talent = make_talent(["Émile", "zoe", "Adam"][number % 3], slug=f"t{number}")
        if number % 2:
            row = connect("INSTAGRAM", f"handle{number}", to=talent)
            Profile.objects.create(
                connection=row,
                followers=100 * (number % 3),
                source="x",
                fetched_at=talent.created_at,
            )
    every = manager.get(f"{URL}?ordering={ordering}&limit=200").json()
    whole = [talent["id"] for talent in every["data"]]
    assert every["page"] == {"next": None, "count": 8}
    seen: list[int] = []
    cursor = ""
    while cursor is not None:
        page = manager.get(f"{URL}?ordering={ordering}&limit=3&cursor={cursor}").json()
        seen += [talent["id"] for talent in page["data"]]
        cursor = page["page"]["next"]
    assert seen == whole
    assert len(set(seen)) == 8


def test_followers_are_summed_and_sort_the_list(
    manager: APIClient, make_talent: Callable[..., Talent], read_account: Callable[..., Connection]
) -> None:
    bea = make_talent("Bea Cole")
    read_account("INSTAGRAM", "bea", to=bea)
    read_account("YOUTUBE", "bea", to=bea)
    listed = manager.get(f"{URL}?ordering=-totalFollowers").json()["data"]
    assert [talent["totalFollowers"] for talent in listed] == [2000, None]
    assert [account["platform"] for account in listed[0]["connections"]] == ["INSTAGRAM", "YOUTUBE"]
    assert listed[0]["connections"][0] == {
        "id": listed[0]["connections"][0]["id"],
        "platform": "INSTAGRAM",
        "handle": "bea",
        "syncStatus": "READY",
        "followers": 1000,
    }


def test_a_list_of_twenty_costs_as_many_queries_as_a_list_of_one(
    manager: APIClient,
    make_talent: Callable[..., Talent],
    read_account: Callable[..., Connection],
    django_assert_num_queries: Any,
) -> None:
    def grow(upto: int) -> None:
        for number in range(Talent.objects.count(), upto):
            read_account("INSTAGRAM", f"handle{number}", to=make_talent(f"Talent {number}"))

    grow(1)
    manager.get(URL)
    with django_assert_num_queries(4):
        assert len(manager.get(URL).json()["data"]) == 1
    grow(20)
    with django_assert_num_queries(4):
        assert len(manager.get(URL).json()["data"]) == 20
