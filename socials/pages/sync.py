"""The sync dashboard: what waits, what runs, what fails, and how close the limits are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from socials import attempts, batches, dashboard, handles
from socials.dashboard import quota_levels
from socials.errors import Action
from socials.images.statistics import photo_stats
from socials.models import Worker
from socials.pages.refresh import asked_of
from socials.pages.shell import fragment, page, wants_fragment
from socials.queries import LATE, RECONNECT_CODES
from socials.quota import Level
from talent.pages.access import staff_page

RUNS = 12
BATCHES = 4
TALLEST = 128
"""Pixels of the longest bar."""
FAIR, GOOD = 90, 98
"""Percent of an hour's syncs below which its bar is red, and amber."""
NEXT_STEPS = {
    Action.WAIT: "Goes on by itself.",
    Action.SYNC: "We keep trying by ourselves.",
    Action.CORRECT: "Correct the handle.",
    Action.INVITE: "Ask the talent to open the account, or to connect it.",
    Action.RECONNECT: "Send the talent a link.",
    Action.CONFIGURE: "An administrator adds the credentials.",
    Action.CHECK: "Check with the talent whose account it is now.",
}


@staff_page
def sync(request: HttpRequest) -> HttpResponse:
    """The whole page, or, asked by its own poll, the parts that move."""
    if wants_fragment(request):
        return fragment(request, "socials/_sync_body.html", swap=True, **_known())
    return page(request, "socials/sync.html", here="sync", asked=asked_of(request), **_known())


def _known() -> dict[str, Any]:
    stats = dashboard.queue_stats()
    bands = dashboard.freshness_bands()
    tallest = max((band.accounts for band in bands), default=0)
    accounts = sum(band.accounts for band in bands)
    fresh = sum(platform.freshness.within_target for platform in stats.platforms.values())
    return {
        "stats": stats,
        "hours": [_bar(place, hour) for place, hour in enumerate(attempts.day().hours)],
        "accounts": accounts,
        "fresh": fresh,
        "fresh_share": fresh / accounts * 100 if accounts else None,
        "bands": [(band, _length(band.accounts, tallest, TALLEST)) for band in bands],
        "quotas": [(platform, _levels(platform)) for platform in stats.platforms],
        "groups": [
            (group, _state_of(group), NEXT_STEPS[group.cause.action])
            for group in dashboard.failing_by_cause(each=10)
        ],
        "failing": sum(stats.errors_by_cause.values()),
        "workers": [(worker, _is_late(worker)) for worker in stats.workers],
        "runs": [
            (
                runs.newest,
                handles.at(runs.newest.platform, runs.newest.connection.handle),
                runs.times,
            )
            for runs in attempts.recent_runs(limit=RUNS)
        ],
        **_photos(),
        **_batches(),
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
            (cause, count, _length(count, most)) for cause, count in stats.causes.items()
        ],
        "photo_ages": [(age, _length(age.talents, oldest)) for age in stats.ages],
    }


def _is_late(worker: Worker) -> bool:
    return timezone.now() - worker.heartbeat_at > LATE


def _length(part: int, whole: int, longest: int = 100) -> int:
    """Of a bar, of the longest; what is there at all is seen."""
    return max(3, round(part / whole * longest)) if part and whole else 0


def _share(used: int, limit: int) -> float:
    return min(100.0, used / limit * 100) if limit else 0.0


def _state_of(group: dashboard.CauseGroup) -> str:
    return "reauth" if group.cause.code in RECONNECT_CODES else "error"


def _levels(platform: str) -> list[tuple[Level, float]]:
    """Each limit with the percent of it that is used, the fullest first."""
    found = [(level, _share(level.used, level.limit)) for level in quota_levels(platform)]
    return sorted(found, key=lambda pair: -pair[1])


def _bar(place: int, hour: attempts.Hour) -> dict[str, Any]:
    """An hour as a bar of a drawing that is 240 wide and 24 high."""
    rate = hour.success_rate
    height = 2.0 if rate is None else max(3.0, rate * 0.24)
    level = "none" if rate is None else "bad" if rate < FAIR else "warn" if rate < GOOD else ""
    return {"x": place * 10, "y": f"{24 - height:.1f}", "height": f"{height:.1f}", "level": level}


def _batches() -> dict[str, Any]:
    """The newest work that still goes on, and the last that ended."""
    found = batches.recent(BATCHES + 1)
    running = next((batch for batch, _ in found if batch.finished_at is None), None)
    return {
        "running": running and (running, batches.progress(running.pk)),
        "ended": [one for one in found if one[0].finished_at][:BATCHES],
    }
