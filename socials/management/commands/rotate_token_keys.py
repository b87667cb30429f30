"""``manage.py rotate_token_keys``: encrypt every stored secret with the first key."""

from __future__ import annotations

import time
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from socials import rotation


class Command(BaseCommand):
    help = (
        "Encrypts every stored token and secret with the first of TOKEN_ENCRYPTION_KEYS. Run it "
        "after putting a new key first; then the old ones can go."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        total = done = 0
        console = Console(stderr=True)
        with Progress(console=console, disable=not console.is_terminal) as progress:
            total = rotation.count()
            bar = progress.add_task("Encrypting anew", total=total)
            try:
                for rows in rotation.rotate():
                    done += rows
                    progress.update(bar, completed=done)
            except ImproperlyConfigured as fault:
                raise CommandError(f"{fault} {done} of {total} rows were done.") from None
        self.stdout.write(f"{done} rows encrypted anew in {time.monotonic() - began:.1f} s.")
