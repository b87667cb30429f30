"""A talent's figures over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from socials.models import Connection, Profile
from talent.models import Talent, User
from tests.intelligence.stage import account, point, post


def url_of(talent: Talent) -> str:
    return f"/api/admin/talent/{talent.pk}/social-intelligence"


@pytest.fixture
def read(jane: Talent) -> Connection:
    """An account that was read just now, with a post, and a point of a week ago."""
    now = timezone.now()
    row = account(jane, followers=1000, last_synced_at=now)
    Profile.objects.filter(pk=row.pk).update(fetched_at=now)
    post(row, posted_at=now - timedelta(days=2), likes=90, comments=10, views=2000)
    for ago, followers in ((7, 800), (0, 1000)):
        point(row, now.date() - timedelta(days=ago), followers)
    return row


def test_the_answer_has_every_fact_of_the_contract(
    viewer: APIClient, jane: Talent, read: Connection
) -> None:
    told = viewer.get(url_of(jane)).json()["data"]
    assert (told["talentId"], told["days"], told["state"]) == (jane.pk, 30, "ready")
    assert told["totals"]["followers"] == 1000
    growth = {"d7": {"absolute": 200, "percent": 25.0}, "d30": None, "d90": None, "d365": None}
    assert told["totals"]["growth"] == growth
    (platform,) = told["platforms"]
    assert platform["growth"] == growth
    assert (platform["platform"], platform["connectionId"]) == ("INSTAGRAM", read.pk)
    assert platform["engagementRateByFollowers"] == 10.0
    assert platform["engagementRateByViews"] == 5.0
    assert (platform["averageViews"], platform["medianViews"]) == (2000, 2000)
    assert platform["absentParts"] == ["shares", "saves"]
    assert (platform["postsInWindow"], platform["postsInSample"]) == (1, 1)
    assert (platform["source"], platform["followersQuality"]) == ("test", "exact")
    assert [one["followers"] for one in told["history"]] == [800, 1000]
    (best,) = told["bestPosts"]
    assert (best["engagementRate"], best["engagementRateBasis"]) == (10.0, "followers")
    assert sum(map(sum, told["postingTimes"])) == 1
    assert told["flags"] == []
    assert set(told["formulas"]) >= {"engagementRateByFollowers", "growth", "postsPerWeek"}


def test_the_window_is_the_one_asked_for(viewer: APIClient, jane: Talent, read: Connection) -> None:
    told = viewer.get(url_of(jane), {"days": 1}).json()["data"]
    assert (told["days"], told["platforms"][0]["postsInWindow"]) == (1, 0)
    assert told["platforms"][0]["engagementRateByFollowers"] is None
    assert len(told["history"]) == 1
    assert viewer.get(url_of(jane), {"days": 730}).status_code == 200


@pytest.mark.parametrize("days", ["0", "731", "-1", "soon", "1.5"])
def test_a_senseless_window_is_refused(viewer: APIClient, jane: Talent, days: str) -> None:
    answer = viewer.get(url_of(jane), {"days": days})
    assert answer.status_code == 400
    assert "days" in answer.json()["details"]


def test_a_poll_gets_304_until_something_moves(
    viewer: APIClient, jane: Talent, read: Connection
) -> None:
    etag = viewer.get(url_of(jane))["ETag"]
    headers: Any = {"HTTP_IF_NONE_MATCH": etag}
    assert viewer.get(url_of(jane), **headers).status_code == 304
    assert viewer.get(url_of(jane), {"days": 7}, **headers).status_code == 200
    Profile.objects.filter(pk=read.pk).update(followers=1200)
    moved = viewer.get(url_of(jane), **headers)
    assert moved.status_code == 200
    assert moved.json()["data"]["totals"]["followers"] == 1200


def test_a_talent_without_accounts_is_empty_and_one_that_is_not_there_is_404(
    viewer: APIClient, jane: Talent
) -> None:
    told = viewer.get(url_of(jane)).json()["data"]
    assert (told["state"], told["platforms"], told["asOf"]) == ("empty", [], None)
    assert told["totals"]["followers"] is None
    assert viewer.get("/api/admin/talent/4711/social-intelligence").status_code == 404


def test_the_largest_numbers_that_are_counts_can_be_added_up(
    viewer: APIClient, jane: Talent, alice: User, client: Client
) -> None:
    most, now = 2**63 - 1, timezone.now()
    for handle in ("one", "two"):
        row = account(jane, handle=handle, followers=most, last_synced_at=now)
        post(row, posted_at=now - timedelta(days=2), likes=most, comments=most, views=most)
        for ago, followers in ((30, most), (1, 0), (0, most)):
            point(row, now.date() - timedelta(days=ago), followers)
    answer = viewer.get(url_of(jane))
    assert answer.status_code == 200
    told = answer.json()["data"]
    assert told["totals"]["followers"] == 2 * most
    assert {one["engagementRateByFollowers"] for one in told["platforms"]} == {200.0}
    client.force_login(alice)
    for page in ("/", "/?sort=-growth", "/changes", f"/talent/{jane.pk}/intelligence"):
        assert client.get(page).status_code == 200
