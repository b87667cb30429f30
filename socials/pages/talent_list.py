"""The talent list: search, filters, paging, and the states that keep themselves fresh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from socials import queries
from socials.pages.shell import fragment, page, wants_fragment
from socials.queries import ORDERINGS, STALE_HOURS, SYNCED, RosterFilter, RosterRow
from talent.models import User
from talent.pages.access import staff_page
from talent.roles import Role
from talent.templatetags.marks import PLATFORM_NAMES

SIZES = (50, 25, 100, 500)
"""Rows of a page; the first is the usual number."""
MOST_VISIBLE = 500
STATES = {
    "ready": "Connected",
    "syncing": "Syncing",
    "pending": "Pending",
    "error": "Error",
    "reauth": "Reconnect",
    "attention": "Needs attention",
}
STATUSES = {"active": "Active", "archived": "Archived", "all": "All"}
SORTS = {
    "name": "Name",
    "-followers": "Total audience",
    "-created": "Newest",
    "synced": "Oldest sync first",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a filter."""

    value: str
    label: str
    chosen: bool


def wanted_of(request: HttpRequest) -> tuple[RosterFilter, int, int]:
    """The filter, page and size of the address; what makes no sense there is left out."""
    asked = request.GET
    user = request.user
    manager = asked.get("manager", "")
    size = _number(asked.get("size"))
    wanted = RosterFilter(
        search=asked.get("q", "").replace("\x00", "").strip()[:100],
        platform=_one_of(asked.get("platform", ""), SYNCED),
        state=_one_of(asked.get("state", ""), STATES),
        manager=user.pk if manager == "me" else _number(manager),
        status=_one_of(asked.get("status", ""), STATUSES) or "active",
        stale_hours=STALE_HOURS if asked.get("stale") else None,
        ordering=_one_of(asked.get("sort", ""), ORDERINGS) or "name",
    )
    return wanted, _number(asked.get("page")) or 1, size if size in SIZES else SIZES[0]


def _one_of(value: str, known: Any) -> str:
    return value if value in known else ""


def _number(text: str | None) -> int | None:
    # 18 digits always fit the database's bigint
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


@staff_page
def talent_list(request: HttpRequest) -> HttpResponse:
    wanted, number, size = wanted_of(request)
    found = queries.roster_page(wanted, page=number, size=size)
    context: dict[str, Any] = {
        "found": found,
        "wanted": wanted,
        "poll": poll_of(found.rows),
        "sorts": _sort_links(wanted, size),
        "previous": _address(wanted, size, found.page - 1) if found.page > 1 else "",
        "next": _address(wanted, size, found.page + 1) if found.page < found.pages else "",
        "remedies": _remedies(wanted, size) if not found.rows else [],
    }
    if wants_fragment(request):
        return fragment(request, "socials/_list.html", **context)
    return page(
        request,
        "socials/talent_list.html",
        here=_view_of(request, wanted),
        platforms=_choices({p: PLATFORM_NAMES[p] for p in SYNCED}, wanted.platform),
        states=_choices(STATES, wanted.state),
        statuses=_choices(STATUSES, wanted.status),
        orderings=_choices(SORTS, wanted.ordering),
        managers=_choices(_managers(), str(wanted.manager or "")),
        size=size if size != SIZES[0] else "",
        **context,
    )


@staff_page
def talent_list_live(request: HttpRequest) -> HttpResponse:
    """One poll for all rows that are in view: their state cells, or 204 when none changed."""
    ids = [n for n in map(_number, request.GET.get("ids", "").split(",")) if n][:MOST_VISIBLE]
    version = _version(ids)
    if version == request.GET.get("version"):
        return HttpResponse(status=204)
    rows = queries.roster_rows(ids)
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
    return f"{queries.roster_version(ids)}-{timezone.now():%H%M}"


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


def _address(wanted: RosterFilter, size: int, number: int = 1) -> str:
    parts = {
        "q": wanted.search,
        "platform": wanted.platform,
        "state": wanted.state,
        "manager": wanted.manager or "",
        "status": wanted.status if wanted.status != "active" else "",
        "stale": wanted.stale_hours or "",
        "sort": wanted.ordering if wanted.ordering != "name" else "",
        "size": size if size != SIZES[0] else "",
        "page": number if number > 1 else "",
    }
    query = urlencode({name: value for name, value in parts.items() if value})
    return f"/?{query}" if query else "/"


def _sort_links(wanted: RosterFilter, size: int) -> dict[str, str]:
    return {
        "name": _address(replace(wanted, ordering="name"), size),
        "followers": _address(replace(wanted, ordering="-followers"), size),
        "synced": _address(replace(wanted, ordering="synced"), size),
    }


def _remedies(wanted: RosterFilter, size: int) -> list[tuple[str, str]]:
    """For an empty answer: each filter that is on, and the address without it."""
    plain = RosterFilter()
    on = [
        (f"“{wanted.search}”", "search"),
        (PLATFORM_NAMES.get(wanted.platform, ""), "platform"),
        (STATES.get(wanted.state, ""), "state"),
        ("Manager", "manager"),
        (STATUSES[wanted.status], "status"),
        ("Older than 24 h", "stale_hours"),
    ]
    return [
        (label, _address(replace(wanted, **{name: getattr(plain, name)}), size))
        for label, name in on
        if getattr(wanted, name) != getattr(plain, name)
    ]
