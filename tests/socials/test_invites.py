"""Links and permissions as staff see them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from socials import invites
from socials.invites import InviteRefused
from socials.models import Connection, Grant, Invite
from talent.models import Activity, Talent, User
from tests.socials.grant_stage import granted
from tests.socials.oauth_stage import invited

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("platform_settings")]


@pytest.fixture
def staff(client: Client, alice: User) -> Client:
    client.force_login(alice, backend="talent.backends.RoleBackend")
    return client


def test_a_link_is_found_by_its_hash_and_kept_encrypted(jane: Talent) -> None:
    invite = invited(jane)
    with database.cursor() as cursor:
        cursor.execute("SELECT token, token_hash FROM socials_invite")
        stored, digest = cursor.fetchone()
    assert invite.token not in stored
    assert invite.token not in digest
    assert invites.find(invite.token) == invite
    assert invites.find(digest) is None
    assert invites.find("") is None


@pytest.mark.parametrize("hours", [0, -1, invites.LONGEST_HOURS + 1])
def test_a_link_lives_between_an_hour_and_three_months(jane: Talent, hours: int) -> None:
    with pytest.raises(InviteRefused) as refused:
        invites.create(jane, expires_in_hours=hours)
    assert refused.value.field == "expiresInHours"


def test_a_place_without_any_platform_says_so(jane: Talent, settings: Any) -> None:
    settings.PLATFORM_SETTINGS = dict.fromkeys(settings.PLATFORM_SETTINGS, "")
    with pytest.raises(InviteRefused, match="No platform is set up"):
        invites.create(jane)


def test_staff_see_where_each_link_stands_and_never_the_link(
    staff: Client, jane: Talent, alice: User
) -> None:
    fresh, opened, used, off = (invited(jane, by=alice) for _ in range(4))
    ended = invited(jane, expires_in_hours=1)
    Invite.objects.filter(pk=ended.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    Invite.objects.filter(pk__in=[opened.pk, used.pk]).update(opened_at=timezone.now())
    Invite.objects.filter(pk=used.pk).update(used_at=timezone.now())
    Invite.objects.filter(pk=off.pk).update(revoked_at=timezone.now())
    text = staff.get("/invites").content.decode()
    for word in ("Waiting", "Opened", "Used", "Turned off", "Ended", "Alice Archer"):
        assert word in text
    for invite in (fresh, opened, used, off, ended):
        assert invite.token not in text


def test_one_link_is_turned_off_and_the_others_stay(staff: Client, jane: Talent) -> None:
    first, second = invited(jane), invited(jane)
    assert staff.post(f"/invites/{first.pk}/off").status_code == 302
    assert invites.find(first.token) is None
    assert invites.find(second.token) is not None
    assert Activity.objects.filter(action="invite.revoked").count() == 1
    staff.post(f"/invites/{first.pk}/off")
    assert Activity.objects.filter(action="invite.revoked").count() == 1


def test_viewers_look_and_change_nothing(client: Client, victor: User, jane: Talent) -> None:
    invite = invited(jane)
    assert client.get("/invites").status_code == 302
    client.force_login(victor, backend="talent.backends.RoleBackend")
    assert "Turn off" not in client.get("/invites").content.decode()
    assert client.post(f"/invites/{invite.pk}/off").status_code == 403
    assert invites.find(invite.token) is not None


def test_permissions_show_age_end_and_what_was_not_shared(staff: Client, jane: Talent) -> None:
    grant = granted(jane)
    Grant.objects.filter(pk=grant.pk).update(
        scopes=["user.info.basic"], refresh_expires_at=timezone.now() + timedelta(hours=5)
    )
    text = staff.get("/invites?show=permissions").content.decode()
    assert "10 days ago" in text
    assert "in 5 h" in text or "in 4 h" in text
    assert "Followers and likes can&#x27;t be read." in text
    Connection.objects.update(connected=False)
    assert "Reconnect" in staff.get("/invites?show=permissions").content.decode()
    assert "act.0" not in text


@pytest.mark.parametrize("show", ["links", "permissions"])
def test_the_number_of_queries_does_not_grow(staff: Client, jane: Talent, show: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            database,
        ) as seen:
            assert staff.get(f"/invites?show={show}").status_code == 200
        return len(seen)

    granted(jane)
    invited(jane)
    before = queries()
    for number in range(10, 15):
        granted(jane, handle=f"jane{number}", open_id=f"open-{number}")
        invited(jane)
    assert queries() == before
