"""``manage.py prepare``: all that a start needs of the database and the disk."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from config import static
from socials import cast
from talent.models import User


class Command(BaseCommand):
    help = "Apply migrations and collect static files; run it before a start."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="and load the demo roster if it never was"
        )

    def handle(self, *args: Any, demo: bool, verbosity: int, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=verbosity)
        static.collect()
        # Once: who has taken people off the demo roster does not want them back at each start.
        if demo and not User.objects.filter(username=cast.MANAGER.username).exists():
            call_command("demo", verbosity=verbosity)
