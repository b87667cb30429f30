"""One worker cluster, guarded: Ctrl-C or SIGTERM lets it finish what it holds."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from socials.management.guard import Guard


class Command(BaseCommand):
    help = (
        "Runs one worker cluster. Several may run, on several machines. SIGTERM or Ctrl-C stops it "
        "when what it holds is finished; a second signal stops it at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        Guard().run()
