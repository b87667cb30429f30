"""Queue a sync of many connections, and watch it."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from socials import connections, platforms
from socials.models import Connection, Platform, Priority, SyncStatus, Trigger
from socials.models.states import LIMITS

LOOK_SECONDS = 0.3
MOVING = (SyncStatus.PENDING, SyncStatus.SYNCING)


class Command(BaseCommand):
    help = "Queues a sync of connections; with --wait it watches them until each has ended or waits for a limit's end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--talent", type=int, action="extend", nargs="+", metavar="ID")
        parser.add_argument("--platform", type=str.upper, choices=Platform.values, metavar="P")
        parser.add_argument("--all", action="store_true", help="every connection")
        parser.add_argument("--wait", action="store_true", help="watch until each has ended")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        ids = self._choose(options)
        connections.request_syncs(
            Connection.objects.filter(pk__in=ids), trigger=Trigger.MANUAL, priority=Priority.PUSH
        )
        if options["wait"]:
            self._watch(ids)
        outcome = _outcome(ids)
        if options["json"]:
            self.stdout.write(json.dumps(outcome))
        elif options["wait"]:
            self.stdout.write(_sentence(outcome))
            for failed in outcome["errors"]:
                self.stdout.write(f"  connection {failed['id']}: {failed['errorCode']}")
        else:
            self.stdout.write(f"{outcome['total']} connections queued.")
        if options["wait"] and outcome["error"]:
            sys.exit(1)

    def _choose(self, options: dict[str, Any]) -> list[int]:
        if not (options["talent"] or options["platform"] or options["all"]):
            raise CommandError(
                "Say which: --talent ID, --platform instagram, or --all.", returncode=2
            )
        rows = Connection.objects.filter(platform__in=platforms.synced())
        if options["talent"]:
            rows = rows.filter(talent__in=options["talent"])
        if options["platform"]:
            rows = rows.filter(platform=options["platform"])
        return list(rows.values_list("pk", flat=True))

    def _watch(self, ids: Sequence[int]) -> None:
        bar = Progress(
            TextColumn("Syncing"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        with bar:
            task = bar.add_task("sync", total=len(ids))
            while moving := _moving(ids):
                bar.update(task, completed=len(ids) - moving)
                time.sleep(LOOK_SECONDS)
            bar.update(task, completed=len(ids))


def _moving(ids: Sequence[int]) -> int:
    """How many have not ended. One that waits for its platform's limit may do so for a day."""
    rows = Connection.objects.filter(pk__in=ids, sync_status__in=MOVING)
    return rows.exclude(sync_status=SyncStatus.PENDING, error_code__in=LIMITS).count()


def _sentence(outcome: dict[str, Any]) -> str:
    told = f"{outcome['total']} connections: {outcome['ready']} ready, {outcome['error']} failed"
    if waiting := outcome["pending"]:
        verb, whose = ("waits", "its") if waiting == 1 else ("wait", "their")
        told += f", {waiting} {verb} for the end of {whose} platform's limit"
    return f"{told}."


def _outcome(ids: Sequence[int]) -> dict[str, Any]:
    rows = Connection.objects.filter(pk__in=ids)
    by_status = dict(rows.order_by().values_list("sync_status").annotate(Count("pk")))
    failed = rows.filter(sync_status=SyncStatus.ERROR).order_by("pk")
    return {
        "total": sum(by_status.values()),
        "ready": by_status.get(SyncStatus.READY, 0),
        "error": by_status.get(SyncStatus.ERROR, 0),
        "pending": sum(by_status.get(status, 0) for status in MOVING),
        "errors": [
            {"id": pk, "errorCode": code} for pk, code in failed.values_list("pk", "error_code")
        ],
    }
