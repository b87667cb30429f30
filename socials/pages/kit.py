"""The media kit: the public page behind its link."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from socials import handles, kits, thumbnails
from socials.intelligence import kept, summary
from socials.intelligence.types import Intelligence
from socials.models import Connection
from socials.models.kit_link import KitLink, KitMetric
from socials.pages.charts import axis
from socials.pages.intelligence import Line, best_of, lines_of
from talent.api.conditional import etag_of
from talent.buckets import BUCKETS, address_of
from talent.models import Talent
from talent.roles import can_read
from talent.templatetags.figures import NOTHING, compact, percent, signed_percent

DAYS, YEAR = 90, 365
VIEWS_PER_MINUTE = 60
MOST_ACCOUNTS = 6
MOST_BANDS = 3
MOST_POSTS = 4
NUMBERS = (KitMetric.ENGAGEMENT, KitMetric.VIEWS, KitMetric.GROWTH, KitMetric.PACE)
AUDIENCE = frozenset({KitMetric.FOLLOWERS, *NUMBERS})
SECTIONS = {KitMetric.HISTORY: "history", KitMetric.POSTS: "posts"}


@dataclass(frozen=True, slots=True)
class Stat:
    """One account on the kit: its number of followers and the chosen rows, in the chosen order."""

    line: Line
    rows: tuple[tuple[str, str], ...]


@require_safe
def media_kit(request: HttpRequest, token: str) -> HttpResponse:
    """What was chosen for this link, always current. A link that ended is not found."""
    wait = BUCKETS.take(
        f"kit:{address_of(request)}",
        VIEWS_PER_MINUTE,
        time.monotonic(),
    )
    if wait:
        response = render(request, "public/busy.html", status=429)
        response["Retry-After"] = str(int(wait) + 1)
        return _public(response)
    link = kits.find(token)
    if link is None:
        raise Http404
    etag = etag_of(
        (kept.version_of(link.talent_id), thumbnails.version_of(link.talent_id), link.pk, link.metrics, _about(link.talent),
         timezone.now().date(), request.COOKIES.get("theme", ""))
    )  # fmt: skip
    if request.method == "GET" and not can_read(request.user):
        kits.count_view(link)
    if etag.removeprefix("W/") in {
        known.removeprefix("W/") for known in parse_etags(request.headers.get("If-None-Match", ""))
    }:
        response = HttpResponseNotModified()
    else:
        response = render(request, "public/kit.html", _content(link))
    response["ETag"] = etag
    return _public(response)


def _public(response: HttpResponse) -> HttpResponse:
    """Never indexed; kept by a browser, but asked for anew each time, so that an end is an end."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-cache"
    return response


def _about(talent: Talent) -> tuple[Any, ...]:
    manager = talent.manager
    return (
        talent.name, talent.bio, talent.tags, talent.location, talent.shown_image_url,
        (str(manager), manager.email) if manager else (),
    )  # fmt: skip


def _content(link: KitLink) -> dict[str, Any]:
    now = timezone.now()
    talent, chosen = link.talent, list(link.metrics)
    figures = summary.intelligence(talent.pk, days=DAYS)
    known = [line for line in _lines(figures, now) if line.account.followers is not None]
    known = known[:MOST_ACCOUNTS]
    year: list[Line] = []
    if KitMetric.HISTORY in chosen:
        found = _lines(summary.intelligence(talent.pk, days=YEAR), now)
        year = [line for line in found if line.band][:MOST_BANDS]
    starts = [line.band.first.date for line in year if line.band]
    own = talent.shown_image_url
    photo = own if KitMetric.PHOTO in chosen and own.startswith("/") and own[1:2] != "/" else ""
    shows = set(chosen)
    return {
        "agency": settings.AGENCY_NAME,
        "talent": talent,
        "link": link,
        "shows": shows,
        "sections": _sections(chosen),
        "photo": photo,
        "photo_url": f"{settings.PUBLIC_URL}{photo}" if photo else "",
        "stats": [Stat(line, tuple(_rows(line, chosen))) for line in known],
        "totals": figures.totals,
        "drawn": year,
        "axis": axis(start=min(starts), today=now.date()) if starts else [],
        "best": best_of(figures, MOST_POSTS) if KitMetric.POSTS in chosen else [],
        "as_of": figures.as_of,
        "links": _links(talent) if KitMetric.LINKS in chosen else [],
        "manager": talent.manager if KitMetric.CONTACT in chosen else None,
        "sources": list(dict.fromkeys(line.source for line in known if line.source)),
        "absent": _absent(known),
        "counted_anew": {
            line.account.platform: line.counted_anew for line in year if line.counted_anew
        }.items(),
    }


def _lines(figures: Intelligence, now: datetime) -> list[Line]:
    """The largest accounts first."""
    lines = lines_of(figures, today=now.date(), now=now)
    return sorted(lines, key=lambda line: -(line.account.followers or 0))


def _sections(chosen: list[str]) -> list[str]:
    """The kit's parts in the order in which something of each was chosen first."""
    return list(
        dict.fromkeys(
            "audience" if name in AUDIENCE else SECTIONS[KitMetric(name)]
            for name in chosen
            if name in AUDIENCE or name in SECTIONS
        )
    )


def _rows(line: Line, chosen: list[str]) -> Any:
    account = line.account
    growth = account.growth["d30"]
    told = {
        KitMetric.ENGAGEMENT: (f"Engagement by {line.basis}", percent(line.rate)),
        KitMetric.VIEWS: (
            "Average views",
            compact(None if account.average_views is None else round(account.average_views)),
        ),
        KitMetric.GROWTH: ("Growth, 30 days", signed_percent(growth.percent if growth else None)),
        KitMetric.PACE: (
            "Posts per week",
            NOTHING if account.posts_per_week is None else f"{account.posts_per_week:.1f}",
        ),
    }
    for name in chosen:
        # What nobody knows is left out here: a kit is no place for dashes.
        if name in told and told[KitMetric(name)][1] != NOTHING:
            yield told[KitMetric(name)]


def _absent(lines: list[Line]) -> list[tuple[str, str]]:
    """Which parts of the rates a platform doesn't tell."""
    return [
        (line.account.platform, ", ".join(line.account.absent_parts))
        for line in lines
        if line.account.absent_parts and line.rate is not None
    ]


def _links(talent: Talent) -> list[tuple[str, str, str]]:
    rows = Connection.objects.filter(talent=talent, platform__in=("TWITTER", "LINKEDIN"))
    return [
        (row.platform, handles.at(row.platform, row.handle), row.profile_url)
        for row in rows.order_by("platform", "id")
    ]
