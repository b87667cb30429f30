"""The back office: the same facts and the same calls as the pages; viewers see, managers act."""

from __future__ import annotations

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from socials import connections
from socials.models import Connection, Grant, SyncRun
from talent import roster
from talent.models import Activity, Talent, User

LISTS = (
    "socials_connection", "socials_syncrun", "socials_circuit", "socials_quotawindow",
    "socials_worker", "socials_driftsighting", "talent_talent", "talent_user", "talent_activity",
    "talent_creatorprofile",
)  # fmt: skip


def signed_in(user):
    client = Client()
    client.force_login(user, backend="talent.backends.RoleBackend")
    return client


@pytest.fixture
def office(alice):
    return signed_in(alice)


@pytest.fixture
def account(jane):
    row, _ = connections.connect(jane, "INSTAGRAM", handle="janesmith")
    return row


def failed(row):
    Connection.objects.filter(pk=row.pk).update(
        sync_status="ERROR", next_attempt_at=None, error_code="NOT_FOUND", attempt=1,
        sync_error="We can't find this account.",
    )  # fmt: skip


def choose(client, name, action, *rows, **more):
    return client.post(
        reverse(f"admin:{name}_changelist"),
        {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], **more},
        follow=True,
    )


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_for_viewers_and_managers(name, office, victor, account):
    address = reverse(f"admin:{name}_changelist")
    assert office.get(address).status_code == 200
    assert signed_in(victor).get(address).status_code == 200


def test_people_without_a_role_stay_outside(tilda, db):
    assert signed_in(tilda).get("/admin/").status_code == 302
    nobody = User.objects.create_user("nobody", is_staff=True)
    assert signed_in(nobody).get("/admin/").status_code == 302


def test_the_list_tells_where_each_sync_stands_and_why(office, account):
    failed(account)
    page = office.get(reverse("admin:socials_connection_changelist")).content.decode()
    assert "Instagram @janesmith" in page
    assert '<span class="pill error">Error</span>' in page
    assert "1 of 3" in page
    assert "We can&#x27;t find this account." in page


def test_sync_now_queues_the_chosen_accounts_by_the_domains_call(office, account, alice):
    failed(account)
    page = choose(office, "socials_connection", "sync_now", account)
    account.refresh_from_db()
    assert (account.sync_status, account.attempt, account.error_code) == ("PENDING", 0, "")
    assert Activity.objects.filter(action="connection.sync_requested", actor_id=alice.pk).exists()
    assert "1 accounts queued for a sync." in page.content.decode()


def test_sync_now_on_the_accounts_own_page(office, account):
    failed(account)
    address = reverse("admin:socials_connection_change", args=[account.pk])
    assert "Sync now" in office.get(address).content.decode()
    office.post(address, {"freshness_minutes": "", "_sync": "Sync now"})
    account.refresh_from_db()
    assert account.sync_status == "PENDING"


@pytest.mark.parametrize("way", ["one", "many"])
def test_deleting_disconnects_by_the_domains_call(way, office, account, alice):
    if way == "one":
        address = reverse("admin:socials_connection_delete", args=[account.pk])
        assert "Instagram @janesmith" in office.get(address).content.decode()
        office.post(address, {"post": "yes"})
    else:
        choose(office, "socials_connection", "delete_selected", account, post="yes")
    assert not Connection.objects.exists()
    assert Activity.objects.filter(action="connection.disconnected", actor_id=alice.pk).exists()


def test_a_new_account_is_connected_by_handle_or_link(office, jane):
    address = reverse("admin:socials_connection_add")
    given = {"talent": jane.pk, "platform": "INSTAGRAM", "handle": "@JaneSmith", "profile_url": ""}
    office.post(address, given)
    row = Connection.objects.get()
    assert (row.handle, row.sync_status) == ("janesmith", "PENDING")
    page = office.post(address, given | {"handle": "jane smith"})
    assert "Did you mean @janesmith?" in page.content.decode()
    again = office.post(address, given, follow=True)
    assert "has this account already" in again.content.decode()
    assert Connection.objects.count() == 1


def test_a_viewer_sees_and_can_not_act(victor, account, jane):
    viewer = signed_in(victor)
    page = viewer.get(reverse("admin:socials_connection_changelist")).content.decode()
    assert "sync_now" not in page
    assert "delete_selected" not in page
    choose(viewer, "socials_connection", "sync_now", account)
    choose(viewer, "socials_connection", "delete_selected", account, post="yes")
    choose(viewer, "talent_talent", "erase_everywhere", jane, confirmed="erase")
    change = reverse("admin:socials_connection_change", args=[account.pk])
    assert "Sync now" not in viewer.get(change).content.decode()
    assert viewer.post(change, {"_sync": "1"}).status_code == 403
    assert (
        viewer.get(reverse("admin:socials_connection_delete", args=[account.pk])).status_code == 403
    )
    assert viewer.get(reverse("admin:socials_connection_add")).status_code == 403
    assert viewer.post(reverse("admin:talent_talent_change", args=[jane.pk])).status_code == 403
    account.refresh_from_db()
    assert account.sync_version == 1
    assert Talent.objects.exists()


def test_no_page_shows_a_token(office, account):
    Grant.objects.create(
        connection=account, access_token="tok-secret", refresh_token="ref-secret",
        scopes=["instagram_business_basic"], granted_at=timezone.now(),
    )  # fmt: skip
    address = reverse("admin:socials_connection_change", args=[account.pk])
    page = office.get(address).content.decode()
    assert "instagram_business_basic" in page
    stored = Grant.objects.values_list("access_token", flat=True)
    assert not any(secret in page for secret in ("tok-secret", "ref-secret", *stored))


def test_attempts_and_events_can_be_read_and_nothing_else(office, account):
    now = timezone.now()
    run = SyncRun.objects.create(
        connection=account, platform="INSTAGRAM", trigger="connect", sync_version=1, attempt=1,
        started_at=now, finished_at=now, duration_ms=1234, outcome="ready",
    )  # fmt: skip
    event = Activity.objects.first()
    runs = reverse("admin:socials_syncrun_changelist")
    assert "1.23" in office.get(f"{runs}?connection__id={account.pk}").content.decode()
    for name, row in (("socials_syncrun", run), ("talent_activity", event)):
        assert office.get(reverse(f"admin:{name}_change", args=[row.pk])).status_code == 200
        assert office.get(reverse(f"admin:{name}_delete", args=[row.pk])).status_code == 403
        assert office.get(reverse(f"admin:{name}_add")).status_code == 403


def test_talents_are_added_and_changed_by_the_rosters_rules(office, alice):
    given = {
        "name": "Mila  Okafor", "email": "mila@x.example", "tags": "food, travel",
        "manager": alice.pk, "linked_user": "", "location": "", "timezone": "UTC", "bio": "",
        "status": "active", "connections-TOTAL_FORMS": 0, "connections-INITIAL_FORMS": 0,
    }  # fmt: skip
    office.post(reverse("admin:talent_talent_add"), given)
    talent = Talent.objects.get()
    assert (talent.name, talent.slug, talent.tags) == (
        "Mila Okafor",
        "mila-okafor",
        ["food", "travel"],
    )
    address = reverse("admin:talent_talent_change", args=[talent.pk])
    office.post(address, given | {"name": "Mila O", "status": "archived"})
    talent.refresh_from_db()
    assert (talent.name, talent.status) == ("Mila O", "archived")
    actions = Activity.objects.order_by("id").values_list("action", "actor_id")
    assert list(actions) == [
        ("talent.added", alice.pk), ("talent.updated", alice.pk), ("talent.archived", alice.pk),
    ]  # fmt: skip
    page = office.post(address, given | {"timezone": "Mars"}).content.decode()
    assert "like Europe/Berlin" in page


def test_a_talents_page_shows_the_accounts_live(office, account, jane):
    page = office.get(reverse("admin:talent_talent_change", args=[jane.pk])).content.decode()
    assert "Instagram @janesmith" in page
    assert '<span class="pill pending">Pending</span>' in page


def test_talents_are_archived_restored_synced_and_deleted_many_at_once(office, account, jane):
    choose(office, "talent_talent", "archive", jane)
    jane.refresh_from_db()
    assert jane.status == "archived"
    choose(office, "talent_talent", "restore", jane)
    failed(account)
    choose(office, "talent_talent", "sync_accounts", jane)
    account.refresh_from_db()
    assert account.sync_status == "PENDING"
    choose(office, "talent_talent", "delete_selected", jane, post="yes")
    assert not Talent.objects.exists()
    assert Activity.objects.filter(action="talent.deleted").exists()


def test_erasing_asks_first_and_shows_the_receipt(office, account, jane):
    page = choose(office, "talent_talent", "erase_everywhere", jane)
    assert "There is no way back" in page.content.decode()
    assert Talent.objects.exists()
    page = choose(office, "talent_talent", "erase_everywhere", jane, confirmed="erase")
    assert "1 socials_connection" in page.content.decode()
    assert not Talent.objects.exists()
    assert not Activity.objects.filter(object__contains="Jane").exists()


def test_only_superusers_change_users(office, ruth, victor):
    address = reverse("admin:talent_user_change", args=[victor.pk])
    assert office.get(address).status_code == 200
    assert office.post(address, {"role": "manager"}).status_code == 403
    root = signed_in(ruth)
    assert "Managers edit" in root.get(address).content.decode()
    added = {
        "username": "new", "email": "", "usable_password": "true", "password1": "a-long-passphrase",
        "password2": "a-long-passphrase", "is_staff": "on", "role": "viewer",
    }  # fmt: skip
    root.post(reverse("admin:talent_user_add"), added)
    assert User.objects.get(username="new").role == "viewer"


@pytest.mark.parametrize(
    "name", ["socials_connection", "socials_syncrun", "talent_talent", "talent_activity"]
)
def test_more_rows_cost_no_more_queries(name, office, account):
    address = reverse(f"admin:{name}_changelist")
    office.get(address)

    def more(count):
        now = timezone.now()
        for n in range(count):
            talent = roster.add(f"Talent {n}")
            row, _ = connections.connect(talent, "INSTAGRAM", handle=f"t.{n}")
            SyncRun.objects.create(
                connection=row, platform="INSTAGRAM", trigger="connect", sync_version=1, attempt=1,
                started_at=now, finished_at=now, duration_ms=1, outcome="ready",
            )  # fmt: skip

    more(3)
    with CaptureQueriesContext(connection) as few:
        office.get(address)
    more(15)
    with CaptureQueriesContext(connection) as many:
        office.get(address)
    assert len(many) == len(few)


def test_the_back_office_wears_greenrooms_clothes(office):
    page = office.get("/admin/").content.decode()
    assert "admin.css" in page
    assert "Back office" in page
