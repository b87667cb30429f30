"""A talent's page: overview, activity, settings; its accounts have a room of their own."""

from __future__ import annotations

from datetime import date
from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from socials import rosters
from socials.pages.connections import dressed, header_or_404, live_of
from socials.pages.overview import audience, latest_posts
from socials.pages.roster_filter import last_wanted
from socials.pages.shell import page
from socials.timeline import SHOWN, Event, sync_records, timeline
from talent.pages.access import staff_page

RECENT = 5


@staff_page
def talent_overview(request: HttpRequest, talent_id: int) -> HttpResponse:
    header = header_or_404(talent_id)
    return page(
        request,
        "socials/talent_overview.html",
        tab="overview",
        header=header,
        cards=dressed(header),
        live=live_of(header),
        part="overview",
        posts=latest_posts(talent_id),
        events=timeline(talent_id, most=RECENT),
        **audience(header),
    )


@staff_page
def talent_activity(request: HttpRequest, talent_id: int) -> HttpResponse:
    show = request.GET.get("show", "all")
    show = show if show in SHOWN else "all"
    header = header_or_404(talent_id)
    asked = request.GET.get("profile", "")
    profile = next((card for card in header.cards if str(card.id) == asked), None)
    return page(
        request,
        "socials/talent_activity.html",
        tab="activity",
        header=header,
        days=by_day(timeline(talent_id, show, connection_id=profile.id if profile else None)),
        profile=profile,
        records=sync_records(talent_id),
        show=show,
        shown=SHOWN,
    )


def by_day(events: list[Event]) -> list[tuple[str, list[Event]]]:
    """The events under the names of their days: Today, Yesterday, Monday, 12 January."""
    today = timezone.localdate()
    return [
        (_day_name(day, today), list(group))
        for day, group in groupby(events, key=lambda event: timezone.localdate(event.at))
    ]


def _day_name(day: date, today: date) -> str:
    names = {0: "Today", 1: "Yesterday"}
    name = names.get((today - day).days, f"{day:%A}")
    year = "" if day.year == today.year else f" {day.year}"
    return f"{name}, {day.day} {day:%B}{year}"


TABS = ("overview", "profiles", "intelligence", "activity", "settings")


@staff_page
def talent_beside(request: HttpRequest, talent_id: int, step: int) -> HttpResponse:
    """The next or the previous talent of the list that was looked at last, on the same tab."""
    asked = request.GET.get("tab", "")
    tab = asked if asked in TABS else TABS[0]
    beside = rosters.neighbour(last_wanted(request)[0], talent_id, step)
    if beside is None:
        messages.success(request, f"This is the {'last' if step > 0 else 'first'} of the list")
    return redirect(f"talent-{tab}", beside or talent_id)
