"""Many accounts from the sync dashboard: all, those of a platform, those that fail, or photos."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from socials import batches, platforms
from socials.models import Connection, Platform, SyncStatus
from socials.models.batch import Batch
from socials.models.states import LIMITS
from socials.queries import RECONNECT_CODES
from talent.models import Talent
from talent.pages.access import actor, manager_action
from talent.roles import can_write
from talent.templatetags.figures import plural

AT_REST = (SyncStatus.READY, SyncStatus.ERROR)
KINDS = {"all": "", "errors": "failing "}
"""What can be refreshed beside one platform's profiles, and the word that names it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What would be refreshed, for the question before it is."""

    what: str
    count: int
    words: str
    """ "34 Instagram profiles"."""


@manager_action
def sync_refresh(request: HttpRequest) -> HttpResponse:
    """Begin it, and go back to the dashboard, which shows how far it is."""
    what = request.POST.get("what", "")
    asked = _asked(what)
    if asked is None:
        messages.error(request, "That isn't known. Reload the page and try again.")
    elif not asked.count:
        messages.info(request, "Nothing to do: all of it is queued already.")
    elif what == "photos":
        batches.begin(Batch.Kind.PROFILE_IMAGES, _talents(), actor=actor(request))
        messages.success(request, f"Refreshing {asked.words}")
    else:
        batches.begin_syncs(_accounts(what), actor=actor(request))
        messages.success(request, f"{asked.words} queued for sync")
    return redirect("sync")


def asked_of(request: HttpRequest) -> Asked | None:
    """The question that ``?refresh=`` puts to a manager."""
    return _asked(request.GET.get("refresh", "")) if can_write(request.user) else None


def _asked(what: str) -> Asked | None:
    if what == "photos":
        count = _talents().count()
        return Asked(what, count, plural(count, "photo,photos"))
    if what not in {*KINDS, *platforms.synced()}:
        return None
    count = _accounts(what).count()
    name = KINDS[what] if what in KINDS else f"{Platform(what).label} "
    return Asked(what, count, plural(count, f"{name}profile,{name}profiles"))


def _talents() -> QuerySet[Talent]:
    return Talent.objects.active()


def _accounts(what: str) -> QuerySet[Connection]:
    """Accounts at rest of active talents. Of failing ones, those that trying again may mend."""
    rows = Connection.objects.filter(
        talent__status="active", platform__in=platforms.synced(), sync_status__in=AT_REST
    )
    if what == "errors":
        return rows.filter(sync_status=SyncStatus.ERROR).exclude(
            error_code__in=(*LIMITS, *RECONNECT_CODES)
        )
    return rows.filter(platform=what) if what in platforms.synced() else rows
