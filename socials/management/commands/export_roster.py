"""``export_roster``: the roster with its latest numbers, as a CSV or XLSX file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socials.exports import export_roster
from socials.spreadsheets import Unreadable
from talent.models import Talent


class Command(BaseCommand):
    help = "Export the active roster with its handles and latest numbers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a .csv or .xlsx file to write")
        parser.add_argument("--all", action="store_true", help="archived talents too")

    def handle(self, *args: Any, **options: Any) -> None:
        talents = Talent.objects.all() if options["all"] else Talent.objects.active()
        try:
            written = export_roster(options["file"], talents)
        except Unreadable as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        self.stdout.write(f"{written:,} talents written to {options['file']}.")
