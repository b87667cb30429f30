"""The media kit's link over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from socials.models import KitLink
from talent.models import Activity, Talent


def url_of(talent: Talent) -> str:
    return f"/api/admin/talent/{talent.pk}/kit-link"


def test_a_link_is_made_read_and_turned_off(
    manager: APIClient, viewer: APIClient, jane: Talent
) -> None:
    assert viewer.get(url_of(jane)).status_code == 404
    body = {"metrics": ["bestPosts", "followers"], "expiresInDays": 7}
    made = manager.post(url_of(jane), body, format="json")
    assert made.status_code == 201
    told = made.json()["data"]
    assert told["url"].startswith("http://127.0.0.1:8000/kit/")
    assert told["expiresAt"].endswith("Z")
    assert told["metrics"] == ["bestPosts", "followers"]
    assert viewer.get(url_of(jane)).json()["data"] == told
    assert APIClient().get("/kit/" + told["url"].rpartition("/")[2]).status_code == 200
    assert manager.delete(url_of(jane)).status_code == 204
    assert manager.delete(url_of(jane)).status_code == 204
    assert viewer.get(url_of(jane)).status_code == 404
    assert APIClient().get("/kit/" + told["url"].rpartition("/")[2]).status_code == 404
    actions = Activity.objects.filter(talent_id=jane.pk).order_by("id")
    assert [line.action for line in actions] == ["kit.created", "kit.revoked"]
    assert told["url"].rpartition("/")[2] not in str([line.details for line in actions])


def test_without_a_choice_all_is_shown_but_the_contact(manager: APIClient, jane: Talent) -> None:
    told = manager.post(url_of(jane), {}, format="json").json()["data"]
    assert "contact" not in told["metrics"]
    assert {"followers", "engagementRate", "bestPosts"} <= set(told["metrics"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"metrics": ["followers", "salary"]}, "metrics"),
        ({"metrics": []}, "metrics"),
        ({"expiresInDays": 0}, "expiresInDays"),
        ({"expiresInDays": 731}, "expiresInDays"),
        ({"days": 3}, "days"),
    ],
)
def test_a_senseless_kit_is_refused_by_the_field(
    manager: APIClient, jane: Talent, body: dict[str, Any], field: str
) -> None:
    answer = manager.post(url_of(jane), body, format="json")
    assert answer.status_code == 400
    assert [name.split(".")[0] for name in answer.json()["details"]] == [field]
    assert not KitLink.objects.exists()


def test_an_archived_talent_gets_no_kit(manager: APIClient, jane: Talent) -> None:
    Talent.objects.filter(pk=jane.pk).update(status="archived")
    answer = manager.post(url_of(jane), {}, format="json")
    assert answer.status_code == 400
    assert "archived" in answer.json()["message"]
