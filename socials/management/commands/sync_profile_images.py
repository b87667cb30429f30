"""Refresh talents' photos now: the daily job by hand."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track

from socials.images.due import due
from socials.images.pick import Picked, refresh_many
from talent.models import Talent


class Command(BaseCommand):
    help = "Refresh talents' photos. Exit 0: nothing failed; 1: some failed; 2: bad arguments."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--talent", type=int, nargs="+", metavar="ID", default=[])
        parser.add_argument("--limit", type=int, default=settings.PROFILE_IMAGE_DAILY_LIMIT)
        parser.add_argument("--force", action="store_true", help="also those looked at recently")
        parser.add_argument("--min-hours", type=float, default=settings.PROFILE_IMAGE_MIN_HOURS)
        parser.add_argument("--dry-run", action="store_true", help="only tell whose turn it is")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def handle(self, **options: Any) -> None:
        _check(options)
        ids = due(
            limit=options["limit"],
            min_hours=options["min_hours"],
            force=options["force"],
            talent_ids=options["talent"],
        )
        if options["dry_run"]:
            self._tell_due(ids, as_json=options["json"])
            return
        console = Console(stderr=True)
        picked = refresh_many(ids, force=options["force"])
        seen = list(
            track(
                picked, "Photos", total=len(ids), console=console, disable=not console.is_terminal
            )
        )
        summary = _summary(seen)
        # Who was named and was looked at recently is left out too.
        summary["skipped"] += len(set(options["talent"]) - set(ids))
        self.stdout.write(json.dumps(summary) if options["json"] else _words(summary))
        if summary["failed"]:
            sys.exit(1)

    def _tell_due(self, ids: list[int], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"dryRun": True, "due": ids, "total": len(ids)}))
            return
        for talent in Talent.objects.filter(pk__in=ids).order_by("name"):
            self.stdout.write(f"{talent.pk}  {talent.name}")
        photos = "1 photo" if len(ids) == 1 else f"{len(ids)} photos"
        self.stdout.write(f"{photos} would be looked at.")


def _check(options: dict[str, Any]) -> None:
    if options["limit"] < 1:
        raise CommandError("--limit must be at least 1, for example --limit 200", returncode=2)
    if options["min_hours"] < 0:
        raise CommandError("--min-hours can't be negative, for example 24", returncode=2)
    known = set(Talent.objects.filter(pk__in=options["talent"]).values_list("pk", flat=True))
    unknown = sorted(set(options["talent"]) - known)
    if unknown:
        names = ", ".join(map(str, unknown))
        raise CommandError(f"--talent: there is no talent with the id {names}", returncode=2)


def _summary(seen: list[Picked]) -> dict[str, Any]:
    counts = Counter(picked.outcome for picked in seen)
    errors = [
        {
            "talentId": picked.talent_id,
            "platform": failure.platform,
            "error": failure.code,
            "message": failure.words,
        }
        for picked in seen
        if picked.outcome == "failed"
        for failure in picked.failed
    ]
    return {
        "successful": counts["successful"],
        "failed": counts["failed"],
        "skipped": counts["skipped"],
        "errors": errors,
    }


def _words(summary: dict[str, Any]) -> str:
    lines = [f"{summary['successful']} successful, {summary['failed']} failed, {summary['skipped']} skipped"]  # fmt: skip
    lines += [
        f"talent {error['talentId']}: {error['platform'].title()}: {error['message']}"
        for error in summary["errors"]
    ]
    return "\n".join(lines)
