"""``import_roster``: talents and their handles from a CSV or XLSX file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from socials.imports import ROSTER_COLUMNS, import_roster
from socials.management.reports import add_options, run


class Command(BaseCommand):
    help = (
        f"Import a roster. Columns: {', '.join(ROSTER_COLUMNS)} (only name is needed; tags and "
        "several handles with ; between). Rows are numbered as in a spreadsheet."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a .csv or .xlsx file")
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        run(self, import_roster, options)
