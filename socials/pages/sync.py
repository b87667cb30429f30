"""The sync dashboard: what waits, what runs, what fails, and how close the limits are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from socials import dashboard
from socials.images.statistics import photo_stats
from socials.models import Worker
from socials.pages.shell import fragment, page, wants_fragment
from socials.queries import LATE, RECONNECT_CODES
from talent.pages.access import staff_page

RUNS = 12


@staff_page
def sync(request: HttpRequest) -> HttpResponse:
    """The whole page, or, asked by its own poll, the parts that move."""
    if wants_fragment(request):
        return fragment(request, "socials/_sync_body.html", swap=True, **_known())
    return page(request, "socials/sync.html", here="sync", **_known())


def _known() -> dict[str, Any]:
    stats = dashboard.queue_stats()
    bands = dashboard.freshness_bands()
    tallest = max((band.accounts for band in bands), default=0)
    accounts = sum(band.accounts for band in bands)
    fresh = sum(platform.freshness.within_target for platform in stats.platforms.values())
    return {
        "stats": stats,
        "accounts": accounts,
        "fresh": fresh,
        "fresh_share": fresh / accounts * 100 if accounts else None,
        "bands": [(band, _height(band.accounts, tallest)) for band in bands],
        "quotas": [
            (platform, level, _share(level.used, level.limit))
            for platform in stats.platforms
            for level in dashboard.quota_levels(platform)
        ],
        "groups": [
            (group, "reauth" if group.cause.code in RECONNECT_CODES else "error")
            for group in dashboard.failing_by_cause(each=10)
        ],
        "failing": sum(stats.errors_by_cause.values()),
        "workers": [(worker, _is_late(worker)) for worker in stats.workers],
        "runs": dashboard.recent_runs(limit=RUNS),
        **_photos(),
        "now": timezone.now(),
        "late_after": int(LATE / timedelta(seconds=1)),
    }


def _photos() -> dict[str, Any]:
    stats = photo_stats()
    oldest = max(age.talents for age in stats.ages)
    most = max(stats.causes.values(), default=0)
    return {
        "photos": stats,
        "daily_photos": settings.PROFILE_IMAGE_DAILY_LIMIT,
        "photo_days": [(day, round(day.rate or 0)) for day in stats.days],
        "photo_causes": [
            (cause, count, _height(count, most)) for cause, count in stats.causes.items()
        ],
        "photo_ages": [(age, _height(age.talents, oldest)) for age in stats.ages],
    }


def _is_late(worker: Worker) -> bool:
    return timezone.now() - worker.heartbeat_at > LATE


def _height(part: int, whole: int) -> int:
    """Percent of the tallest bar; what is there at all is seen."""
    return max(2, round(part / whole * 100)) if part and whole else 0


def _share(used: int, limit: int) -> float:
    return min(100.0, used / limit * 100) if limit else 0.0
