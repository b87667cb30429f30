"""A roster by upload: the file is checked, a person looks at what would become of each row, and
only what is confirmed goes in.

A small file is worked on at once, a large one by a worker. Both steps are one transaction that ends
with the row's next state, so a lost worker leaves nothing half done, and its row is taken up again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import transaction
from django.utils import timezone

from socials import imports, spreadsheets
from socials.imports import ROSTER_COLUMNS, Report, RowResult
from socials.models import RosterImport
from socials.spreadsheets import Cell, Unreadable
from talent.activity import record
from talent.queue import later

if TYPE_CHECKING:
    from talent.models import User

log = structlog.get_logger(__name__)

WORK: Final = "socials.tasks.work_on_import"
AT_ONCE: Final = 128 * 1024
"""So many bytes (about a thousand rows) are worked on while the person waits."""
KEPT: Final = timedelta(days=1)
LEFT: Final = timedelta(minutes=2)
"""After so long without an end, a worker may be lost: another looks."""
MOST_TRIES: Final = 3
TOO_MUCH: Final = "Greenroom gave up on this file. Nothing was imported. Split it and try again."

State = RosterImport.State

EXAMPLES: Final = (
    ("Jane Smith", "jane@example.com", "food; travel", "", "janesmith", "@jane.cooks",
     "https://www.youtube.com/@JaneSmith", "", ""),
    ("Sam Ito", "", "skate", "", "sam.ito; sam.ito.films", "", "", "samito", "sam-ito"),
)  # fmt: skip
"""Rows that show how each column is filled in."""


def check(name: str, content: bytes, *, actor: User | None = None) -> RosterImport:
    """Take a file in and see what would become of its rows. Raises Unreadable for its size."""
    spreadsheets.check_size(name, len(content))
    upload = RosterImport.objects.create(name=name[-200:], content=content, created_by=actor)
    return _go_on(upload)


def confirm(import_id: int, *, actor: User | None = None) -> RosterImport:
    """Import a file that was checked; once, however often it is asked. Raises DoesNotExist."""
    begun = RosterImport.objects.filter(pk=import_id, state=State.CHECKED).update(
        state=State.IMPORTING, created_by=actor, tries=0, updated_at=timezone.now()
    )
    upload = RosterImport.objects.get(pk=import_id)
    return _go_on(upload) if begun else upload


def discard(import_id: int) -> None:
    """Forget a file that is not wanted; one that is being imported goes on."""
    RosterImport.objects.filter(pk=import_id).exclude(state=State.IMPORTING).delete()


def work_on(import_id: int) -> None:
    """Take a file one step further, unless somebody else does so just now."""
    with _held(import_id) as upload:
        if upload is None:
            return
        upload.tries += 1
        upload.save(update_fields=["tries"])
    try:
        with _held(import_id) as upload:
            if upload is not None:
                _step(upload)
    except Exception:
        # Tried again in a while; the transaction has taken back whatever was done.
        log.exception("import.broken", import_id=import_id)


def tend() -> None:
    """Pick up what a lost worker left, and forget what is past its time."""
    now = timezone.now()
    RosterImport.objects.filter(updated_at__lt=now - KEPT).delete()
    left = RosterImport.objects.filter(
        state__in=[State.CHECKING, State.IMPORTING], updated_at__lt=now - LEFT
    )
    for pk in left.values_list("pk", flat=True):
        later(WORK, pk)


@contextmanager
def _held(import_id: int) -> Iterator[RosterImport | None]:
    """The row, locked until the end of the block, if there is something to do and nobody does."""
    waiting = RosterImport.objects.filter(pk=import_id, state__in=[State.CHECKING, State.IMPORTING])
    with transaction.atomic():
        yield waiting.select_for_update(skip_locked=True).first()


def template(manager: str) -> tuple[Sequence[str], list[Sequence[Cell]]]:
    """An example to write over: headings and rows, with somebody who can be a manager."""
    at = ROSTER_COLUMNS.index("manager")
    return ROSTER_COLUMNS, [(*row[:at], manager, *row[at + 1 :]) for row in EXAMPLES]


def _go_on(upload: RosterImport) -> RosterImport:
    if spreadsheets.unpacked_size(bytes(upload.content)) > AT_ONCE:
        later(WORK, upload.pk)
        return upload
    work_on(upload.pk)
    upload.refresh_from_db()
    return upload


def _step(upload: RosterImport) -> None:
    dry_run = upload.state == State.CHECKING
    if upload.tries > MOST_TRIES:
        _end(upload, State.REFUSED, refusal=TOO_MUCH)
        return
    try:
        table = spreadsheets.parse(upload.name, bytes(upload.content), wanted=imports.NEEDED)
    except Unreadable as refusal:
        _end(upload, State.REFUSED, refusal=str(refusal))
        return
    report = imports.import_table(table, dry_run=dry_run, actor=upload.created_by)
    upload.report = [_told(row) for row in report.rows]
    upload.ignored = list(report.ignored)
    if dry_run:
        upload.state = State.CHECKED
        upload.save()
    else:
        _record(upload, report)
        _end(upload, State.IMPORTED)


def _end(upload: RosterImport, state: str, *, refusal: str = "") -> None:
    """Nothing more will be done with the file, so it is dropped."""
    upload.state, upload.refusal, upload.content = state, refusal, b""
    upload.save()


def _told(row: RowResult) -> dict[str, Any]:
    return {
        "row": row.row,
        "outcome": row.outcome,
        "talent_id": row.talent_id,
        "name": row.name[:200],
        "changed": row.changed,
        "faults": [
            {"column": column, "given": row.given.get(column, "")[:120], "text": " ".join(texts)}
            for column, texts in row.errors.items()
        ],
    }


def _record(upload: RosterImport, report: Report) -> None:
    record(
        "roster.imported",
        actor=upload.created_by,
        object=upload.name,
        details=dict(report.counts),
    )
