"""Issue an API token: the secret goes to stdout, alone, and is kept nowhere."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from talent import tokens


class Command(BaseCommand):
    help = "Print a new API token for a user. It is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--create-staff",
            action="store_true",
            help="make a staff user of this name if there is none (no password: token only)",
        )
        parser.add_argument(
            "--role",
            choices=tokens.ROLES,
            help="the new staff user's role; needs --create-staff (default: manager)",
        )
        parser.add_argument("--name", help="what the token is for (default: the username)")
        parser.add_argument("--days", type=int, help="days until it expires (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            secret = tokens.issue(
                options["username"],
                name=options["name"],
                days=options["days"],
                create_staff=options["create_staff"],
                role=options["role"],
            )
        except tokens.Refused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(secret)
