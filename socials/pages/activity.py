"""Who did what, over the whole house: filtered, page by page, and as a file."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from socials.pages.downloads import as_file
from socials.pages.shell import page
from socials.pages.talent_list import Choice
from socials.pages.talent_page import by_day
from socials.spreadsheets import safe
from socials.timeline import deeds
from talent.api.paging import page_or_first
from talent.models import Activity, Talent, User
from talent.models.activity import SYSTEM, ActivityQuerySet
from talent.pages.access import staff_page

ROWS = 60
MOST_EXPORTED = 100_000
NOUNS = {
    "connection": "Accounts",
    "talent": "Talents",
    "profile_image": "Photos",
    "invite": "Invites",
    "grant": "Permissions",
    "batch": "Batches",
    "roster": "Imports",
    "token": "API tokens",
    "webhook": "Webhooks",
    "second_factor": "Second factors",
}
COLUMNS = ("at", "actor", "action", "talent_id", "talent", "object", "details")


@staff_page
def activity(request: HttpRequest) -> HttpResponse:
    wanted = _wanted(request)
    found = page_or_first(_events(wanted), by="-at", cursor=request.GET.get("cursor"), limit=ROWS)
    talents = _talents(found.rows)
    days = [
        (day, [(event, talents.get(event.talent_id)) for event in events])
        for day, events in by_day(deeds(found.rows))
    ]
    query = {name: value for name, value in wanted.items() if value}
    return page(
        request,
        "socials/activity.html",
        here="activity",
        days=days,
        wanted=wanted,
        people=_people(wanted["actor"]),
        nouns=[Choice(noun, label, noun == wanted["action"]) for noun, label in NOUNS.items()],
        query=urlencode(query),
        older=urlencode({**query, "cursor": found.next}) if found.next else "",
        is_later="cursor" in request.GET,
    )


@staff_page
def activity_export(request: HttpRequest) -> HttpResponseBase:
    """The same entries as CSV, newest first, in which no cell is a formula."""
    events = _events(_wanted(request)).order_by("-at", "-id")[:MOST_EXPORTED]
    response = StreamingHttpResponse(_csv(events), content_type="text/csv; charset=utf-8")
    return as_file(response, f"activity-{timezone.now():%Y-%m-%d}.csv")


def _wanted(request: HttpRequest) -> dict[str, str]:
    """The filters; one that means nothing counts as not given."""
    actor, action = request.GET.get("actor", ""), request.GET.get("action", "")
    return {
        "talent": " ".join(request.GET.get("talent", "").replace("\x00", "").split())[:100],
        "actor": actor if actor == SYSTEM or re.fullmatch(r"[0-9]{1,18}", actor) else "",
        "action": action if action in NOUNS else "",
    }


def _events(wanted: dict[str, str]) -> ActivityQuerySet:
    events = Activity.objects.of(actor=wanted["actor"] or None, action=wanted["action"] or None)
    if name := wanted["talent"]:
        events = events.filter(talent_id__in=Talent.objects.filter(name__icontains=name))
    return events


def _talents(rows: Iterable[Activity]) -> dict[int | None, Talent]:
    ids = {row.talent_id for row in rows if row.talent_id is not None}
    return dict(Talent.objects.only("pk", "name").in_bulk(ids))


def _people(chosen: str) -> list[Choice]:
    staff = User.objects.filter(is_staff=True).order_by("first_name", "username")
    people = [(SYSTEM, "Greenroom"), *((str(person.pk), str(person)) for person in staff)]
    return [Choice(value, label, value == chosen) for value, label in people]


class _Echo:
    """A file that hands each line straight on."""

    def write(self, line: str) -> str:
        return line


def _csv(events: Iterable[Activity]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(COLUMNS)
    names: dict[int, str] = dict(Talent.objects.values_list("pk", "name"))
    for event in events:
        cells = (
            event.at.isoformat(),
            event.actor_name or "Greenroom",
            event.action,
            event.talent_id,
            names.get(event.talent_id or 0, ""),
            event.object,
            json.dumps(event.details, ensure_ascii=False) if event.details else "",
        )
        yield writer.writerow([safe(cell) for cell in cells])
