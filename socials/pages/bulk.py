"""What a manager does with many talents at once: sync, refresh photos, assign, export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from socials import batches, exports, platforms, rosters
from socials.batches import Progress
from socials.models import Connection, SyncStatus
from socials.models.batch import Batch
from socials.pages.downloads import attachment
from socials.pages.roster_filter import address, wanted_of
from socials.pages.shell import fragment, gone_is_404
from socials.pages.typed import number_of
from talent import roster
from talent.models import Talent, User
from talent.pages.access import actor, manager_action, staff_page
from talent.roles import can_write
from talent.rules import RosterRefused
from talent.templatetags.figures import plural

SHOWN_FOR = timedelta(days=1)
BUSY = (SyncStatus.PENDING, SyncStatus.SYNCING)


@manager_action
def talents_bulk(request: HttpRequest) -> HttpResponseBase:
    """Do one thing with the ticked talents, then go back to the list as it was."""
    wanted, number, size = wanted_of(request)
    do = ACTIONS.get(request.POST.get("do", ""))
    talents = _chosen(request)
    count = talents.count()
    if do is None:
        messages.error(request, "That action isn't known. Reload the page and try again.")
    elif not count:
        messages.error(request, "No talent is selected. Tick at least one, then press the button.")
    elif (answer := do(request, talents, count)) is not None:
        return answer
    return redirect(address(wanted, size, number))


@staff_page
def batch_progress(request: HttpRequest, batch_id: int) -> HttpResponse:
    """How far a batch is; the answer asks again until nothing is left to do."""
    with gone_is_404(Batch.DoesNotExist):
        progress = batches.progress(batch_id)
    told = finished_words(progress) if progress.finished_at else ""
    return fragment(
        request,
        "socials/_batch.html",
        toast=told,
        kind="error" if progress.failed else "ready",
        batch=progress,
    )


def batch_of(request: HttpRequest) -> Progress | None:
    """The newest work that this person began and that still goes on."""
    if not can_write(request.user):
        return None
    began = timezone.now() - SHOWN_FOR
    mine = Batch.objects.filter(
        created_by=actor(request), finished_at=None, started_at__gt=began
    ).values_list("pk", flat=True)
    newest = mine.order_by("-pk").first()
    return batches.progress(newest) if newest else None


def finished_words(progress: Progress) -> str:
    what = "profile,profiles" if progress.kind == Batch.Kind.SYNC else "photo,photos"
    verb = "synced" if progress.kind == Batch.Kind.SYNC else "looked for"
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    return f"{plural(progress.done, what)} {verb}{failed}"


def _chosen(request: HttpRequest) -> QuerySet[Talent]:
    """The ticked rows. All that the filter finds only if every row of the page is ticked, so that
    a row unticked after "Select all" is never done against its reader's will."""
    ids = {number for text in request.POST.getlist("talent") if (number := number_of(text))}
    if request.POST.get("all") and len(ids) == number_of(request.POST.get("shown")):
        return rosters.ordered(wanted_of(request)[0])
    return Talent.objects.filter(pk__in=ids)


def _sync(request: HttpRequest, talents: QuerySet[Talent], count: int) -> None:
    accounts = Connection.objects.filter(
        talent__in=talents.values("pk"), platform__in=platforms.synced()
    )
    busy = accounts.filter(sync_status__in=BUSY).count()
    begun = batches.begin(Batch.Kind.SYNC, talents, actor=actor(request))
    queued = max(0, begun.total - busy)
    if not begun.total:
        messages.error(request, "None of these talents has a profile that can be synced.")
    elif not queued:
        messages.success(request, "Everything is queued already")
    else:
        already = f", {busy:,} queued already" if busy else ""
        messages.success(request, f"{plural(queued, 'profile,profiles')} queued for sync{already}")


def _photos(request: HttpRequest, talents: QuerySet[Talent], count: int) -> None:
    batches.begin(Batch.Kind.PROFILE_IMAGES, talents, force=True, actor=actor(request))
    messages.success(request, f"Refreshing {plural(count, 'photo,photos')}")


def _assign(request: HttpRequest, talents: QuerySet[Talent], count: int) -> None:
    told = request.POST.get("manager", "")
    manager = number_of(told)
    if manager is None and told != "none":
        messages.error(request, "Choose a manager first, then press Assign.")
        return
    try:
        moved = roster.assign_manager(
            list(talents.values_list("pk", flat=True)), manager, actor=actor(request)
        )
    except RosterRefused as refusal:
        messages.error(
            request, " ".join(text for texts in refusal.fields.values() for text in texts)
        )
        return
    whose = str(User.objects.get(pk=manager)) if manager else "nobody"
    messages.success(request, f"{plural(moved, 'talent,talents')} assigned to {whose}")


def _export_csv(request: HttpRequest, talents: QuerySet[Talent], count: int) -> HttpResponseBase:
    return roster_file(talents, "csv")


def _export_xlsx(request: HttpRequest, talents: QuerySet[Talent], count: int) -> HttpResponseBase:
    return roster_file(talents, "xlsx")


ACTIONS: dict[str, Callable[[HttpRequest, QuerySet[Talent], int], HttpResponseBase | None]] = {
    "sync": _sync,
    "photos": _photos,
    "assign": _assign,
    "export": _export_csv,
    "export-xlsx": _export_xlsx,
}


@staff_page
def roster_export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """All that the filter finds, in the list's order, whatever page is shown."""
    return roster_file(rosters.ordered(wanted_of(request)[0]), kind)


def roster_file(talents: QuerySet[Talent], kind: str) -> HttpResponseBase:
    """The talents as a file to keep, the same table as the command writes."""
    name = f"roster-{timezone.localdate():%Y-%m-%d}"
    return attachment(name, kind, exports.columns(), exports.rows(talents))
