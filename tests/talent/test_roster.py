"""The roster's journeys: every door adds, edits, archives and deletes talents by these."""

from __future__ import annotations

import threading

import pytest
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext

from talent import roster
from talent.models import Activity, Talent
from talent.rules import RosterRefused


def actions(talent_id):
    events = Activity.objects.filter(talent_id=talent_id).order_by("id")
    return [(event.action, event.actor_name) for event in events]


def test_a_new_talent_has_a_slug_and_a_line_in_the_log(alice):
    talent = roster.add(
        "  Mila   Okafor ",
        email="mila@x.example",
        tags=["Food", " food ", "Travel", ""],
        actor=alice,
    )
    assert (talent.name, talent.slug, talent.tags) == (
        "Mila Okafor",
        "mila-okafor",
        ["Food", "Travel"],
    )
    assert actions(talent.pk) == [("talent.added", "Alice Archer")]
    assert Activity.objects.get(talent_id=talent.pk).details == {
        "email": "mila@x.example",
        "tags": ["Food", "Travel"],
    }


def test_namesakes_get_slugs_of_their_own(db):
    names = ["Jane", "Jane", "Jane 2", "Jane", "김치", "김치"]
    slugs = [roster.add(name).slug for name in names]
    assert slugs == ["jane", "jane-2", "jane-2-2", "jane-3", "talent", "talent-2"]


@pytest.mark.django_db(transaction=True)
def test_namesakes_added_at_the_same_moment_get_slugs_of_their_own():
    start, faults = threading.Barrier(4), []

    def add():
        try:
            start.wait(5)
            roster.add("Jane Smith")
        except Exception as fault:  # noqa: BLE001  told by the main thread
            faults.append(fault)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not faults
    assert set(Talent.objects.values_list("slug", flat=True)) == {
        "jane-smith", "jane-smith-2", "jane-smith-3", "jane-smith-4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": "  "}, "name", "like Jane Smith"),
        ({"name": "x" * 201}, "name", "at most 200 characters; this has 201"),
        ({"name": "Ja\x00ne"}, "name", "can't be stored"),
        ({"name": "Ja\ud800ne"}, "name", "can't be stored"),
        ({"email": "jane"}, "email", "like jane@example.com"),
        ({"timezone": "Mars/Base"}, "timezone", "like Europe/Berlin"),
        ({"tags": ["x" * 51]}, "tags", "at most 50 characters"),
        ({"tags": ["a;b"]}, "tags", "no semicolon"),
        ({"tags": [str(n) for n in range(31)]}, "tags", "at most 30 tags"),
        ({"tags": "food"}, "tags", "list of tags"),
        ({"manager_id": 999_999}, "manager_id", "somebody of the staff"),
        ({"manager_id": "alice"}, "manager_id", "no such user"),
        ({"linked_user_id": 999_999}, "linked_user_id", "no such user"),
    ],
)
def test_a_refusal_names_the_field_and_shows_a_right_example(db, fields, field, words):
    with pytest.raises(RosterRefused) as refusal:
        roster.add(**{"name": "Jane", **fields})
    assert list(refusal.value.fields) == [field]
    assert words in refusal.value.fields[field][0]
    assert not Talent.objects.exists()


def test_every_fault_is_told_at_once(db):
    with pytest.raises(RosterRefused) as refusal:
        roster.add("", email="x", timezone="y")
    assert set(refusal.value.fields) == {"name", "email", "timezone"}


def test_a_manager_is_staff(tilda, alice):
    assert roster.add("Jane", manager_id=alice.pk).manager == alice
    with pytest.raises(RosterRefused):
        roster.add("Bob", manager_id=tilda.pk)


def test_a_user_is_linked_to_one_talent_only(tilda):
    first = roster.add("Tilda", linked_user_id=tilda.pk)
    with pytest.raises(RosterRefused, match="linked to Tilda already"):
        roster.add("Impostor", linked_user_id=tilda.pk)
    assert roster.update(first.pk, linked_user_id=tilda.pk, name="Tilda T").linked_user == tilda


def test_an_edit_keeps_old_and_new_in_the_log_and_the_slug_as_it_was(jane, alice):
    talent = roster.update(jane.pk, actor=alice, name="Jane Doe", tags=["food"], bio="")
    assert talent.slug == "jane-smith"
    assert Activity.objects.get(action="talent.updated").details == {
        "changes": {"name": ["Jane Smith", "Jane Doe"], "tags": [["food", "travel"], ["food"]]}
    }


def test_an_edit_that_changes_nothing_leaves_no_line(jane):
    roster.update(jane.pk, name="Jane Smith")
    assert not Activity.objects.exists()


def test_archiving_and_restoring_are_told_once_each(jane, alice):
    roster.archive(jane.pk, actor=alice)
    roster.archive(jane.pk, actor=alice)
    assert not Talent.objects.active().exists()
    roster.restore(jane.pk, actor=alice)
    assert actions(jane.pk) == [
        ("talent.archived", "Alice Archer"),
        ("talent.restored", "Alice Archer"),
    ]


def test_many_talents_get_one_manager_in_one_go(make_talent, alice):
    ids = [make_talent(f"Talent {n}").pk for n in range(20)]
    with CaptureQueriesContext(connection) as few:
        assert roster.assign_manager(ids[:2], alice.pk, actor=alice) == 2
    with CaptureQueriesContext(connection) as many:
        assert roster.assign_manager(ids, alice.pk, actor=alice) == 18
    assert len(many) == len(few)
    assert Activity.objects.filter(action="talent.updated").count() == 20


def test_deleting_removes_the_talent_and_keeps_the_log(jane, alice):
    roster.delete(jane.pk, actor=alice)
    assert not Talent.objects.exists()
    assert actions(jane.pk) == [("talent.deleted", "Alice Archer")]
    with pytest.raises(Talent.DoesNotExist):
        roster.delete(jane.pk)
