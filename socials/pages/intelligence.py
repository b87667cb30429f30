"""The Social Intelligence tab, its export, and what changed on the roster since yesterday."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.text import slugify

from socials import handles, spreadsheets, thumbnails
from socials.engagement import basis_of, rate_of_post
from socials.intelligence import kept, roster, summary, tables
from socials.intelligence.changes import since_yesterday
from socials.intelligence.roster import Median
from socials.intelligence.types import FORMULAS, Account, Intelligence, RankedPost, Slot
from socials.models import SyncStatus
from socials.pages.charts import Band, axis, band, heat
from socials.pages.connections import header_or_404
from socials.pages.downloads import as_file
from socials.pages.kit_card import kit_card
from socials.pages.shell import fragment, gone_is_404, page
from socials.pages.typed import number_of
from socials.queries import RECONNECT_CODES, TalentHeader
from talent.models import Talent
from talent.pages.access import staff_page
from talent.templatetags.figures import ago, cause_name, day

RANGES = (7, 30, 90, 365)
USUAL_RANGE = 90
SOURCES = {
    "instagram_login": "Instagram API",
    "instagram_business_discovery": "Instagram Graph API",
    "tiktok_display": "TikTok Display API",
    "youtube_data": "YouTube Data API",
    "apify": "Apify",
    "public": "public page",
}
UNREAD = {
    "grant": "what needs the talent's permission",
    "insights": "what only the owner sees",
    "posts": "all posts",
}
"""Parts of a reading, where their own name is no word for staff."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Line:
    """One account as the tab shows it."""

    account: Account
    shown: str
    band: Band | None
    rate: float | None
    basis: str
    gauge: str
    """Width of its bar, of 100."""
    median: Median | None
    tick: str
    grown: float | None
    """Growth in percent over the chart's line."""
    is_late: bool
    url: str
    counted_anew: date | None
    """The last day in the window since which its views are counted in another way."""
    cut: datetime | None
    """Since when posts are stored, where the window begins before that."""

    @property
    def source(self) -> str:
        return source_name(self.account.source)

    @property
    def lack(self) -> str:
        """Why its numbers are behind or not whole; "" when they are neither."""
        account, cause = self.account, cause_name(self.account.error_code).lower()
        if account.fetched_at is None:
            return cause if account.failing else "not read yet"
        if account.error_code in RECONNECT_CODES and account.sync_status == SyncStatus.READY:
            return f"{cause}, so only its public numbers are read"
        if account.failing:
            return f"{cause or 'needs attention'}, numbers of {day(account.fetched_at)}"
        late = [f"last read {ago(account.last_synced_at)}"] if self.is_late else []
        unread = ", ".join(UNREAD.get(name, name.replace("_", " ")) for name in account.partial)
        return ", ".join([*late, *([f"could not read {unread}"] if unread else [])])

    @property
    def sample(self) -> str:
        """ "46 of 50 posts, 4 with hidden likes"."""
        found = self.account.sample
        counted = found.by_followers if self.basis == "followers" else found.by_views
        words = f"{counted:,} of {found.in_window:,} {'post' if found.in_window == 1 else 'posts'}"
        if found.hidden_likes:
            words += f", {found.hidden_likes:,} with hidden likes"
        if self.account.absent_parts:
            words += f", without {' and '.join(self.account.absent_parts)}"
        return words


@dataclass(frozen=True, slots=True)
class Shown:
    """A post with its own rate."""

    post: RankedPost
    rate: float | None
    basis: str
    image_url: str

    @property
    def length(self) -> str:
        seconds = self.post.duration_seconds
        return f"{int(seconds) // 60}:{int(seconds) % 60:02}" if seconds else ""


def source_name(source: str) -> str:
    return SOURCES.get(source, source.replace("_", " "))


@staff_page
def talent_intelligence(request: HttpRequest, talent_id: int) -> HttpResponse:
    header = header_or_404(talent_id)
    return page(
        request,
        "socials/talent_intelligence.html",
        tab="intelligence",
        header=header,
        ranges=RANGES,
        **kit_card(talent_id),
        **context_of(request, header),
    )


@staff_page
def intelligence_live(request: HttpRequest, talent_id: int) -> HttpResponse:
    """The figures anew, or 204 while nothing moved."""
    version = _version(talent_id)
    if request.GET.get("version") == version:
        return HttpResponse(status=204)
    header = header_or_404(talent_id)
    return fragment(request, "socials/_figures.html", header=header, **context_of(request, header))


@staff_page
def intelligence_export(request: HttpRequest, talent_id: str, what: str, kind: str) -> HttpResponse:
    """Metrics or posts of the window as CSV or JSON."""
    days = _days(request)
    talent = header_or_404(int(talent_id)).talent
    if what == "metrics":
        columns, rows = tables.metrics(summary.intelligence(talent.pk, days=days))
    else:
        columns, rows = tables.posts(talent.pk, days=days, now=timezone.now())
    name = f"{slugify(talent.name) or talent.pk}-{what}-{days}-days.{kind}"
    if kind == "json":
        told = [dict(zip(columns, row, strict=True)) for row in rows]
        response: HttpResponse = JsonResponse(told, safe=False)
    else:
        response = HttpResponse(
            spreadsheets.as_csv(columns, rows), content_type="text/csv; charset=utf-8"
        )
    return as_file(response, name)


@staff_page
def changes(request: HttpRequest) -> HttpResponse:
    """The roster since yesterday."""
    return page(
        request, "socials/changes.html", here="changes", changes=since_yesterday(timezone.now())
    )


def context_of(request: HttpRequest, header: TalentHeader) -> dict[str, Any]:
    days = _days(request)
    talent_id = header.talent.pk
    with gone_is_404(Talent.DoesNotExist):
        figures = summary.intelligence(talent_id, days=days)
    now = timezone.now()
    lines = lines_of(figures, today=now.date(), now=now)
    table = request.GET.get("view") == "table"
    starts = [line.band.first.date for line in lines if line.band]
    start = max(now.date() - timedelta(days=days - 1), min(starts, default=now.date()))
    return {
        "figures": figures,
        "days": days,
        **_growth(figures, days if days in RANGES else 30),
        "lines": lines,
        "drawn": [line for line in lines if line.band],
        "axis": axis(start=start, today=now.date()),
        "table": table,
        "notes": list(dict.fromkeys(mark.message for mark in figures.marks)),
        "history": _history(figures) if table else [],
        "best": best_of(figures),
        "heat": heat(figures.posting_times),
        "posts_in_window": sum(map(sum, figures.posting_times)),
        "busiest": _busiest(figures.posting_times),
        "slots": [_slot(slot, figures) for slot in figures.best_times],
        "behind": [line for line in lines if line.account.is_read and line.is_late],
        "failing": [line for line in lines if line.account.failing],
        "waiting": [line for line in lines if not line.account.is_read],
        "changes": since_yesterday(now, talent_id=talent_id),
        "formulas": FORMULAS,
        "version": _version(talent_id),
        "seconds": 2 if figures.state == "syncing" else 10,
    }


def lines_of(figures: Intelligence, *, today: date, now: datetime) -> list[Line]:
    """Each account with its band, its rate and the roster's."""
    medians = roster.medians()
    rates = [_rate(one) or 0 for one in figures.platforms]
    rates += [medians[one.platform].rate for one in figures.platforms if one.platform in medians]
    full = max(10.0, *rates) if rates else 10.0
    return [
        _line(one, figures, medians.get(one.platform), full, today, now)
        for one in figures.platforms
    ]


def _rate(account: Account) -> float | None:
    if basis_of(account.platform) == "followers":
        return account.engagement_rate_by_followers
    return account.engagement_rate_by_views


def _line(
    account: Account,
    figures: Intelligence,
    median: Median | None,
    full: float,
    today: date,
    now: datetime,
) -> Line:
    series = [one for one in figures.series if one.connection_id == account.connection_id]
    points = [point for one in series for point in one.points()]
    marks = [mark for mark in figures.marks if mark.connection_id == account.connection_id]
    drawn = band(points, marks, days=figures.days, today=today)
    rate = _rate(account)
    return Line(
        account=account,
        shown=handles.at(account.platform, account.handle),
        band=drawn,
        rate=rate,
        basis=basis_of(account.platform),
        gauge=f"{(rate or 0) / full * 100:.1f}",
        median=median,
        tick=f"{median.rate / full * 100:.1f}" if median else "",
        grown=drawn.percent if drawn else None,
        is_late=account.last_synced_at is None or account.last_synced_at < now - summary.STALE,
        url=account.profile_url,
        counted_anew=max((mark.date for mark in marks), default=None),
        cut=_cut(account, now - timedelta(days=figures.days)),
    )


def _cut(account: Account, start: datetime) -> datetime | None:
    since = account.sample.since
    is_cut = account.sample.is_cut and account.sample.in_window
    return since if is_cut and since is not None and since > start + kept.STEP else None


def _growth(figures: Intelligence, days: int) -> dict[str, Any]:
    totals = figures.totals
    return {
        "growth_days": days,
        "window_growth": totals.growth[f"d{days}"],
        "growth_accounts": totals.growth_accounts[f"d{days}"],
    }


def best_of(figures: Intelligence, most: int | None = None) -> list[Shown]:
    """The best posts with their pictures; what was never looked at is fetched in the background."""
    posts = figures.best_posts[:most]
    ids = [post.id for post in posts]
    images = thumbnails.urls(ids)
    thumbnails.ask_for(figures.talent_id, [pk for pk in ids if pk not in images])
    return [_shown(post, images.get(post.id, "")) for post in posts]


def _shown(post: RankedPost, image_url: str) -> Shown:
    rate = rate_of_post(post, platform=post.platform, followers=post.followers)
    return Shown(post, rate, basis_of(post.platform), image_url)


def _history(figures: Intelligence) -> list[tuple[date, list[int | None], list[str]]]:
    """Newest day first: each account's followers, None where a day has no reading; and what
    changed on that day in the way views are counted."""
    ids = [one.connection_id for one in figures.platforms]
    by_day: dict[date, dict[int, int]] = {}
    for point in figures.history:
        by_day.setdefault(point.date, {})[point.connection_id] = point.followers
    notes: dict[date, list[str]] = {}
    for mark in figures.marks:
        by_day.setdefault(mark.date, {})
        if mark.message not in notes.setdefault(mark.date, []):
            notes[mark.date].append(mark.message)
    return [
        (day, [found.get(pk) for pk in ids], notes.get(day, []))
        for day, found in sorted(by_day.items(), reverse=True)
    ]


def _busiest(times: tuple[tuple[int, ...], ...]) -> str:
    """ "Tuesday, 18:00 (4 posts)"; empty when nothing stands out."""
    found = [
        (posts, -day, -hour) for day, row in enumerate(times) for hour, posts in enumerate(row)
    ]
    posts, day, hour = max(found)
    if posts < 2:
        return ""
    return f"{WEEKDAYS[-day]}, {-hour:02}:00 to {-hour + 1:02}:00 ({posts} posts)"


def _slot(slot: Slot, figures: Intelligence) -> dict[str, Any]:
    handle = next(
        one.handle for one in figures.platforms if one.connection_id == slot.connection_id
    )
    return {
        "platform": slot.platform,
        "shown": handles.at(slot.platform, handle),
        "when": f"{WEEKDAYS[slot.weekday]}, {slot.hour:02}:00 to {slot.hour + 2:02}:00",
        "posts": slot.posts,
        "rate": slot.rate,
        "other_rate": slot.other_rate,
    }


def _days(request: HttpRequest) -> int:
    days = number_of(request.GET.get("days")) or USUAL_RANGE
    return days if days <= kept.MOST_DAYS else USUAL_RANGE


def _version(talent_id: int) -> str:
    with gone_is_404(Talent.DoesNotExist):
        version = kept.version_of(talent_id), thumbnails.version_of(talent_id)
    return hashlib.blake2s(repr(version).encode(), digest_size=8).hexdigest()
