"""A roster by upload: checked first, row by row, and imported only when confirmed."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from socials import imports, spreadsheets, tasks, uploads
from socials.models import Connection, RosterImport
from socials.spreadsheets import Unreadable
from talent.models import Activity, Talent

PAGE = "/talents/import"
GOOD = "name,email,instagram,manager\nMila Okafor,mila@x.example,@mila,alice\n"


def send(browser: Client, content: str | bytes, name: str = "roster.csv") -> Any:
    content = content.encode() if isinstance(content, str) else content
    return browser.post(PAGE, {"file": SimpleUploadedFile(name, content)})


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def workbook(*lines: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_file_is_checked_shown_and_imported_when_confirmed(alice_browser: Client) -> None:
    checked = send(alice_browser, GOOD)
    report = text(alice_browser.get(checked["Location"]))
    assert "1 talent would be added and 0 changed." in report
    assert "name, email, manager, instagram" in report
    assert not Talent.objects.exists()

    done = alice_browser.post(f"{checked['Location']}/confirm", follow=True)
    assert "1 talent added, 0 changed." in text(done)
    talent = Talent.objects.get()
    assert f'href="/talent/{talent.pk}"' in text(done)
    assert Connection.objects.get().handle == "mila"
    assert Activity.objects.get(action="roster.imported").actor_name == "Alice Archer"

    again = alice_browser.post(f"{checked['Location']}/confirm", follow=True)
    assert "1 talent added" in text(again)
    assert Activity.objects.filter(action="roster.imported").count() == 1
    kept = RosterImport.objects.get()
    assert bytes(kept.content) == b""


def test_every_fault_names_its_row_its_column_what_stands_there_and_a_right_example(
    alice_browser: Client, make_talent: Callable[..., Talent]
) -> None:
    make_talent("Known", email="known@x.example")
    checked = send(
        alice_browser,
        "name,email,manager,instagram,shoe size\n"
        "Fine,,,fine,38\n"
        ",,,x,\n"
        "Bad,nope,Nobody,jane smith,\n"
        "<b>Bold</b>,,,,\n"
        "Known,known@x.example,alice,,\n",
    )
    report = text(alice_browser.get(checked["Location"]))
    assert (
        "2 talents would be added and 1 changed. 2 rows have mistakes and are left out." in report
    )
    assert "Columns that are not used: shoe size." in report
    assert "Left out 2" in report
    assert '<td class="r num">3</td>' in report
    assert "Give a name, like Jane Smith." in report
    assert "<b>email</b> <q>nope</q>" in report
    assert "like jane@example.com" in report
    assert "Nobody of the staff is called “Nobody”" in report
    assert "like alice@agency.example" in report
    assert "Did you mean @janesmith?" in report
    new = text(alice_browser.get(f"{checked['Location']}?show=created"))
    assert "&lt;b&gt;Bold&lt;/b&gt;" in new
    assert "<b>Bold" not in new
    assert "manager" in text(alice_browser.get(f"{checked['Location']}?show=updated"))
    mistakes = alice_browser.get(f"{checked['Location']}/problems.csv")
    assert b"4,email,nope," in b"".join(mistakes.streaming_content)

    alice_browser.post(f"{checked['Location']}/confirm")
    assert set(Talent.objects.values_list("name", flat=True)) == {"Known", "Fine", "<b>Bold</b>"}


def bomb() -> bytes:
    """A few hundred kilobytes that unpack to a quarter of a gigabyte."""
    content = io.BytesIO(workbook(["name"], ["Mila"]))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/more.xml", b"\0" * (250 * 1024**2))
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("roster.csv", b"", "roster.csv is empty."),
        ("roster.csv", b"\xef\xbb\xbf\r\n", "roster.csv is empty."),
        ("roster.csv", b"first,second\n1,2\n", "has no column name"),
        ("roster.csv", b"name,email,name\n1,2,3\n", "has the column name twice"),
        ("roster.csv", ("name," + ",".join(map(str, range(300)))).encode(), "more than 200 columns"),
        ("roster.csv", b"name\n" + b"x\n" * 50_001, "more than 50,000 rows"),
        ("roster.csv", b'name\n"' + b"x" * 200_000, "can&#x27;t be read"),
        ("roster.csv", b"x" * (20 * 1024**2 + 1), "has more than 20 MB. Split it in parts."),
        ("roster.pdf", b"%PDF", "ends in .pdf. Give a .csv or an .xlsx file."),
        ("roster.xls", b"\xd0\xcf\x11\xe0", "ends in .xls. Give a .csv"),
        ("locked.xlsx", b"\xd0\xcf\x11\xe0", "is an old or a locked workbook"),
        ("roster.xlsx", b"PK\x03\x04 no", ".xlsx can&#x27;t be read. Save it again"),
        ("roster.xlsx", bomb(), "unpacks to far too much"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value)[:30],
)  # fmt: skip
def test_a_file_that_is_no_roster_is_answered_in_plain_words(
    alice_browser: Client, name: str, content: bytes, words: str
) -> None:
    answer = send(alice_browser, content, name)
    if answer.status_code == 302:  # too large to be looked at while its sender waits
        tasks.work_on_import(RosterImport.objects.get().pk)
        answer = alice_browser.get(answer["Location"], follow=True)
        assert RosterImport.objects.get().state == "refused"
    else:
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in text(answer)
    assert words in text(answer)
    assert not Talent.objects.exists()


def test_a_workbook_can_not_be_blown_up_by_what_it_repeats(db: None) -> None:
    """Few bytes for much: cells far to the right, and one long text that is shown in every row."""
    far = openpyxl.Workbook()
    far.active.append(["name"])
    for number in range(2, 1_000):
        far.active.cell(number, 1, f"Mila {number}")
        far.active.cell(number, 16_384, "x")
    content = io.BytesIO()
    far.save(content)
    tracemalloc.start()
    table = spreadsheets.parse("far.xlsx", content.getvalue(), wanted=["name"])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row.cells for row in table.rows[-1:]] == [{"name": "Mila 999"}]
    assert most < 20 * 1024**2

    same = workbook(["name", "bio"], *[["Mila", "x" * 32_000]] * 700)
    with pytest.raises(Unreadable, match="far too much text"):
        spreadsheets.parse("same.xlsx", same, wanted=["name"])


def test_faults_are_told_in_few_words_however_long_a_cell_is(db: None) -> None:
    cells = "M" * 30_000, ";".join(f"not a handle {n}" for n in range(1_000))
    content = f"name,manager,instagram\nMila,{cells[0]},{cells[1]}\n".encode()
    table = spreadsheets.parse("long.csv", content, wanted=["name"])
    (row,) = imports.import_table(table, dry_run=True).rows
    assert row.outcome == "failed"
    assert set(row.errors) == {"manager", "instagram"}
    assert len("".join(row.errors["manager"] + row.errors["instagram"])) < 1_500


def test_ten_thousand_namesakes_are_told_apart_by_their_addresses_at_once(db: None) -> None:
    lines = "".join(f"Jane Smith,jane.{n}@x.example\n" for n in range(10_000))
    content = f"name,email\n{lines}Jane Smith,\n".encode()
    table = spreadsheets.parse("janes.csv", content, wanted=["name"])
    began = time.process_time()
    report = imports.import_table(table, dry_run=True)
    assert time.process_time() - began < 4
    assert (report.counts["created"], report.counts["failed"]) == (10_000, 1)
    assert "10000 talents have “Jane Smith”" in report.rows[-1].errors["name"][0]


def test_nothing_chosen_says_what_to_do(alice_browser: Client) -> None:
    assert "Choose a .csv or .xlsx file first" in text(alice_browser.post(PAGE))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_semicolons_and_other_encodings_are_fine(alice_browser: Client, encoding: str) -> None:
    checked = send(alice_browser, "Name;E-Mail\r\nZoë Müller;zoe@x.example\r\n".encode(encoding))
    assert "Zoë Müller" in text(alice_browser.get(checked["Location"]))


def test_a_workbook_that_is_called_csv_is_still_a_workbook(alice_browser: Client) -> None:
    checked = send(alice_browser, workbook(["Name"], ["=1+1"], ["Mila"]), "roster.csv")
    alice_browser.post(f"{checked['Location']}/confirm")
    assert "Mila" in Talent.objects.values_list("name", flat=True)


def test_a_large_file_is_the_workers_business_and_the_page_tells_how_it_stands(
    alice_browser: Client,
) -> None:
    lines = [f"Talent {n},t{n}@x.example,talent.{n},alice,{'x' * 60}" for n in range(2_000)]
    checked = send(alice_browser, "\n".join(["name,email,instagram,manager,note", *lines]))
    address = checked["Location"]
    waiting = text(alice_browser.get(address))
    assert "Checking roster.csv." in waiting
    assert f'hx-get="{address}" hx-trigger="every 2s"' in waiting
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in waiting
    job = OrmQ.objects.get()
    assert job.func() == uploads.WORK

    tasks.work_on_import(RosterImport.objects.get().pk)
    report = text(alice_browser.get(address, headers={"HX-Request": "true"}))
    assert "2,000 talents would be added" in report
    assert "Page 1 of 20" in report
    assert "every 2s" not in report

    alice_browser.post(f"{address}/confirm")
    assert "Importing roster.csv." in text(alice_browser.get(address))
    tasks.work_on_import(RosterImport.objects.get().pk)
    assert "2,000 talents added" in text(alice_browser.get(address))
    assert Connection.objects.count() == 2_000


def test_a_lost_worker_is_followed_by_another_and_a_file_that_breaks_all_is_given_up(
    alice_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(imports, "import_table", broken)
    address = send(alice_browser, GOOD)["Location"]
    RosterImport.objects.update(updated_at=timezone.now() - timedelta(minutes=3))
    for _ in range(3):
        OrmQ.objects.all().delete()
        tasks.tend_imports()
        assert OrmQ.objects.get().func() == uploads.WORK
        tasks.work_on_import(RosterImport.objects.get().pk)
    assert "Greenroom gave up on this file. Nothing was imported." in text(
        alice_browser.get(address, follow=True)
    )


def test_an_upload_is_forgotten_after_a_day(alice_browser: Client) -> None:
    address = send(alice_browser, GOOD)["Location"]
    RosterImport.objects.update(updated_at=timezone.now() - timedelta(hours=25))
    tasks.tend_imports()
    assert alice_browser.get(address).status_code == 404


def test_another_file_can_be_chosen_instead(alice_browser: Client) -> None:
    address = send(alice_browser, GOOD)["Location"]
    answer = alice_browser.post(f"{address}/discard", follow=True)
    assert "Nothing was imported" in text(answer)
    assert not RosterImport.objects.exists()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_template_can_be_imported_as_it_is(alice_browser: Client, kind: str) -> None:
    template = alice_browser.get(f"{PAGE}/template.{kind}")
    checked = send(alice_browser, template.getvalue(), f"template.{kind}")
    assert "2 talents would be added" in text(alice_browser.get(checked["Location"]))


def test_only_managers_import(
    alice_browser: Client, victor_browser: Client, tilda_browser: Client
) -> None:
    address = send(alice_browser, GOOD)["Location"]
    for browser in (victor_browser, tilda_browser):
        assert send(browser, GOOD).status_code == 403
        for page in (PAGE, address, f"{PAGE}/template.csv", f"{address}/problems.csv"):
            assert browser.get(page).status_code == 403
        assert browser.post(f"{address}/confirm").status_code == 403
        assert browser.post(f"{address}/discard").status_code == 403
    assert not Talent.objects.exists()
    assert "/talents/import" in text(alice_browser.get("/"))
    assert "/talents/import" not in text(victor_browser.get("/"))
