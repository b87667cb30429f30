"""Rosters come in from files row by row: good ones go in, bad ones are told, twice changes nothing."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from socials.models import Connection
from talent import roster
from talent.models import Activity, Talent
from tests.conftest import ROOT, at_once

HEADING = "name,email,tags,manager,instagram,tiktok,youtube,twitter,linkedin"


@pytest.fixture
def sheet(tmp_path):
    """Writes a CSV file of lines under the usual heading."""

    def write(*lines, heading=HEADING, encoding="utf-8", name="roster.csv"):
        file = tmp_path / name
        file.write_bytes("\r\n".join([heading, *lines]).encode(encoding))
        return file

    return write


def run(file, command="import_roster", **options):
    out, err = io.StringIO(), io.StringIO()
    call_command(command, str(file), json=True, stdout=out, stderr=err, **options)
    return json.loads(out.getvalue())


def outcomes(report):
    return [row["outcome"] for row in report["rows"]]


def test_a_row_becomes_a_talent_with_its_accounts(sheet, alice):
    file = sheet(
        "Mila Okafor,mila@x.example,food; Travel,alice,@mila,https://www.tiktok.com/@mila,,mila_x,"
    )
    report = run(file)
    talent = Talent.objects.get()
    assert report == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "failed": 0,
        "rows": [{"row": 2, "outcome": "created", "talentId": talent.pk, "errors": {}}],
    }
    assert (talent.name, talent.email, talent.tags) == (
        "Mila Okafor", "mila@x.example", ["food", "Travel"],
    )  # fmt: skip
    assert talent.manager == alice
    rows = Connection.objects.order_by("platform").values_list("platform", "handle", "sync_status")
    assert list(rows) == [
        ("INSTAGRAM", "mila", "PENDING"),
        ("TIKTOK", "mila", "PENDING"),
        ("TWITTER", "mila_x", "READY"),
    ]
    assert OrmQ.objects.count() == 2  # one wake-up for each platform that syncs
    assert Activity.objects.filter(action="connection.connected", talent_id=talent.pk).count() == 3


def test_a_second_import_changes_nothing(sheet, alice):
    file = sheet(
        "Mila,mila@x.example,food,alice,@mila,,,,",
        "Sam,,,,sam; sam.two,,,,",
        "Jo,JO@x.example,,,,,,,",
    )
    assert outcomes(run(file)) == ["created", "created", "created"]
    events = Activity.objects.count()
    assert outcomes(run(file)) == ["unchanged", "unchanged", "unchanged"]
    assert Connection.objects.count() == 3
    assert Activity.objects.count() == events


def test_a_dry_run_tells_the_same_and_writes_nothing(sheet, jane, alice):
    file = sheet(
        "Jane Smith,jane@talent.example,,,jane,,,,", "New,,,,new,,,,", "New,,x,,,,,,", ",,,,x,,,,"
    )
    planned = run(file, dry_run=True)
    assert Talent.objects.count() == 1
    assert not Connection.objects.exists()
    assert not Activity.objects.exists()
    done = run(file)
    assert outcomes(planned) == outcomes(done) == ["updated", "created", "updated", "failed"]
    assert [row["errors"] for row in planned["rows"]] == [row["errors"] for row in done["rows"]]


def test_bad_rows_name_their_columns_and_the_others_go_in(sheet, alice):
    report = run(
        sheet(
            "Good,,,,good,,,,",
            ",,,,,,,,x",
            "Bad,nope,,,,,,,",
            "Bad,,,Nobody,jane smith,https://www.instagram.com/jane,,,",
            "Also Good,,,,,,,,",
        )
    )
    assert outcomes(report) == ["created", "failed", "failed", "failed", "created"]
    errors = [row["errors"] for row in report["rows"]]
    assert "like Jane Smith" in errors[1]["name"][0]
    assert "like jane@example.com" in errors[2]["email"][0]
    assert set(errors[3]) == {"manager", "instagram", "tiktok"}
    assert "Did you mean @janesmith?" in errors[3]["instagram"][0]
    assert "from Instagram, not from TikTok" in errors[3]["tiktok"][0]
    assert report["rows"][1]["talentId"] is None
    assert set(Talent.objects.values_list("name", flat=True)) == {"Good", "Also Good"}


def test_a_row_finds_its_talent_by_email_first_then_by_exact_name(sheet, make_talent):
    by_email = make_talent("Old Name", email="Mila@X.example")
    by_name = make_talent("Sam Ito")
    report = run(sheet("Mila Okafor,mila@x.example,,,,,,,", "Sam Ito,sam@x.example,,,,,,,"))
    assert [row["talentId"] for row in report["rows"]] == [by_email.pk, by_name.pk]
    assert outcomes(report) == ["updated", "updated"]
    by_email.refresh_from_db()
    by_name.refresh_from_db()
    assert (by_email.name, by_name.email) == ("Mila Okafor", "sam@x.example")


def test_a_namesake_with_another_email_is_somebody_else(sheet, make_talent):
    make_talent("Jane", email="one@x.example")
    assert outcomes(run(sheet("Jane,two@x.example,,,,,,,"))) == ["created"]
    report = run(sheet("Jane,,,,,,,,"))
    assert "2 talents have “Jane”" in report["rows"][0]["errors"]["name"][0]


def test_an_empty_cell_leaves_what_is_there(sheet, jane):
    run(sheet("Jane Smith,,,,,,,,"))
    jane.refresh_from_db()
    assert (jane.email, jane.tags) == ("jane@talent.example", ["food", "travel"])


def test_two_rows_of_one_person_are_one_talent(sheet, db):
    report = run(sheet("Jane,,,,one,,,,", "Jane,,,,two,,,,", "Jane,,,,one,,,,"))
    assert outcomes(report) == ["created", "updated", "unchanged"]
    assert len({row["talentId"] for row in report["rows"]}) == 1
    assert Connection.objects.count() == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_files_of_every_spreadsheet_program_are_read(sheet, encoding, db):
    file = sheet("Zoë Müller;zoe@x.example", heading="Name;E-Mail;EMAIL", encoding=encoding)
    file.write_bytes('Name;Email\r\n\r\n"Zoë;\nMüller";zoe@x.example\r\n'.encode(encoding))
    report = run(file)
    assert report["rows"][0]["row"] == 3
    assert Talent.objects.get().name == "Zoë; Müller"


def test_a_workbook_is_read_like_a_csv(tmp_path, db):
    book = openpyxl.Workbook()
    for line in (
        ["Name", "Instagram", "Shoe size"],
        ["Mila", "mila", 38],
        [],
        [1234, 5678.0, None],
    ):
        book.active.append(line)
    book.save(tmp_path / "roster.xlsx")
    report = run(tmp_path / "roster.xlsx")
    assert [(row["row"], row["outcome"]) for row in report["rows"]] == [
        (2, "created"),
        (4, "created"),
    ]
    assert set(Connection.objects.values_list("handle", flat=True)) == {"mila", "5678"}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "can't be read"),
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n\n;;\n", "is empty"),
        ("wrong.csv", b"first,second\n1,2\n", "has no column name"),
        ("twice.csv", b"name,name\n1,2\n", "twice"),
        ("picture.csv", bytes(range(256)), "has no column name"),
        ("roster.pdf", b"%PDF", "ends in .pdf"),
        ("roster.xlsx", b"PK not a zip", ".xlsx can't be read"),
    ],
)
def test_a_wrong_file_is_one_line_and_exit_2(tmp_path, db, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError) as refusal:
        run(tmp_path / name)
    assert refusal.value.returncode == 2
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_wrong_file_ends_the_process_with_2_and_no_traceback(
    process_environment, tmp_path, transactional_db
):
    done = subprocess.run(
        [sys.executable, "manage.py", "import_roster", str(tmp_path / "none.csv")],
        check=False, cwd=ROOT, env=process_environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "can't be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_in_words_each_row_has_a_line(sheet, db):
    out = io.StringIO()
    call_command("import_roster", str(sheet("Mila,,,,,,,,", ",,,,x,,,,")), stdout=out)
    assert "created    Mila" in out.getvalue()
    assert "name: Give a name" in out.getvalue()
    assert "1 created, 0 updated, 0 unchanged, 1 failed." in out.getvalue()


def test_five_thousand_rows_take_hardly_more_statements_than_fifty(sheet, alice):
    def lines(count, prefix):
        return [
            f"{prefix} {n},{prefix}{n}@x.example,food,alice,{prefix}.{n},,,," for n in range(count)
        ]

    with CaptureQueriesContext(connection) as few:
        run(sheet(*lines(50, "few")))
    with CaptureQueriesContext(connection) as many:
        report = run(sheet(*lines(5_000, "many")))
    assert report["created"] == 5_000
    assert len(many) - len(few) < 60
    assert Connection.objects.count() == 5_050


@pytest.mark.django_db(transaction=True)
def test_the_same_file_twice_at_once_adds_everybody_once(sheet, alice):
    file = sheet(*(f"T {n},t{n}@x.example,food,alice,t.{n},,,," for n in range(50)))
    first, second = at_once(lambda: run(file), lambda: run(file))
    assert {first["created"], second["created"]} == {0, 50}
    assert {first["unchanged"], second["unchanged"]} == {0, 50}
    assert (Talent.objects.count(), Connection.objects.count()) == (50, 50)


# --- the older system's handles ------------------------------------------------------------------


def test_old_handles_become_manual_connections_and_bad_ones_are_told(tmp_path, jane, make_talent):
    sam = make_talent("Sam Ito")
    entries = [
        {"talent": jane.pk, "platform": "INSTAGRAM", "handle": "@jane", "url": None},
        {"talent": "sam-ito", "platform": "tiktok", "url": "https://www.tiktok.com/@sam"},
        {"talent": "Sam Ito", "platform": "x", "handle": "sam"},
        {"talent": jane.pk, "platform": "INSTAGRAM", "handle": "JANE"},
        {"talent": "Nobody", "platform": "INSTAGRAM", "handle": "a"},
        {"talent": jane.pk, "platform": "MYSPACE", "handle": "a"},
        {"talent": jane.pk, "platform": "TIKTOK", "handle": "not a handle"},
        {"talent": jane.pk, "platform": "TIKTOK", "url": "https://vm.tiktok.com/ZM1/"},
        "nonsense",
    ]
    (tmp_path / "old.json").write_text(json.dumps(entries))
    report = run(tmp_path / "old.json", "import_legacy_handles")
    assert outcomes(report) == ["created"] * 3 + ["unchanged"] + ["failed"] * 5
    assert [list(row["errors"]) for row in report["rows"][4:]] == [
        ["talent"], ["platform"], ["handle"], ["url"], ["talent", "platform"],
    ]  # fmt: skip
    assert [row["talentId"] for row in report["rows"][:3]] == [jane.pk, sam.pk, sam.pk]
    assert set(Connection.objects.values_list("platform", "handle", "connection_type")) == {
        ("INSTAGRAM", "jane", "MANUAL"), ("TIKTOK", "sam", "MANUAL"), ("TWITTER", "sam", "MANUAL"),
    }  # fmt: skip
    again = run(tmp_path / "old.json", "import_legacy_handles")
    assert (again["created"], again["unchanged"], again["failed"]) == (0, 4, 5)


def test_old_handles_come_as_csv_too_and_a_dry_run_writes_nothing(sheet, jane):
    file = sheet(f"{jane.pk},INSTAGRAM,jane,", heading="talentId,platform,handle,profileUrl")
    assert run(file, "import_legacy_handles", dry_run=True)["created"] == 1
    assert not Connection.objects.exists()
    assert run(file, "import_legacy_handles")["created"] == 1


def test_namesakes_need_the_id_or_the_slug(tmp_path, db):
    roster.add("Jane")
    second = roster.add("Jane")
    (tmp_path / "old.json").write_text(
        json.dumps(
            [{"talent": name, "platform": "TWITTER", "handle": "j"} for name in ("Jane", "jane-2")]
        )
    )
    report = run(tmp_path / "old.json", "import_legacy_handles")
    assert "2 talents are called" in report["rows"][0]["errors"]["talent"][0]
    assert report["rows"][1]["talentId"] == second.pk


@pytest.mark.parametrize("content", ["{}", "nonsense", "[" * 100_000])
def test_a_file_that_is_no_json_list_is_one_line_and_exit_2(tmp_path, db, content):
    (tmp_path / "old.json").write_text(content)
    with pytest.raises(CommandError, match="is not") as refusal:
        run(tmp_path / "old.json", "import_legacy_handles")
    assert refusal.value.returncode == 2
