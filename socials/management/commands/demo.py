"""``manage.py demo``: the demo roster and its staff."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from socials import cast, demo


class Command(BaseCommand):
    help = "Load the demo roster and staff users; again and again does no harm."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="also with DEBUG off")

    def handle(self, *args: Any, yes: bool, **options: Any) -> None:
        if not settings.DEBUG and not yes:
            raise CommandError(
                "This adds invented people and users with a known password. "
                "With DEBUG off it wants --yes."
            )
        loaded = demo.load()
        self.stdout.write(
            f"Demo roster: {loaded.talents} talents and {loaded.connections} accounts added."
        )
        for staff in (cast.MANAGER, cast.VIEWER):
            self.stdout.write(f"Sign in as {staff.username} / {cast.PASSWORD} ({staff.role})")
