"""Questions that pages and the API ask: each answer is a frozen value, read in a fixed number of
queries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Upper
from django.utils import timezone

from socials import handles, platforms
from socials.dashboard import GONE, Place, places
from socials.dashboard import queue_stats as queue_stats
from socials.errors import CAUSES, Action
from socials.models import Connection, Post, SyncStatus, Worker
from talent.models import Talent, User
from talent.templatetags.figures import cause_name
from talent.templatetags.marks import WORDS

# --- where a connection stands, in one word ----------------------------------------------------

RECONNECT_CODES = ("REAUTH_REQUIRED", "PERMISSION_MISSING")
WORST_FIRST = ("reauth", "error", "syncing", "pending", "ready", "link")
NEEDS_RECONNECT = Q(sync_status=SyncStatus.ERROR, error_code__in=RECONNECT_CODES) | Q(
    sync_status=SyncStatus.READY, connected=False
)
FAILED = Q(sync_status=SyncStatus.ERROR) & ~Q(error_code__in=RECONNECT_CODES)
IN_STATE: dict[str, Q] = {
    "reauth": NEEDS_RECONNECT,
    "error": FAILED,
    "attention": NEEDS_RECONNECT | Q(sync_status=SyncStatus.ERROR),
    "syncing": Q(sync_status=SyncStatus.SYNCING),
    "pending": Q(sync_status=SyncStatus.PENDING),
    "ready": Q(sync_status=SyncStatus.READY, connected=True, last_synced_at__isnull=False),
}


def state_of(row: Connection) -> str:
    """One of WORDS."""
    if not platforms.get(row.platform).syncs:
        return "link"
    if row.sync_status == SyncStatus.ERROR:
        return "reauth" if row.error_code in RECONNECT_CODES else "error"
    if row.sync_status == SyncStatus.READY:
        return "ready" if row.connected else "reauth"
    return row.sync_status.lower()


# --- the accounts of one talent ----------------------------------------------------------------


CODES = re.compile(r"[A-Z]{2,}_[A-Z]|HTTP|[{}<>]")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a connection fails, in words for staff."""

    code: str
    title: str
    sentence: str
    detail: str
    """What is known beyond the sentence; "" when nothing is."""
    action: Action

    @property
    def is_technical(self) -> bool:
        """Whether the detail speaks of codes: it is then kept one click away."""
        return self.code != "NOT_CONFIGURED" and bool(CODES.search(self.detail))


@dataclass(frozen=True, slots=True)
class ConnectionCard:
    """One account and where its sync stands."""

    id: int
    talent_id: int
    platform: str
    handle: str
    shown: str
    """The handle as people write it: with @ where it has one."""
    profile_url: str
    connection_type: str
    state: str
    attempt: int
    max_attempts: int
    next_attempt_at: datetime | None
    last_synced_at: datetime | None
    next_refresh_at: datetime | None
    created_at: datetime
    updated_at: datetime
    followers: int | None
    followers_quality: str
    source: str
    partial: tuple[str, ...]
    trouble: Trouble | None
    place: Place | None = None
    """Where it stands in the line while it is queued and due: "3rd in line, about 20 s"."""

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def syncs(self) -> bool:
        return self.state != "link"

    @property
    def moves(self) -> bool:
        """Whether something will happen within seconds: its page then asks more often."""
        if self.state == "pending":
            due = self.next_attempt_at
            return due is None or due < timezone.now() + timedelta(seconds=30)
        return self.state == "syncing"

    @property
    def busy(self) -> bool:
        return self.state in {"pending", "syncing"}

    @property
    def stopped(self) -> bool:
        """Whether nothing happens any more until a person acts."""
        return self.state in {"error", "reauth"} and self.next_refresh_at is None


def connection_cards(talent_id: int) -> list[ConnectionCard]:
    """A talent's accounts, synced platforms first. One query, and one more while any is queued."""
    rows = Connection.objects.filter(talent_id=talent_id).select_related("profile", "talent")
    cards = [connection_card(row) for row in rows]
    line = places([card.id for card in cards if card.state == "pending"])
    order = list(platforms.PLATFORMS)
    return sorted(
        (replace(card, place=line.get(card.id)) for card in cards),
        key=lambda card: (order.index(card.platform), card.created_at, card.id),
    )


def connection_card(row: Connection) -> ConnectionCard:
    """The card of a row that came with its profile and its talent."""
    profile = getattr(row, "profile", None)
    return ConnectionCard(
        id=row.pk,
        talent_id=row.talent_id,
        platform=row.platform,
        handle=row.handle,
        shown=handles.at(row.platform, row.handle),
        profile_url=row.profile_url,
        connection_type=row.connection_type,
        state=state_of(row),
        attempt=row.attempt,
        max_attempts=len(settings.SYNC_RETRY_DELAYS),
        next_attempt_at=row.next_attempt_at,
        last_synced_at=row.last_synced_at,
        next_refresh_at=row.next_refresh_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        followers=profile.followers if profile else None,
        followers_quality=profile.quality.get("followers", "") if profile else "",
        source=row.source,
        partial=tuple(row.partial),
        trouble=_trouble(row),
    )


def _trouble(row: Connection) -> Trouble | None:
    cause = CAUSES.get(row.error_code)
    if cause is None:
        return None
    words = {
        "P": platforms.get(row.platform).name,
        "h": handles.at(row.platform, row.handle),
        "T": row.talent.first_name,
    }
    title, sentence = cause.title.format(**words), cause.sentence.format(**words)
    told = row.sync_error.removeprefix(title).strip()
    return Trouble(
        code=cause.code,
        title=title,
        sentence=sentence,
        detail="" if told == sentence else told,
        action=cause.action,
    )


def connections_version(talent_id: int) -> str:
    """What a poll asks first: it changes when any of the talent's accounts did. One query."""
    rows = Connection.objects.filter(talent_id=talent_id).order_by("id")
    return _digest(rows.values_list("id", "updated_at", "handle"))


def _digest(rows: Iterable[Sequence[object]]) -> str:
    text = "\n".join(" ".join(str(part) for part in row) for row in rows)
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


# --- the roster --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chip:
    """A platform in the list: the worst state of the talent's accounts there, their followers."""

    platform: str
    shown: str
    state: str
    followers: int | None

    @property
    def word(self) -> str:
        return WORDS[self.state]


@dataclass(frozen=True, slots=True)
class RosterRow:
    id: int
    name: str
    tags: tuple[str, ...]
    status: str
    manager: str
    image_url: str
    image_source: str
    followers: int | None
    """The sum over its platforms; None while nothing is known."""
    chips: tuple[Chip, ...]
    state: str
    """The worst of its accounts, "" without any."""
    note: str
    last_synced_at: datetime | None
    """The oldest of its accounts' last syncs."""

    @property
    def word(self) -> str:
        return WORDS.get(self.state, "")

    @property
    def slots(self) -> list[Chip | None]:
        """Its chips in the list's three columns; a column without one is None."""
        by_platform = {chip.platform: chip for chip in self.chips}
        return [by_platform.get(platform) for platform in SYNCED]

    @property
    def moves(self) -> bool:
        return self.state in {"pending", "syncing"} or any(
            chip.state in {"pending", "syncing"} for chip in self.chips
        )


@dataclass(frozen=True, slots=True)
class RosterFilter:
    search: str = ""
    platform: str = ""
    state: str = ""
    sync_status: str = ""
    """The engine's word, where ``state`` is the page's."""
    manager: int | None = None
    status: str = "active"
    """``active``, ``archived`` or ``all``."""
    stale_hours: int | None = None
    """Only talents with an account whose last good sync is older."""
    ordering: str = "name"


@dataclass(frozen=True, slots=True)
class RosterPage:
    rows: tuple[RosterRow, ...]
    total: int
    page: int
    size: int

    @property
    def first(self) -> int:
        return (self.page - 1) * self.size + 1 if self.total else 0

    @property
    def last(self) -> int:
        return (self.page - 1) * self.size + len(self.rows)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


SYNCED = ("INSTAGRAM", "TIKTOK", "YOUTUBE")
ORDERINGS: dict[str, tuple[Any, ...]] = {
    "name": (Upper("name"), "id"),
    "-created": ("-created_at", "id"),
    "-followers": (F("total_followers").desc(nulls_last=True), "id"),
    "synced": (F("oldest_sync").asc(nulls_first=True), "id"),
}


def roster(wanted: RosterFilter) -> QuerySet[Talent]:
    """The talents that a filter lets through, unordered."""
    talents = Talent.objects.all()
    if wanted.status != "all":
        talents = talents.filter(status=wanted.status)
    if wanted.manager is not None:
        talents = talents.filter(manager_id=wanted.manager)
    for word in wanted.search.split():
        bare = word.removeprefix("@")
        by_handle = _has(Q(handle__icontains=bare)) if bare else Q()
        talents = talents.filter(
            Q(name__icontains=word) | Q(email__icontains=word) | Q(tags__icontains=word) | by_handle
        )
    accounts = Q()
    if wanted.platform:
        accounts &= Q(platform=wanted.platform)
    if wanted.state:
        accounts &= IN_STATE[wanted.state]
    if wanted.sync_status:
        accounts &= Q(sync_status=wanted.sync_status)
    if wanted.stale_hours is not None:
        accounts &= Q(
            platform__in=SYNCED,
            last_synced_at__lt=timezone.now() - timedelta(hours=wanted.stale_hours),
        )
    return talents.filter(_has(accounts)) if accounts else talents


def _has(accounts: Q) -> Exists:
    return Exists(Connection.objects.filter(accounts, talent_id=OuterRef("pk")))


def roster_page(wanted: RosterFilter, *, page: int = 1, size: int = 50) -> RosterPage:
    """One page of the roster in three queries. A page beyond the last is the last."""
    talents = roster(wanted)
    total = talents.count()
    page = min(max(page, 1), max(1, -(-total // size)))
    accounts = Connection.objects.filter(talent_id=OuterRef("pk")).order_by().values("talent_id")
    if wanted.ordering == "-followers":
        sums = accounts.annotate(n=Sum("profile__followers")).values("n")
        talents = talents.annotate(total_followers=Subquery(sums))
    if wanted.ordering == "synced":
        oldest = accounts.filter(platform__in=SYNCED).annotate(at=Min("last_synced_at"))
        talents = talents.annotate(oldest_sync=Subquery(oldest.values("at")))
    chosen = talents.select_related("manager").order_by(*ORDERINGS[wanted.ordering])
    start = (page - 1) * size
    return RosterPage(tuple(_rows(list(chosen[start : start + size]))), total, page, size)


def roster_rows(talent_ids: Sequence[int]) -> list[RosterRow]:
    """The rows of these talents, in this order. Two queries."""
    found = Talent.objects.select_related("manager").in_bulk(list(talent_ids))
    return _rows([found[pk] for pk in talent_ids if pk in found])


def roster_version(talent_ids: Sequence[int]) -> str:
    """What the list's poll asks first. One query."""
    rows = Connection.objects.filter(talent_id__in=talent_ids).order_by("id")
    return _digest(rows.values_list("id", "updated_at"))


def _rows(talents: Sequence[Talent]) -> list[RosterRow]:
    accounts: dict[int, list[Connection]] = {talent.pk: [] for talent in talents}
    for row in (
        Connection.objects.filter(talent_id__in=accounts)
        .select_related("profile")
        .order_by("created_at", "id")
    ):
        accounts[row.talent_id].append(row)
    return [_row(talent, accounts[talent.pk]) for talent in talents]


def _row(talent: Talent, rows: list[Connection]) -> RosterRow:
    synced = [row for row in rows if row.platform in SYNCED]
    worst = min((state_of(row) for row in rows), key=WORST_FIRST.index, default="")
    times = [row.last_synced_at for row in synced if row.last_synced_at]
    return RosterRow(
        id=talent.pk,
        name=talent.name,
        tags=tuple(talent.tags),
        status=talent.status,
        manager=talent.manager.first_name or str(talent.manager) if talent.manager else "",
        image_url=talent.profile_image_url,
        image_source=talent.profile_image_source,
        followers=_total(synced),
        chips=tuple(_chips(synced)),
        state=worst,
        note=_note(worst, rows),
        last_synced_at=min(times, default=None),
    )


def _chips(rows: list[Connection]) -> Iterable[Chip]:
    for platform in SYNCED:
        accounts = [row for row in rows if row.platform == platform]
        if accounts:
            worst = min(accounts, key=lambda row: WORST_FIRST.index(state_of(row)))
            yield Chip(
                platform,
                handles.at(worst.platform, worst.handle),
                state_of(worst),
                _total(accounts),
            )


def _total(rows: Iterable[Connection]) -> int | None:
    known = [
        profile.followers
        for row in rows
        if (profile := getattr(row, "profile", None)) and profile.followers is not None
    ]
    return sum(known) if known else None


def _note(worst: str, rows: list[Connection]) -> str:
    """What the list says under a state that a person may wonder at: where, and why."""
    alike = [row for row in rows if state_of(row) == worst and row.error_code]
    if not alike:
        return ""
    where = ", ".join(dict.fromkeys(platforms.get(row.platform).name for row in alike))
    if worst == "reauth" or len(alike) > 1:
        return where
    return f"{where}, {cause_name(alike[0].error_code).lower()}"


# --- one talent's header -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TalentHeader:
    """What stands above every tab of a talent's page."""

    talent: Talent
    cards: tuple[ConnectionCard, ...]
    followers: int | None

    @property
    def synced(self) -> int:
        return sum(card.syncs for card in self.cards)

    @property
    def links(self) -> int:
        return len(self.cards) - self.synced

    @property
    def troubled(self) -> int:
        return sum(card.state in {"error", "reauth"} for card in self.cards)

    @property
    def busy(self) -> bool:
        """Whether every account that syncs is queued or being read already."""
        return all(card.busy for card in self.cards if card.syncs)

    @property
    def oldest_sync(self) -> datetime | None:
        times = [card.last_synced_at for card in self.cards if card.syncs and card.last_synced_at]
        return min(times, default=None)


def talent_header(talent_id: int) -> TalentHeader | None:
    """The talent and its accounts in two queries; None when there is no such talent."""
    talent = Talent.objects.select_related("manager").filter(pk=talent_id).first()
    if talent is None:
        return None
    cards = tuple(connection_cards(talent_id))
    known = [card.followers for card in cards if card.followers is not None]
    return TalentHeader(talent, cards, sum(known) if known else None)


# --- what stands beside every page -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attention:
    """Active talents whose accounts need a person."""

    talents: int = 0
    reconnect: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """The sidebar: counts of the roster's views, and whether the workers are alive."""

    talents: int
    mine: int
    stale: int
    attention: Attention
    workers: int
    late_workers: int
    last_sign_at: datetime | None = field(default=None)


LATE = timedelta(seconds=60)
STALE_HOURS = 24


def attention() -> Attention:
    """One query over the few rows that fail."""
    troubled = Connection.objects.filter(IN_STATE["attention"], talent__status="active")
    found = troubled.aggregate(
        talents=Count("talent", distinct=True),
        reconnect=Count("talent", distinct=True, filter=NEEDS_RECONNECT),
        failed=Count("talent", distinct=True, filter=FAILED),
    )
    return Attention(**found)


def frame(user: User) -> Frame:
    """Four queries, whatever the size of the roster."""
    now = timezone.now()
    talents = Talent.objects.active().aggregate(
        all=Count("id"), mine=Count("id", filter=Q(manager_id=user.pk))
    )
    stale = Connection.objects.filter(
        platform__in=SYNCED,
        last_synced_at__lt=now - timedelta(hours=STALE_HOURS),
        talent__status="active",
    ).aggregate(n=Count("talent", distinct=True))
    workers = Worker.objects.filter(heartbeat_at__gt=now - GONE).aggregate(
        all=Count("id"),
        late=Count("id", filter=Q(heartbeat_at__lt=now - LATE)),
        last=Max("heartbeat_at"),
    )
    return Frame(
        talents=talents["all"],
        mine=talents["mine"],
        stale=stale["n"],
        attention=attention(),
        workers=workers["all"],
        late_workers=workers["late"],
        last_sign_at=workers["last"],
    )


# --- one talent's posts ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PostLine:
    id: int
    platform: str
    caption: str
    url: str
    kind: str
    posted_at: datetime | None
    views: int | None
    likes: int | None
    comments: int | None
    duration_seconds: float | None

    @property
    def length(self) -> str:
        """0:48; empty for a picture."""
        seconds = int(self.duration_seconds or 0)
        return f"{seconds // 60}:{seconds % 60:02}" if seconds else ""


def latest_posts(talent_id: int, most: int) -> list[PostLine]:
    """The newest posts of all of a talent's accounts. One query."""
    rows = (
        Post.objects.filter(
            connection__talent_id=talent_id, deleted_at__isnull=True, posted_at__isnull=False
        )
        .order_by("-posted_at", "-id")
        .values_list(
            "id", "connection__platform", "caption", "url", "kind", "posted_at", "views", "likes",
            "comments", "duration_seconds",
        )
    )  # fmt: skip
    return [PostLine(*row) for row in rows[:most]]
