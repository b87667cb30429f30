"""``manage.py capabilities``: the page about what each platform tells."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from socials import capabilities


class Command(BaseCommand):
    help = "Print docs/capabilities.md, made of what the platforms declare."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(capabilities.page(), ending="")
