"""The talent list: search, filters, paging, and the states that keep themselves fresh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from socials import platforms, queries, rosters
from socials.pages.bulk import batch_of
from socials.pages.roster_filter import (
    SIZES,
    STATES,
    STATUSES,
    address,
    remember,
    wanted_of,
)
from socials.pages.shell import fragment, page, wants_fragment
from socials.pages.typed import number_of
from socials.rosters import RosterFilter, RosterRow
from talent.models import User
from talent.pages.access import staff_page
from talent.roles import Role
from talent.templatetags.marks import PLATFORM_NAMES

MOST_VISIBLE = 500
SORTS = {
    "name": "Name",
    "-followers": "Total audience",
    "-growth": "Growth, 30 days",
    "-created": "Newest",
    "synced": "Oldest sync first",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a filter."""

    value: str
    label: str
    chosen: bool


@staff_page
def talent_list(request: HttpRequest) -> HttpResponse:
    wanted, number, size = wanted_of(request)
    found = rosters.roster_page(wanted, page=number, size=size)
    context: dict[str, Any] = {
        "found": found,
        "wanted": wanted,
        "poll": poll_of(found.rows),
        "sorts": _sort_links(wanted, size),
        "previous": address(wanted, size, found.page - 1) if found.page > 1 else "",
        "next": address(wanted, size, found.page + 1) if found.page < found.pages else "",
        "filter": address(wanted, size).removeprefix("/"),
        "bulk": address(wanted, size, found.page).removeprefix("/"),
        "people": _managers(),
        "batch": batch_of(request),
        "remedies": _remedies(wanted, size) if not found.rows else [],
    }
    response = _answer(request, wanted, size, context)
    remember(response, wanted, size, found.page)
    return response


def _answer(
    request: HttpRequest, wanted: RosterFilter, size: int, context: dict[str, Any]
) -> HttpResponse:
    if wants_fragment(request):
        return fragment(request, "socials/_list_found.html", **context)
    return page(
        request,
        "socials/talent_list.html",
        here=_view_of(request, wanted),
        platforms=_choices(
            {name: platforms.get(name).name for name in platforms.synced()}, wanted.platform
        ),
        states=_choices(STATES, wanted.state),
        statuses=_choices(STATUSES, wanted.status),
        orderings=_choices(SORTS, wanted.ordering),
        managers=_choices(context["people"], str(wanted.manager or "")),
        size=size if size != SIZES[0] else "",
        **context,
    )


@staff_page
def talent_list_live(request: HttpRequest) -> HttpResponse:
    """One poll for all rows that are in view: their state cells, or 204 when none changed."""
    ids = [n for n in map(number_of, request.GET.get("ids", "").split(",")) if n][:MOST_VISIBLE]
    version = _version(ids)
    if version == request.GET.get("version"):
        return HttpResponse(status=204)
    rows = rosters.roster_rows(ids)
    return fragment(
        request,
        "socials/_list_live.html",
        rows=rows,
        poll=_poll(ids, version, rows),
        attention=queries.attention(),
        frame=None,
    )


@dataclass(frozen=True, slots=True)
class Poll:
    """The element that asks again: what it watches, what it has seen, and how soon it asks."""

    ids: str
    version: str
    seconds: int


def poll_of(rows: tuple[RosterRow, ...]) -> Poll:
    ids = [row.id for row in rows]
    return _poll(ids, _version(ids), list(rows))


def _poll(ids: list[int], version: str, rows: list[RosterRow]) -> Poll:
    moving = any(row.moves for row in rows)
    return Poll(",".join(map(str, ids)), version, 2 if moving else 10)


def _version(ids: list[int]) -> str:
    """The rows' version, and the minute: "12 min ago" grows old without any row changing."""
    return f"{rosters.roster_version(ids)}-{timezone.now():%H%M}"


def _view_of(request: HttpRequest, wanted: RosterFilter) -> str:
    if request.GET.get("manager") == "me":
        return "mine"
    if wanted.stale_hours:
        return "stale"
    return "attention" if wanted.state == "attention" else "talents"


def _choices(options: dict[str, str], chosen: str) -> list[Choice]:
    return [Choice(value, label, value == chosen) for value, label in options.items()]


def _managers() -> dict[str, str]:
    people = User.objects.filter(is_active=True, is_staff=True).filter(
        managed_talents__isnull=False
    ) | User.objects.filter(is_active=True, is_staff=True, role=Role.MANAGER)
    return {str(person.pk): str(person) for person in people.distinct().order_by("first_name")}


def _sort_links(wanted: RosterFilter, size: int) -> dict[str, str]:
    return {
        "name": address(replace(wanted, ordering="name"), size),
        "followers": address(replace(wanted, ordering="-followers"), size),
        "growth": address(replace(wanted, ordering="-growth"), size),
        "synced": address(replace(wanted, ordering="synced"), size),
    }


@dataclass(frozen=True, slots=True)
class Remedy:
    """A filter that is on while nothing is found: the list without it, and how many are there."""

    label: str
    address: str
    found: int


def _remedies(wanted: RosterFilter, size: int) -> list[Remedy]:
    """The filter that hurts most first."""
    plain = RosterFilter()
    on = [
        (f"“{wanted.search}”", "search"),
        (PLATFORM_NAMES.get(wanted.platform, ""), "platform"),
        (STATES.get(wanted.state, ""), "state"),
        ("Manager", "manager"),
        (STATUSES[wanted.status], "status"),
        ("Older than 24 h", "stale_hours"),
    ]
    without = [
        (label, replace(wanted, **{name: getattr(plain, name)}))
        for label, name in on
        if getattr(wanted, name) != getattr(plain, name)
    ]
    remedies = [
        Remedy(label, address(less, size), rosters.roster(less).count()) for label, less in without
    ]
    return sorted(remedies, key=lambda remedy: -remedy.found)
