"""What runs in the background for people."""

from __future__ import annotations

import time

import structlog
from django.conf import settings

from scraping import ledger
from scraping.errors import (
    BadResponse,
    Failure,
    Internal,
    PlatformUnavailable,
)
from scraping.http import Http, Limits
from scraping.meter import Meter
from scraping.providers import get_scraping_provider
from scraping.providers.base import ScrapeContext
from scraping.types import ScrapedAccount
from talent import profile

log = structlog.get_logger(__name__)

RETRIED = (PlatformUnavailable, BadResponse, Internal)
RETRY_SECONDS = 30.0
"""No further attempt begins so long after the first: a worker is not held for ever."""


def scrape_creator(user_id: int, handle: str) -> bool:
    """Scrape the TikTok account that a user has linked. False: nobody wants the result."""
    if not profile.begin_scrape(user_id, handle):
        log.info("profile.scrape_dropped", user_id=user_id, handle=handle, before="start")
        return False
    meter = Meter()
    outcome = _scraped(handle, meter)
    ledger.record(meter.runs)
    facts = {"user_id": user_id, "handle": handle, "calls": meter.calls, "cost": meter.cost_usd}
    if isinstance(outcome, Failure):
        kept = profile.save_failure(user_id, handle, outcome)
        log.warning("profile.scrape_failed", **facts, code=outcome.code, detail=outcome.detail)
    else:
        kept = profile.save_scrape(user_id, handle, outcome.profile)
        if kept:
            log.info("profile.scrape_ready", **facts, source=outcome.source)
    if not kept:
        log.info("profile.scrape_dropped", user_id=user_id, handle=handle, before="save")
    return kept


def rescue_scrapes() -> int:
    """Take up scrapes whose job or worker was lost."""
    return profile.rescue_scrapes()


def _scraped(handle: str, meter: Meter) -> ScrapedAccount | Failure:
    """The outcome of the first attempt that a retry can't mend, or of the last one."""
    began_at = time.monotonic()
    outcome: ScrapedAccount | Failure = Internal("no attempt was made")
    for delay in settings.SYNC_RETRY_DELAYS:
        if time.monotonic() - began_at + delay > RETRY_SECONDS:
            break
        time.sleep(delay)
        outcome = _attempt(handle, meter)
        if not isinstance(outcome, RETRIED):
            break
    return outcome


def _attempt(handle: str, meter: Meter) -> ScrapedAccount | Failure:
    context = ScrapeContext(
        http=Http(Limits.within(settings.HTTP_TIMEOUT_SECONDS)),
        settings=settings.PLATFORM_SETTINGS,
        meter=meter,
    )
    try:
        provider = get_scraping_provider()
        outcomes = dict(provider.scrape("TIKTOK", [handle], post_limit=0, context=context))
        return outcomes[handle]
    except Failure as failure:
        return failure
    except Exception as error:
        log.exception("profile.scrape_defect", handle=handle)
        return Internal(f"Something went wrong on our side ({type(error).__name__}).")
