"""The ledger of paid runs: written by whoever asked, in the thread that owns the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from scraping.errors import Failure
from scraping.http import Http, Limits
from scraping.meter import Meter, RunReport
from scraping.models import ScrapeRun
from scraping.providers import PROVIDERS, get
from scraping.providers.base import ScrapeContext

log = structlog.get_logger(__name__)

SETTLED_AFTER = timedelta(seconds=20)
"""Providers go on counting for some seconds after a run's end."""
LOOKED_AT_UNTIL = timedelta(minutes=5)


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


def settle() -> int:
    """Correct the cost of runs that ended a little while ago. How many changed."""
    now = timezone.now()
    recent = ScrapeRun.objects.filter(
        finished_at__gt=now - LOOKED_AT_UNTIL, finished_at__lte=now - SETTLED_AFTER
    ).exclude(provider_run_id="")
    context = ScrapeContext(
        Http(Limits.within(settings.HTTP_TIMEOUT_SECONDS)), settings.PLATFORM_SETTINGS, Meter()
    )
    return sum(_settle(run, context) for run in recent if run.provider in PROVIDERS)


def _settle(run: ScrapeRun, context: ScrapeContext) -> bool:
    try:
        cost = get(run.provider).cost(run.platform, run.provider_run_id, context)
    except Failure as failure:
        log.info("ledger.not_settled", run=run.provider_run_id, code=failure.code)
        return False
    changed = ScrapeRun.objects.filter(pk=run.pk).exclude(cost_usd=cost)
    return cost is not None and bool(changed.update(cost_usd=cost))
