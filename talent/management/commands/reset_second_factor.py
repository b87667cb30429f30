"""``manage.py reset_second_factor USERNAME``: let somebody in who has lost phone and codes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from talent import second_factor
from talent.models import User


class Command(BaseCommand):
    help = "Take a user's second factor away; the next sign-in needs the password only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f'There is no user "{username}".')
        if not second_factor.reset(person):
            raise CommandError(f'The user "{username}" has no second factor.')
        self.stdout.write(f"{username} signs in with the password only, from now on.")
