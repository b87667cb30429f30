"""Is the queue healthy? One line and exit 1 when it is not, for monitors and process managers."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import F, Min
from django.db.models.functions import Now

from socials.models import Connection, Worker
from socials.sync import workers

HEARTBEAT = timedelta(seconds=30)


class Command(BaseCommand):
    help = "Exits 1, with one line that says why, when the queue is not healthy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--max-age", type=float, default=120, metavar="S", help="seconds a due sync may wait"
        )
        parser.add_argument(
            "--max-depth", type=int, default=5000, metavar="N", help="syncs that may be due at once"
        )
        parser.add_argument(
            "--here", action="store_true", help="ask only whether a worker of this host is alive"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["here"]:
            self._here()
            return
        due = Connection.objects.all().due()
        depth = due.count()
        waited = due.aggregate(oldest=Min(F("next_attempt_at") - Now()))["oldest"] or timedelta()
        age = max(0.0, -waited.total_seconds())
        faults = []
        if not Worker.objects.filter(heartbeat_at__gte=Now() - HEARTBEAT).exists():
            faults.append(f"no worker has been alive for {HEARTBEAT.seconds} seconds")
        if age > options["max_age"]:
            faults.append(f"the oldest due sync waits for {age:.0f} seconds")
        if depth > options["max_depth"]:
            faults.append(f"{depth} syncs are due")
        if lost := Connection.objects.all().expired().count():
            faults.append(f"{lost} syncs are past their lease")
        if faults:
            self.stdout.write(f"Queue unhealthy: {'; '.join(faults)}.")
            sys.exit(1)
        self.stdout.write(f"Queue healthy: {depth} due, the oldest for {age:.0f} seconds.")

    def _here(self) -> None:
        """For a container's own health: what the queue waits for may be somebody else's fault."""
        mine = Worker.objects.filter(
            id__startswith=f"{workers.host()}:", heartbeat_at__gte=Now() - HEARTBEAT
        ).count()
        if not mine:
            self.stdout.write(
                f"No worker of this host has been alive for {HEARTBEAT.seconds} seconds."
            )
            sys.exit(1)
        self.stdout.write(f"{mine} workers of this host are alive.")
