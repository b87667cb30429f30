"""Tables in files: CSV and XLSX in, CSV and XLSX out, by their extension."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path, PurePath
from typing import Any, Final

import openpyxl

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_UNPACKED: Final = 100 * 1024 * 1024
MOST_ROWS: Final = 50_000
MOST_COLUMNS: Final = 200
MOST_TEXT: Final = 20 * 1024 * 1024
"""Characters of all cells: a workbook may show one long text in every row."""
ROWS_A_PART: Final = 200

Cell = str | int | float | None

ENDINGS: Final = (".csv", ".txt", ".tsv", ".xlsx")
_ZIP: Final = b"PK\x03\x04"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"
"""How a .xls begins, and any workbook that is locked by a password."""

_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Unreadable(Exception):
    """The file is no table that we read; the text is one line for the person who gave it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its number as a spreadsheet shows it: the heading is row 1."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    """Headings in lower case."""
    rows: tuple[Row, ...]


def read(file: Path, *, wanted: Sequence[str]) -> Table:
    """The table in a .csv or .xlsx file; empty rows are left out.

    Raises Unreadable, also when none of the ``wanted`` headings is there.
    """
    return parse(file.name, bytes_of(file), wanted=wanted)


def parse(name: str, content: bytes, *, wanted: Sequence[str]) -> Table:
    """As ``read``, of a file that is not on this machine: its name and what is in it."""
    ending = PurePath(name).suffix.lower()
    if ending not in ENDINGS:
        raise Unreadable(f"{name} ends in {ending or 'nothing'}. Give a .csv or an .xlsx file.")
    if content.startswith(_OLD_OFFICE):
        raise Unreadable(
            f"{name} is an old or a locked workbook. Save it without a password, as .xlsx or .csv."
        )
    # What is inside decides: a workbook that somebody renamed to .csv is still one.
    is_workbook = ending == ".xlsx" or content.startswith(_ZIP)
    lines = islice(_xlsx(content) if is_workbook else _csv(content), MOST_ROWS * 2)
    return _table(name, lines, wanted)


def check_size(name: str, size: int) -> None:
    """Raises Unreadable for a file with nothing or far too much in it."""
    if size > MOST_BYTES:
        raise Unreadable(f"{name} has more than {MOST_BYTES // 1024**2} MB. Split it in parts.")
    if not size:
        raise Unreadable(f"{name} is empty.")


def unpacked_size(content: bytes) -> int:
    """How many bytes there are to read: of a workbook, those of its parts when unpacked."""
    if not content.startswith(_ZIP):
        return len(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return len(content)


def bytes_of(file: Path) -> bytes:
    """The file's content. Raises Unreadable for one that is missing, empty or far too large."""
    try:
        check_size(file.name, file.stat().st_size)
        content = file.read_bytes()
    except OSError as fault:
        raise Unreadable(f"{file} can't be read: {fault.strerror or fault}.") from None
    return content


def text_of(content: bytes) -> str:
    """The text, whichever of the usual encodings it is in."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a table and return its number of rows. Raises Unreadable for a name or place that
    can't be written; what was there before stays until the new file is whole."""
    makers = {".csv": as_csv, ".xlsx": as_xlsx}
    make = makers.get(file.suffix.lower())
    if make is None:
        raise Unreadable(f"{file.name} ends in {file.suffix or 'nothing'}. Name it .csv or .xlsx.")
    kept = list(rows)
    draft = file.with_name(f".{file.name}.part")
    try:
        draft.write_bytes(make(columns, kept))
        draft.replace(file)
    except OSError as fault:
        raise Unreadable(f"{file} can't be written: {fault.strerror or fault}.") from None
    return len(kept)


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with the mark by which Excel knows it."""
    return b"".join(csv_parts(columns, rows))


def csv_parts(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """As ``as_csv``, in parts of some hundred rows."""
    text = io.StringIO()
    writer = csv.writer(text)
    yield codecs.BOM_UTF8
    writer.writerow(columns)
    for number, row in enumerate(rows, 1):
        writer.writerow([safe(cell) for cell in row])
        if number % ROWS_A_PART == 0:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    part = text.getvalue()
    text.seek(0)
    text.truncate()
    return part.encode()


def as_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Roster")
    sheet.append(list(columns))
    for row in rows:
        sheet.append([safe(cell) for cell in row])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def time(moment: datetime | None) -> Cell:
    """A time as files tell it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def safe(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula: a text that begins like one gets a ' before.

    Reference: https://owasp.org/www-community/attacks/CSV_Injection
    """
    if not isinstance(cell, str):
        return cell
    text = _UNSTORABLE.sub("", cell)
    return f"'{text}" if _FORMULA.match(text) else text


def _plain(cell: Any) -> str:
    """The cell's text; the ' that ``safe`` put before is taken off again."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip()
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text


def _csv(content: bytes) -> Iterator[list[str]]:
    text = text_of(content).replace("\x00", "")
    heading = next((line.strip("\r\n") for line in io.StringIO(text) if line.strip()), "")
    if heading.lower().startswith("sep=") and len(heading) == 5:
        text, mark = text.split(heading, 1)[1], heading[4]
    else:
        mark = max(",;\t", key=heading.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    except csv.Error as fault:
        raise Unreadable(f"This CSV can't be read: {fault}.") from None


def _xlsx(content: bytes) -> Iterator[list[Any]]:
    if unpacked_size(content) > MOST_UNPACKED:
        raise Unreadable("This .xlsx unpacks to far too much. Save only the roster, as .csv.")
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # a sheet may declare a million empty rows
        # a row with one cell far to the right would be filled up to there
        for line in sheet.iter_rows(max_col=MOST_COLUMNS * 2, values_only=True):
            yield list(line)
    except Exception:  # noqa: BLE001  a broken workbook can break the reader in any way
        raise Unreadable("This .xlsx can't be read. Save it again as .xlsx or .csv.") from None


def _table(name: str, lines: Iterable[Sequence[Any]], wanted: Sequence[str]) -> Table:
    """Its lines are read one by one, so that what is not kept takes no memory."""
    numbered = iter(enumerate(lines, 1))
    columns = _columns(name, numbered, wanted)
    rows: list[Row] = []
    size = 0
    for number, line in numbered:
        texts = [_plain(cell) for cell in line[: len(columns)]]
        if not any(texts):
            continue
        rows.append(Row(number, {c: text for c, text in zip(columns, texts, strict=False) if c}))
        size += sum(map(len, texts))
        if len(rows) > MOST_ROWS:
            raise Unreadable(f"{name} has more than {MOST_ROWS:,} rows. Split it in parts.")
        if size > MOST_TEXT:
            raise Unreadable(f"{name} has far too much text. Keep the template's columns only.")
    return Table(tuple(filter(None, columns)), tuple(rows))


def _columns(
    name: str, lines: Iterable[tuple[int, Sequence[Any]]], wanted: Sequence[str]
) -> tuple[str, ...]:
    """The headings, which are the first line that has any; "" where a column has none."""
    headings = (tuple(_plain(cell).lower() for cell in line) for _, line in lines)
    columns = next(filter(any, headings), ())
    if not columns:
        raise Unreadable(f"{name} is empty.")
    named = [column for column in columns if column]
    if len(named) > MOST_COLUMNS:
        raise Unreadable(
            f"{name} has more than {MOST_COLUMNS} columns. Keep those of the template."
        )
    twice = {column for column in named if named.count(column) > 1}
    if twice:
        raise Unreadable(f"{name} has the column {', '.join(sorted(twice))} twice.")
    if not set(wanted) & set(named):
        found = "".join(sign for sign in ", ".join(named) if sign.isprintable())[:120]
        raise Unreadable(
            f"{name} has no column {wanted[0]}. The first row names the columns; found: {found}."
        )
    return columns
