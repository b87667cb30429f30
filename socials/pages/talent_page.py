"""A talent's page: overview, activity, settings; its accounts have a room of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from socials import queries, rosters
from socials.pages.connections import dressed, header_or_404, live_of
from socials.pages.overview import audience, latest_posts
from socials.pages.photo import photo_card
from socials.pages.roster_filter import last_wanted
from socials.pages.shell import page
from socials.timeline import SHOWN, Event, sync_records, timeline
from talent import roster
from talent.models import Talent, User
from talent.pages.access import actor, manager_action, staff_page
from talent.roles import can_write
from talent.roster import RosterRefused

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
    return page(
        request,
        "socials/talent_activity.html",
        tab="activity",
        header=header_or_404(talent_id),
        days=by_day(timeline(talent_id, show)),
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


# --- adding and editing ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draft:
    """A talent's fields as they were typed, and what is wrong with each."""

    name: str = ""
    email: str = ""
    tags: str = ""
    location: str = ""
    timezone: str = "UTC"
    bio: str = ""
    manager_id: int | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def typed(cls, sent: Any) -> Draft:
        manager = sent.get("manager", "")
        texts = {name: sent.get(name, "") for name in ("name", "email", "tags", "location", "bio")}
        return cls(
            **texts,
            timezone=sent.get("timezone", "") or "UTC",
            manager_id=int(manager) if manager.isascii() and manager.isdigit() else None,
        )

    @classmethod
    def of(cls, talent: Talent) -> Draft:
        return cls(
            name=talent.name,
            email=talent.email,
            tags=", ".join(talent.tags),
            location=talent.location,
            timezone=talent.timezone,
            bio=talent.bio,
            manager_id=talent.manager_id,
        )

    def fields(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "email": self.email,
            "tags": self.tags.split(","),
            "location": self.location,
            "timezone": self.timezone,
            "bio": self.bio,
            "manager_id": self.manager_id,
        }

    def refused(self, fault: RosterRefused) -> Draft:
        said = {name: " ".join(texts) for name, texts in fault.fields.items()}
        return Draft(
            self.name, self.email, self.tags, self.location, self.timezone, self.bio,
            self.manager_id, said,
        )  # fmt: skip


@staff_page
def talent_new(request: HttpRequest) -> HttpResponse:
    person = actor(request)
    if not can_write(person):
        return redirect("talent-list")
    if request.method != "POST":
        return _draft_page(request, Draft(manager_id=person.pk))
    draft = Draft.typed(request.POST)
    try:
        talent = roster.add(**draft.fields(), actor=person)
    except RosterRefused as fault:
        return _draft_page(request, draft.refused(fault), status=422)
    messages.success(request, f"{talent.name} is on the roster. Now add a profile.")
    return redirect("talent-profiles", talent.pk)


def _draft_page(request: HttpRequest, draft: Draft, *, status: int = 200) -> HttpResponse:
    return page(
        request, "socials/talent_new.html", status=status, draft=draft, people=_people(draft)
    )


@staff_page
def talent_settings(request: HttpRequest, talent_id: int) -> HttpResponse:
    if not can_write(actor(request)):
        return redirect("talent-overview", talent_id)
    header = header_or_404(talent_id)
    if request.method != "POST":
        return _settings_page(request, header, Draft.of(header.talent))
    draft = Draft.typed(request.POST)
    try:
        roster.update(talent_id, actor=actor(request), **draft.fields())
    except RosterRefused as fault:
        return _settings_page(request, header, draft.refused(fault), status=422)
    messages.success(request, "Changes saved")
    return redirect("talent-settings", talent_id)


def _settings_page(
    request: HttpRequest,
    header: queries.TalentHeader,
    draft: Draft,
    *,
    status: int = 200,
    refusal: str = "",
) -> HttpResponse:
    return page(
        request,
        "socials/talent_settings.html",
        photo=photo_card(header.talent),
        status=status,
        tab="settings",
        header=header,
        draft=draft,
        people=_people(draft),
        refusal=refusal,
    )


def _people(draft: Draft) -> list[tuple[int, str, bool]]:
    staff = User.objects.filter(is_active=True, is_staff=True).order_by("first_name", "username")
    return [(person.pk, str(person), person.pk == draft.manager_id) for person in staff]


# --- leaving and coming back -------------------------------------------------------------------


@manager_action
def talent_archive(request: HttpRequest, talent_id: int) -> HttpResponse:
    try:
        talent = roster.archive(talent_id, actor=actor(request))
    except Talent.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"{talent.name} is archived. Nothing was deleted.")
    return redirect("talent-overview", talent_id)


@manager_action
def talent_restore(request: HttpRequest, talent_id: int) -> HttpResponse:
    try:
        talent = roster.restore(talent_id, actor=actor(request))
    except Talent.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"{talent.name} is back on the roster")
    return redirect("talent-overview", talent_id)


@manager_action
def talent_delete(request: HttpRequest, talent_id: int) -> HttpResponse:
    """Only with the name typed out."""
    header = header_or_404(talent_id)
    name = header.talent.name
    if " ".join(request.POST.get("confirm", "").split()) != name:
        draft = Draft.of(header.talent)
        refusal = f"Type the whole name, {name}, to delete."
        return _settings_page(request, header, draft, status=422, refusal=refusal)
    try:
        roster.delete(talent_id, actor=actor(request))
    except Talent.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"{name} is deleted, with all numbers")
    return redirect("talent-list")
