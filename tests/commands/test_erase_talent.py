"""``erase_talent`` takes a person out of every table and every log, and says what went."""

from __future__ import annotations

import io
import json

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from scraping.models import ScrapeRun
from socials import connections
from socials.images.files import path
from socials.models import Connection, Grant, Post, Profile, Snapshot
from socials.models.photo import Photo
from talent import roster
from talent.models import Activity, CreatorProfile, Talent, User

SECRET = ("jane", "Jane", "tilda", "Tilda")
"""What must not be found in any row afterwards."""


@pytest.fixture
def jane(tilda, alice):
    """A talent with everything that a talent can have."""
    talent = roster.add(
        "Jane Smith", email="jane@talent.example", linked_user_id=tilda.pk, actor=alice
    )
    roster.update(talent.pk, bio="Jane cooks.", actor=tilda)
    row, _ = connections.connect(talent, "TWITTER", handle="janesmith", actor=alice)
    now = timezone.now()
    Profile.objects.create(connection=row, display_name="Jane", source="x", fetched_at=now)
    Post.objects.create(connection=row, external_id="1", kind="TEXT", source="x", fetched_at=now)
    Snapshot.objects.create(connection=row, date=now.date(), source="x", taken_at=now)
    Grant.objects.create(connection=row, access_token="secret", granted_at=now)
    Photo.objects.create(
        talent=talent, source="manual", name="a" * 40, content_hash="x", width=1, height=1,
        taken_at=now, checked_at=now,
    )  # fmt: skip
    CreatorProfile.objects.create(user=tilda, tiktok_handle="janesmith")
    ScrapeRun.objects.create(
        provider="apify",
        platform="TIKTOK",
        outcome="failed",
        message="@janesmith: gone",
        started_at=now,
    )
    LogEntry.objects.create(
        user=alice,
        content_type=ContentType.objects.get_for_model(Talent),
        object_id=str(talent.pk),
        object_repr="Jane Smith",
        action_flag=CHANGE,
    )
    return talent


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def every_text():
    """All rows of all tables, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")
            yield from ((table, text) for (text,) in cursor.fetchall())


def erase(talent_id, **options):
    out = io.StringIO()
    call_command("erase_talent", str(talent_id), yes=True, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def test_no_table_and_no_log_knows_the_person_afterwards(
    jane, media, django_capture_on_commit_callbacks
):
    for size in ("64", "master"):
        default_storage.save(path("a" * 40, size), ContentFile(b"x"))
    with django_capture_on_commit_callbacks(execute=True):
        receipt = erase(jane.pk)
    left = [(table, text) for table, text in every_text() if any(word in text for word in SECRET)]
    assert left == []
    assert not [file for file in media.rglob("*") if file.is_file()]
    assert receipt["talentId"] == jane.pk
    assert receipt["erasedAt"].endswith("Z")
    assert receipt["erased"]["files"] == 2
    assert receipt["erased"]["socials_connection"] == 1
    assert receipt["erased"]["socials_grant"] == 1
    assert receipt["erased"]["talent_creator_profile"] == 1
    assert receipt["erased"]["talent_user"] == 1
    assert receipt["erased"]["scraping_run"] == 1
    assert receipt["erased"]["django_admin_log"] == 1


def test_the_log_still_tells_that_something_happened_and_that_it_was_erased(jane, media):
    erase(jane.pk)
    events = Activity.objects.filter(talent_id=jane.pk).order_by("id")
    assert [event.action for event in events][:2] == ["talent.added", "talent.updated"]
    assert events.last().action == "talent.erased"
    assert events.first().actor_name == "Alice Archer"


def test_the_log_is_append_only_again_after_an_erasure(jane, media):
    erase(jane.pk)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Activity.objects.update(object="changed")


def test_other_people_stay_whole(jane, alice, media):
    bob = roster.add("Bob", manager_id=alice.pk)
    connections.connect(bob, "TWITTER", handle="bob", actor=alice)
    before = Activity.objects.filter(talent_id=bob.pk).values()
    before = list(before)
    erase(jane.pk)
    assert Connection.objects.get().handle == "bob"
    assert list(Activity.objects.filter(talent_id=bob.pk).values()) == before
    assert User.objects.filter(pk=alice.pk).exists()


def test_a_member_of_staff_who_is_a_talent_keeps_the_sign_in(alice, media):
    talent = roster.add("Alice A", linked_user_id=alice.pk)
    receipt = erase(talent.pk)
    assert "talent_user" not in receipt["erased"]
    assert User.objects.filter(pk=alice.pk).exists()


def test_a_talent_deleted_earlier_is_erased_from_the_log(jane, alice, media):
    roster.delete(jane.pk, actor=alice)
    assert Activity.objects.filter(object="Jane Smith").exists()
    assert set(erase(jane.pk)["erased"]) == {"talent_activity"}
    assert not Activity.objects.filter(object="Jane Smith").exists()


def test_an_unknown_id_is_one_line_and_exit_2(db):
    with pytest.raises(CommandError, match="There is no talent 404") as refusal:
        erase(404)
    assert refusal.value.returncode == 2


def test_without_the_right_answer_nothing_is_erased(jane, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: "no")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_talent", str(jane.pk), stderr=io.StringIO())
    assert Talent.objects.filter(pk=jane.pk).exists()


def test_typing_the_id_again_erases_and_prints_the_receipt_in_words(jane, media, monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr("builtins.input", lambda _: str(jane.pk))
    call_command("erase_talent", str(jane.pk), stdout=out, stderr=io.StringIO())
    assert f"Talent {jane.pk} was erased" in out.getvalue()
    assert "socials_connection" in out.getvalue()
    assert not Talent.objects.exists()


def test_deleting_a_talent_disconnects_each_account_first(jane, alice):
    roster.delete(jane.pk, actor=alice)
    assert not Connection.objects.exists()
    actions = list(Activity.objects.order_by("id").values_list("action", flat=True))
    assert "connection.disconnected" in actions
    assert actions[-1] == "talent.deleted"
