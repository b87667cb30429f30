"""How the import commands run and what they print."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Protocol

from django.core.management.base import BaseCommand, CommandError

from socials.imports import Report, RowResult
from socials.spreadsheets import Unreadable


class Import(Protocol):
    def __call__(self, file: Path, *, dry_run: bool = False) -> Report: ...


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="tell the outcomes, write nothing")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(command: BaseCommand, importer: Import, options: dict[str, Any]) -> None:
    """Import and report. Rows that failed are in the report; only a wrong file is an error (2)."""
    try:
        report = importer(options["file"], dry_run=options["dry_run"])
    except Unreadable as refusal:
        raise CommandError(str(refusal), returncode=2) from None
    if report.ignored:
        command.stderr.write(f"Columns left out: {', '.join(report.ignored)}.")
    if options["json"]:
        command.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        return
    for row in report.rows:
        command.stdout.write(_line(row))
    counts = ", ".join(f"{number:,} {outcome}" for outcome, number in report.counts.items())
    command.stdout.write(f"{counts}.{' Nothing was written.' if options['dry_run'] else ''}")


def _line(row: RowResult) -> str:
    faults = "; ".join(f"{column}: {' '.join(texts)}" for column, texts in row.errors.items())
    return f"{row.row:>6}  {row.outcome:<9}  {row.name}{f'  ({faults})' if faults else ''}"
