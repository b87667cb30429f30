"""Revoke API tokens by name, or one by its secret: refused from the next request on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from talent import tokens


class Command(BaseCommand):
    help = "Revoke the API tokens of this name, or the one token given."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name_or_token")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            revoked = tokens.revoke(options["name_or_token"])
        except tokens.Refused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"{revoked} token{'' if revoked == 1 else 's'} revoked.")
