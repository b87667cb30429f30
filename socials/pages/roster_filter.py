"""The filter, the page and the size of the talent list, as its address tells them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict

from socials import platforms
from socials.pages.typed import number_of
from socials.queries import STALE_HOURS
from socials.rosters import ORDERINGS, RosterFilter

COOKIE = "roster"
LONGEST = 1000
SIZES = (50, 25, 100, 500)
"""Rows of a page; the first is the usual number."""
STATES = {
    "ready": "Connected",
    "syncing": "Syncing",
    "pending": "Pending",
    "error": "Error",
    "reauth": "Reconnect",
    "attention": "Needs attention",
}
STATUSES = {"active": "Active", "archived": "Archived", "all": "All"}


def wanted_of(request: HttpRequest) -> tuple[RosterFilter, int, int]:
    """The filter, page and size of the address; what makes no sense there is left out."""
    return _read(request.GET, request)


def last_wanted(request: HttpRequest) -> tuple[RosterFilter, int, int]:
    """Those of the list that this browser looked at last."""
    return _read(QueryDict(request.COOKIES.get(COOKIE, "")[:LONGEST]), request)


def last_address(request: HttpRequest) -> str:
    """The way back to that list."""
    wanted, number, size = last_wanted(request)
    return address(wanted, size, number)


def remember(response: HttpResponse, wanted: RosterFilter, size: int, number: int) -> None:
    """So that a talent's page knows its neighbours in the list, and the way back to it."""
    response.set_cookie(
        COOKIE,
        address(wanted, size, number).partition("?")[2],
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _read(asked: QueryDict, request: HttpRequest) -> tuple[RosterFilter, int, int]:
    user = request.user
    manager = asked.get("manager", "")
    size = number_of(asked.get("size"))
    wanted = RosterFilter(
        search=asked.get("q", "").replace("\x00", "").strip()[:100],
        platform=_one_of(asked.get("platform", ""), platforms.synced()),
        state=_one_of(asked.get("state", ""), STATES),
        manager=user.pk if manager == "me" else number_of(manager),
        status=_one_of(asked.get("status", ""), STATUSES) or "active",
        stale_hours=STALE_HOURS if asked.get("stale") else None,
        ordering=_one_of(asked.get("sort", ""), ORDERINGS) or "name",
    )
    return wanted, number_of(asked.get("page")) or 1, size if size in SIZES else SIZES[0]


def _one_of(value: str, known: Any) -> str:
    return value if value in known else ""


def address(wanted: RosterFilter, size: int, number: int = 1) -> str:
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
