"""The roster goes out with its numbers, safe for spreadsheets, and comes in again unchanged."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from socials import connections
from socials.models import Connection, Profile, Snapshot
from talent import roster
from talent.models import Talent

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.fixture
def mila(alice):
    """A talent with two Instagram accounts that were read, and a link."""
    talent = roster.add(
        "Mila Okafor", email="mila@x.example", tags=["food", "travel"], manager_id=alice.pk
    )
    for handle, followers in (("mila", 1_000), ("mila.cooks", 500)):
        row, _ = connections.connect(talent, "INSTAGRAM", handle=handle)
        Connection.objects.filter(pk=row.pk).update(
            sync_status="READY", next_attempt_at=None, last_synced_at=NOON
        )
        Profile.objects.create(connection=row, followers=followers, source="x", fetched_at=NOON)
        Snapshot.objects.create(
            connection=row,
            date=NOON.date(),
            engagement_rate=followers / 300,
            source="x",
            taken_at=NOON,
        )
    connections.connect(talent, "LINKEDIN", handle="mila-okafor")
    return talent


def exported(file, **options):
    call_command("export_roster", str(file), stdout=io.StringIO(), **options)
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))


def imported(file):
    out = io.StringIO()
    call_command("import_roster", str(file), json=True, stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def test_a_talent_goes_out_with_handles_and_latest_numbers(mila, tmp_path):
    [row] = exported(tmp_path / "roster.csv")
    assert row["name"] == "Mila Okafor"
    assert row["tags"] == "food; travel"
    assert row["manager"] == "alice@agency.example"
    assert row["instagram"] == "mila; mila.cooks"
    assert row["linkedin"] == "mila-okafor"
    assert row["total_followers"] == row["instagram_followers"] == "1500"
    assert row["instagram_engagement_rate"] == "3.33"
    assert row["instagram_synced_at"] == "2026-01-10T12:00:00Z"
    assert row["instagram_likes"] == row["tiktok_followers"] == ""


@pytest.mark.parametrize("name", ["roster.csv", "roster.xlsx"])
def test_what_went_out_comes_in_unchanged(mila, tmp_path, name):
    roster.add("=cmd|'/c calc'!A0", email="x@x.example", tags=["-1+1"])
    roster.add("'quoted'")
    call_command("export_roster", str(tmp_path / name), stdout=io.StringIO())
    report = imported(tmp_path / name)
    assert [row["outcome"] for row in report["rows"]] == ["unchanged"] * 3
    Talent.objects.all().delete()
    assert imported(tmp_path / name)["created"] == 3
    assert set(Talent.objects.values_list("name", flat=True)) == {
        "=cmd|'/c calc'!A0", "'quoted'", "Mila Okafor",
    }  # fmt: skip


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n", "\uff1d", "\uff20"])
def test_no_cell_is_a_formula(db, tmp_path, start):
    Talent.objects.create(name=f"{start}1+1", slug="x")
    [row] = exported(tmp_path / "roster.csv")
    assert row["name"].startswith("'")
    call_command("export_roster", str(tmp_path / "roster.xlsx"), stdout=io.StringIO())
    sheet = openpyxl.load_workbook(tmp_path / "roster.xlsx").active
    assert sheet["A2"].data_type == "s"
    assert sheet["A2"].value.startswith("'")


def test_numbers_are_numbers_in_a_workbook(mila, tmp_path):
    call_command("export_roster", str(tmp_path / "roster.xlsx"), stdout=io.StringIO())
    heading, row = openpyxl.load_workbook(tmp_path / "roster.xlsx").active.iter_rows(
        values_only=True
    )
    assert dict(zip(heading, row, strict=True))["instagram_followers"] == 1500


def test_archived_talents_go_out_only_when_asked(mila, tmp_path):
    roster.archive(mila.pk)
    assert exported(tmp_path / "roster.csv") == []
    assert len(exported(tmp_path / "roster.csv", all=True)) == 1


def test_more_talents_cost_no_more_queries(mila, tmp_path):
    with CaptureQueriesContext(connection) as few:
        exported(tmp_path / "few.csv")
    for n in range(30):
        connections.connect(roster.add(f"Talent {n}"), "INSTAGRAM", handle=f"t.{n}")
    with CaptureQueriesContext(connection) as many:
        exported(tmp_path / "many.csv")
    assert len(many) == len(few)


@pytest.mark.parametrize(("name", "words"), [("roster.pdf", ".pdf"), ("none/roster.csv", "can't")])
def test_a_place_that_can_not_be_written_is_one_line_and_exit_2(db, tmp_path, name, words):
    with pytest.raises(CommandError, match=words) as refusal:
        exported(tmp_path / name)
    assert refusal.value.returncode == 2
    assert not list(tmp_path.iterdir())
