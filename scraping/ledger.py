"""The ledger of paid runs: written by whoever asked, in the thread that owns the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from scraping.meter import RunReport
from scraping.models import ScrapeRun


def record(reports: Iterable[RunReport]) -> None:
    """Write runs down; one that is written already is brought up to date."""
    for report in reports:
        facts = {
            "platform": report.platform,
            "actor": report.actor[:100],
            "handles_asked": report.handles_asked,
            "handles_delivered": report.handles_delivered,
            "items": report.items,
            "cost_usd": report.cost_usd,
            "outcome": report.outcome,
            "error_code": report.error_code,
            "message": report.message,
            "started_at": report.started_at,
            "finished_at": report.finished_at,
            "duration_ms": (report.finished_at - report.started_at) // timedelta(milliseconds=1),
        }
        run_id = report.provider_run_id[:100]
        if run_id:
            ScrapeRun.objects.update_or_create(
                facts, provider=report.provider, provider_run_id=run_id
            )
        else:
            ScrapeRun.objects.create(provider=report.provider, **facts)
