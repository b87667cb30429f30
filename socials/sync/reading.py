"""Asking the platforms: which sources may answer for a row, and what came back from them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache

import structlog
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from scraping.errors import (
    Blocked,
    Failure,
    Internal,
    NotConfigured,
    NotFound,
    PermissionMissing,
    PlatformUnavailable,
    QuotaExhausted,
    ReauthRequired,
    UnsupportedAccount,
)
from scraping.http import Http, Limits
from scraping.meter import Meter
from socials import platforms
from socials.models import Connection, ConnectionType, Grant, Post, Priority, Profile, Trigger
from socials.platforms.kit.platform import Source
from socials.sync import retention
from socials.sync.threads import Threads
from socials.types import Ask, Context, Depth, Reading, Token

log = structlog.get_logger(__name__)

POSTS_ASKED_AT_ONCE = 50
"""Metrics of at most so many due posts are asked in one cheap sync of a connection."""

SCRAPED = frozenset({"apify", "public"})

ELSEWHERE = (
    NotConfigured,
    NotFound,
    ReauthRequired,
    Blocked,
    PermissionMissing,
    UnsupportedAccount,
)
"""Failures of one source that another may not have. A limit or an outage waits instead."""


@dataclass(slots=True)
class Held:
    """A claimed row: what to ask, whom next, and what that cost so far."""

    row: Connection
    ask: Ask
    sources: list[Source]
    due: tuple[tuple[str, str], ...] = ()
    """External ids of the posts whose metrics are due, each with the source that told it."""
    claimed_at: float = field(default_factory=time.monotonic)
    began_at: float | None = None
    failures: list[Failure] = field(default_factory=list)
    without_grant: Failure | None = None
    """Why the talent's own permission does not do, once that is sure."""
    calls: int = 0
    units: int = 0
    stored: bool = False

    @property
    def source(self) -> Source:
        return self.sources[0]

    @property
    def names(self) -> dict[str, object]:
        """What the log calls it."""
        return {
            "request_id": self.row.request_id,
            "sync_id": self.row.sync_id,
            "connection_id": self.row.pk,
            "platform": self.row.platform,
            "attempt": self.row.attempt,
        }

    @property
    def interactive(self) -> bool:
        return self.row.priority < Priority.SCHEDULED

    @property
    def by_grant(self) -> bool:
        """Whether its present source reads with the talent's own permission."""
        return not self.source.can_read(replace(self.ask, token=None))

    @property
    def uses_grant(self) -> bool:
        """Whether its present source was asked with the talent's own permission."""
        will_do = self.by_grant or getattr(self.source, "token_will_do", False)
        return self.ask.token is not None and will_do

    @property
    def reads_anybody(self) -> bool:
        """Whether its present source was asked with a token and could do without one."""
        with_token = self.ask.token is not None and not self.by_grant
        return with_token and not platforms.missing_settings(self.source)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that one call of one source reads together."""

    source: Source
    rows: tuple[Held, ...]
    meter: Meter = field(default_factory=Meter)
    emptied: set[str] = field(default_factory=set)
    """Buckets that the platform called used up, whatever our own count says."""

    @property
    def platform(self) -> str:
        return self.rows[0].row.platform


@dataclass(frozen=True, slots=True)
class Arrived:
    """One row's outcome."""

    chunk: Chunk
    held: Held
    outcome: Reading | Failure


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing more comes of this chunk: its meter is final."""

    chunk: Chunk


def prepare(rows: Sequence[Connection]) -> list[Held]:
    """What to ask for each claimed row, in a fixed number of queries."""
    ids = [row.pk for row in rows]
    profiles = Profile.objects.in_bulk(ids)
    grants = Grant.objects.in_bulk(ids)
    cheap = [row.pk for row in rows if _depth(row, profiles.get(row.pk)) is Depth.CHEAP]
    due: dict[int, list[tuple[str, str]]] = defaultdict(list)
    if cheap:
        posts = Post.objects.filter(
            connection__in=cheap, metrics_due_at__lte=Now(), deleted_at__isnull=True
        ).order_by("connection_id", "-posted_at")
        for pk, external_id, source in posts.values_list("connection_id", "external_id", "source"):
            if len(due[pk]) < POSTS_ASKED_AT_ONCE:
                due[pk].append((external_id, source))
    return [
        _held(row, profiles.get(row.pk), grants.get(row.pk), tuple(due.get(row.pk, ())))
        for row in rows
    ]


def worn_grants(rows: Sequence[Connection]) -> list[int]:
    """Those of these rows whose access token has ended, or is about to."""
    ids = [row.pk for row in rows]
    soon = Now() + timedelta(minutes=2)
    return list(Grant.objects.filter(pk__in=ids, expires_at__lt=soon).values_list("pk", flat=True))


def recall_doubts(rows: Sequence[Connection], ids: Sequence[int]) -> None:
    """Read anew what was found out about those of these rows whose grant could not be renewed.

    Where it was renewed, a doubt stays: the renewed token decides whether it was right.
    """
    ended = Connection.objects.filter(pk__in=ids, grant__expires_at__lte=Now())
    told = ended.only("connected", "reauth_doubts").in_bulk()
    for row in rows:
        if now := told.get(row.pk):
            row.connected, row.reauth_doubts = now.connected, now.reauth_doubts


def wear_out(held: Held) -> None:
    """A token that was refused before its time is renewed before the next attempt, if it can be."""
    if held.ask.token is not None:
        Grant.objects.wear_out(held.row.pk, asked_at=held.row.requested_at or held.row.updated_at)


def nobody_to_ask(held: Held) -> Failure:
    """Why nobody can answer for this row, naming the settings that would mend it."""
    if held.failures:
        return held.failures[-1]
    if not held.row.connected:
        return ReauthRequired(platform=held.row.platform)
    name = platforms.get(held.row.platform).name
    choices = [
        missing
        for source in platforms.sources(held.row.platform)
        if source.can_read(held.ask) and (missing := platforms.missing_settings(source))
    ]
    if not choices:
        return _left_out(held, name)
    named = ", or ".join(" and ".join(missing) for missing in choices)
    return NotConfigured(f"Set {named} to read {name}.", setting=choices[0][0])


def _left_out(held: Held, name: str) -> Failure:
    """The configured order leaves out every source that could answer."""
    setting = f"{held.row.platform}_SOURCES"
    able = [s.name for s in platforms.get(held.row.platform).sources if s.can_read(held.ask)]
    return NotConfigured(
        f"{setting} names no source that can read {name} accounts by their handle. "
        f"Those are: {', '.join(able)}.",
        setting=setting,
    )


def chunks(rows: Iterable[Held]) -> list[Chunk]:
    """Rows grouped by source, people's before the schedule's, in calls as large as it takes."""
    groups: dict[tuple[int, str, str], list[Held]] = defaultdict(list)
    for held in rows:
        groups[(held.row.priority, held.row.platform, held.source.name)].append(held)
    return [
        Chunk(group[0].source, tuple(group[start : start + size]))
        for _, group in sorted(groups.items(), key=lambda item: item[0])
        for size in [max(group[0].source.batch_size, 1)]
        for start in range(0, len(group), size)
    ]


def next_source(held: Held, failure: Failure) -> bool:
    """Turn to the row's next source after this failure. False when there is none to ask."""
    held.failures.append(failure)
    if not isinstance(failure, ELSEWHERE):
        return False
    # A doubtful refusal of the grant is asked once more before anybody else answers for it.
    if isinstance(failure, ReauthRequired) and not held.row.reauth_doubts:
        return False
    ended = isinstance(failure, ReauthRequired)
    if ended or (isinstance(failure, PermissionMissing) and held.uses_grant):
        held.without_grant = failure
        if held.reads_anybody:
            held.ask = replace(held.ask, token=None)
            return True
    if len(held.sources) < 2:
        return False
    held.sources.pop(0)
    return True


def verdict(failures: Sequence[Failure]) -> Failure:
    """The failure that decides, of one from each source that was asked.

    An outage leaves all open. Else a dead grant, which only the talent can renew; else what the
    last source said that could tell: an official "not found" may be a private account. Its own
    "not found" does not overrule a source that was not let look.
    """
    last = failures[-1]
    waiting = [f for f in failures if f.later and not isinstance(f, Blocked)]
    if waiting:
        return waiting[-1]
    dead = next((f for f in failures if isinstance(f, ReauthRequired)), None)
    shut_out = [f for f in failures if isinstance(f, (NotConfigured, PermissionMissing))]
    if shut_out and isinstance(last, NotFound):
        return dead or shut_out[-1]
    knew = [f for f in failures if not isinstance(f, (NotConfigured, Blocked))]
    return dead or (knew[-1] if knew else last)


def read(chunk: Chunk, deliver: Callable[[Arrived | Finished], None]) -> None:
    """In a thread: read a chunk and deliver exactly one outcome for each of its rows."""
    waiting = {held.ask.connection_id: held for held in chunk.rows}
    for held in chunk.rows:
        held.began_at = time.monotonic()
    asks = [ask_for(held) for held in chunk.rows]
    left: Failure = Internal("the source gave no answer for this account")
    bind_contextvars(**_thread(chunk))
    try:
        for ask, outcome in chunk.source.read_many(asks, _context(chunk)):
            held_row = waiting.pop(ask.connection_id, None)
            if held_row is not None:
                deliver(_arrived(chunk, held_row, outcome))
    except Failure as failure:
        left = failure
    except Exception as error:  # the engine's one: a defect is a run's cause, never a lost row
        left = Internal(f"{type(error).__name__} while reading; the log has the details")
        log.exception("sync.defect", platform=chunk.platform, source=chunk.source.name)
    for held in waiting.values():
        deliver(_arrived(chunk, held, left))
    deliver(Finished(chunk))


def _thread(chunk: Chunk) -> dict[str, object]:
    """What every log line of this chunk's calls carries; several rows may share a call."""
    syncs = [held.row.sync_id for held in chunk.rows]
    asked = {held.row.request_id for held in chunk.rows} - {""}
    return {
        "source": chunk.source.name,
        "request_id": asked.pop() if len(asked) == 1 else "",
        **({"sync_id": syncs[0]} if len(syncs) == 1 else {"sync_ids": syncs}),
    }


def _arrived(chunk: Chunk, held: Held, outcome: Reading | Failure) -> Arrived:
    """One row's outcome, with its share of what the chunk has cost so far."""
    if isinstance(outcome, QuotaExhausted) and outcome.bucket:
        chunk.emptied.add(outcome.bucket)
    held.calls += -(-chunk.meter.calls // len(chunk.rows))
    held.units += -(-sum(chunk.meter.units.values()) // len(chunk.rows))
    return Arrived(chunk, held, outcome)


@cache
def readers() -> Threads:
    return Threads(settings.SYNC_CONCURRENCY, "reader")


@cache
def _steps() -> Threads:
    return Threads(settings.SYNC_CONCURRENCY, "step")


@cache
def _http() -> Http:
    seconds = settings.HTTP_TIMEOUT_SECONDS
    return Http(Limits.within(seconds), kept=2 * settings.SYNC_CONCURRENCY)


def _context(chunk: Chunk) -> Context:
    return Context(
        http=_http(),
        settings=settings.PLATFORM_SETTINGS,
        meter=chunk.meter,
        concurrently=_steps().map,
    )


def _depth(row: Connection, profile: Profile | None) -> Depth:
    """The schedule reads cheaply what is known, except posts that must be read again to be kept."""
    if profile is None or row.last_posts_read_at is None or row.trigger != Trigger.SCHEDULE:
        return Depth.FULL
    days = retention.read_again_days(row.platform)
    age = (row.started_at or row.updated_at) - row.last_posts_read_at
    return Depth.FULL if days and age > timedelta(days=days) else Depth.CHEAP


def _held(
    row: Connection,
    profile: Profile | None,
    grant: Grant | None,
    due: tuple[tuple[str, str], ...],
) -> Held:
    listed = "posts" not in row.partial
    token, doubt = _token(row, grant)
    ask = Ask(
        connection_id=row.pk,
        platform=row.platform,
        handle=row.handle,
        external_id=row.external_id,
        token=token,
        depth=_depth(row, profile),
        post_limit=settings.SYNC_POST_LIMIT,
        known_posts=profile.posts if profile and listed else None,
        due_posts=tuple(external_id for external_id, _ in due),
        extra={key: str(value) for key, value in (profile.extra if profile else {}).items()},
    )
    able = [
        source
        for source in platforms.sources(row.platform)
        if source.can_read(ask) and not platforms.missing_settings(source, granted=bool(token))
    ]
    ended = doubt if isinstance(doubt, ReauthRequired) else None
    return Held(row, ask, able, due=due, failures=[doubt] if doubt else [], without_grant=ended)


def _token(row: Connection, grant: Grant | None) -> tuple[Token | None, Failure | None]:
    """The token to read with, or why there is none that is worth showing to the platform.

    One that has ended is not shown to it: its refusal would say nothing of the talent's will.
    """
    if grant is None:
        if row.connection_type != ConnectionType.OAUTH:
            return None, None
        return None, ReauthRequired("The permission was taken back.", platform=row.platform)
    token = Token(grant.access_token, tuple(grant.scopes), grant.expires_at)
    if grant.expires_at is None or grant.expires_at > timezone.now():
        return token, None
    if not row.connected:
        return None, ReauthRequired("The permission has ended.", platform=row.platform)
    if row.reauth_doubts:
        return token, None  # its renewal was refused: the platform's second word decides
    waiting = PlatformUnavailable(
        "The permission could not be renewed yet. We try again by ourselves.", platform=row.platform
    )
    return None, waiting


def ask_for(held: Held) -> Ask:
    """The ask as the row's present source knows account and posts: ids differ between sources."""
    ids = held.row.metadata.get("ids", {})
    known = ids.get(held.source.name, "" if ids else held.row.external_id)
    ask = replace(held.ask, external_id=known)
    if not platforms.get(held.row.platform).post_ids_differ:
        return ask
    scraped = held.source.name in SCRAPED
    due = tuple(pk for pk, source in held.due if (source in SCRAPED) == scraped)
    return replace(ask, due_posts=due)
