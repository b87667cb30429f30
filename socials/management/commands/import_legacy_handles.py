"""``import_legacy_handles``: handles kept by an older system, as manual connections."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from socials.legacy_handles import import_legacy_handles
from socials.management.reports import add_options, run


class Command(BaseCommand):
    help = (
        "Connect the handles of a JSON list or a CSV file of talent (id, slug or exact name), "
        "platform, handle, url. What is invalid is reported; the rest goes in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a .json, .csv or .xlsx file")
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        run(self, import_legacy_handles, options)
