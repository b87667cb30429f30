"""Questions that pages and the API ask: each answer is a frozen value, read in a fixed number of
queries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q
from django.utils import timezone

from socials import handles, platforms
from socials.dashboard import GONE
from socials.dashboard import queue_stats as queue_stats
from socials.errors import CAUSES, Action, repeats
from socials.line import Place, places
from socials.models import Connection, Post, SyncStatus, Worker
from socials.models.connection import WITHOUT_GRANT
from socials.models.moves import max_attempts
from talent.models import Talent, User
from talent.templatetags.marks import WORDS

# --- where a connection stands, in one word ----------------------------------------------------

RECONNECT_CODES = ("REAUTH_REQUIRED", "PERMISSION_MISSING")
WORST_FIRST = ("reauth", "error", "syncing", "pending", "ready", "link")
NEEDS_RECONNECT = Q(sync_status=SyncStatus.ERROR, error_code__in=RECONNECT_CODES) | WITHOUT_GRANT
FAILED = Q(sync_status=SyncStatus.ERROR) & ~Q(error_code__in=RECONNECT_CODES)
IN_STATE: dict[str, Q] = {
    "reauth": NEEDS_RECONNECT,
    "error": FAILED,
    "attention": NEEDS_RECONNECT | Q(sync_status=SyncStatus.ERROR),
    "syncing": Q(sync_status=SyncStatus.SYNCING),
    "pending": Q(sync_status=SyncStatus.PENDING),
    "ready": Q(sync_status=SyncStatus.READY, connected=True, last_synced_at__isnull=False)
    & ~Q(error_code__in=RECONNECT_CODES),
}


SOON = timedelta(seconds=30)


def state_of(row: Connection) -> str:
    """One of WORDS."""
    if not platforms.get(row.platform).syncs:
        return "link"
    if row.sync_status == SyncStatus.ERROR:
        return "reauth" if row.error_code in RECONNECT_CODES else "error"
    if row.sync_status == SyncStatus.READY:
        return "reauth" if not row.connected or row.error_code in RECONNECT_CODES else "ready"
    return row.sync_status.lower()


def is_moving(state: str, next_attempt_at: datetime | None) -> bool:
    """Whether something will happen within seconds: one that waits for longer is at rest."""
    if state == "pending":
        return next_attempt_at is None or next_attempt_at < timezone.now() + SOON
    return state == "syncing"


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
        """Its page then asks more often."""
        return is_moving(self.state, self.next_attempt_at)

    @property
    def busy(self) -> bool:
        return self.state in {"pending", "syncing"}


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
        max_attempts=max_attempts(),
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
    if row.sync_status == SyncStatus.READY and row.error_code in RECONNECT_CODES:
        sentence += " Until then its public numbers are read."
    told = row.sync_error.removeprefix(title).strip()
    return Trouble(
        code=cause.code,
        title=title,
        sentence=sentence,
        detail="" if repeats(told, f"{title} {sentence}") else told,
        action=cause.action,
    )


def connections_version(talent_id: int) -> str:
    """What a poll asks first: it changes when any of the talent's accounts did. One query."""
    rows = Connection.objects.filter(talent_id=talent_id).order_by("id")
    return digest(rows.values_list("id", "updated_at", "handle"))


def digest(rows: Iterable[Sequence[object]]) -> str:
    """A short name for exactly these rows."""
    text = "\n".join(" ".join(str(part) for part in row) for row in rows)
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


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

    @property
    def working(self) -> int:
        """Workers that are not late."""
        return self.workers - self.late_workers


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
    # Of the index alone: "status" is in it, "id" is not.
    talents = Talent.objects.active().aggregate(
        all=Count("status"), mine=Count("status", filter=Q(manager_id=user.pk))
    )
    stale = Connection.objects.filter(
        platform__in=platforms.synced(),
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
