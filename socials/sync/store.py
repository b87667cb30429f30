"""Writing down what one sync brought home: all of it or nothing, and only while the claim stands."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection as database
from django.db import transaction
from django.db.models import Count as CountOf
from django.db.models import Q, Value
from django.db.models.functions import Now

from scraping.errors import Failure, IdentityChanged, InvalidHandle, ReauthRequired
from scraping.types import MAX_COUNT, Count, Quality
from scraping.types import Post as ReadPost
from scraping.types import Profile as ReadProfile
from socials import handles, outbox
from socials.engagement import basis_of
from socials.errors import CAUSES
from socials.models import Connection, Outcome, Post, Profile, SyncRun, Trigger
from socials.sync import planner
from socials.sync.reading import Held
from socials.types import Depth, Reading, StopReason
from talent.activity import record
from talent.queue import later

log = structlog.get_logger(__name__)

COUNTS = ("followers", "following", "posts", "likes", "views")
METRICS = ("likes", "comments", "shares", "saves", "views", "reach")
HELD_COUNTS = ("followers", "posts")
AGREEMENT = 0.2
"""Two doubtful readings agree when they differ by no more than this share."""


class Late(Exception):
    """The claim no longer stands: somebody else holds the row, or it is gone."""


@dataclass(slots=True)
class Saved:
    """What storing a reading came to."""

    posts_new: int = 0
    followers: int | None = None
    partial: list[str] = field(default_factory=list)
    held: dict[str, Any] = field(default_factory=dict)


def save(held: Held, reading: Reading) -> Saved:
    """Store profile, posts, the day's point and the run; the row becomes READY.

    Raises Late when the claim no longer stands, and IdentityChanged or InvalidHandle when the
    account that answered is not the one that is meant. Nothing is written then.
    """
    with transaction.atomic():
        row = _locked(held)
        _same_account(row, reading)
        profile = Profile.objects.filter(pk=row.pk).first()
        saved = Saved(partial=list(dict.fromkeys(reading.partial)))
        if _without_grant(held, row) and "grant" not in saved.partial:
            saved.partial.append("grant")
        _hold_doubtful(row, profile, reading, saved)
        before = profile.followers if profile else None
        saved.followers = _save_profile(row, profile, reading, saved).followers
        outbox.milestone(row, before=before, followers=saved.followers)
        saved.posts_new = _save_posts(row.pk, reading)
        _mark_deleted(row, reading, saved)
        _save_snapshot(row, reading, saved)
        _conclude(held, row, reading, saved)
        write_run(held, Outcome.READY, reading=reading, posts_new=saved.posts_new)
    return saved


def write_run(
    held: Held,
    outcome: Outcome,
    *,
    failure: Failure | None = None,
    reading: Reading | None = None,
    posts_new: int = 0,
) -> None:
    """Append the record of one attempt."""
    row = held.row
    started_at = row.started_at or row.updated_at
    duration = timedelta(seconds=time.monotonic() - held.claimed_at)
    asked = held.ask.post_limit if held.ask.depth is Depth.FULL else len(held.ask.due_posts)
    SyncRun.objects.create(
        connection_id=row.pk,
        platform=row.platform,
        trigger=row.trigger if row.attempt <= 1 else Trigger.RETRY,
        sync_version=row.sync_version,
        attempt=row.attempt,
        requested_at=row.requested_at,
        started_at=started_at,
        finished_at=started_at + duration,
        duration_ms=round(duration.total_seconds() * 1000),
        outcome=outcome,
        error_code=failure.code if failure else "",
        message=clean(failure.detail) if failure else "",
        source=reading.source if reading else held.source.name if held.sources else "",
        calls=held.calls,
        units=held.units,
        posts_asked=asked,
        posts_delivered=len(reading.posts) if reading else 0,
        posts_new=posts_new,
        posts_total=count(reading.posts_total) if reading else None,
        stop_reason=reading.stop_reason if reading else "",
        worker=row.lease_owner,
    )


def save_failure(
    held: Held,
    failure: Failure,
    *,
    retry_at: datetime | timedelta | None,
    counted: bool = True,
    reauth_doubts: int | None = None,
) -> None:
    """Store that an attempt did not succeed: it waits until ``retry_at``, or None: it is an ERROR.

    ``counted=False`` is a snooze, which costs no attempt. Raises Late when the claim is gone.
    """
    with transaction.atomic():
        row = _locked(held)
        more: dict[str, Any] = {}
        if reauth_doubts is not None:
            more["reauth_doubts"] = reauth_doubts
        claim: dict[str, Any] = {
            "version": row.sync_version,
            "owner": row.lease_owner,
            "code": failure.code,
            "message": words(failure, row),
        }
        if retry_at is not None:
            Connection.objects.all().retry(row.pk, at=retry_at, counted=counted, **claim, **more)
            write_run(held, Outcome.RETRY, failure=failure)
            return
        if isinstance(failure, ReauthRequired):
            more["connected"] = False
            _tell_reauth(row)
        elif row.told != failure.code:
            outbox.failed(row, code=failure.code, message=claim["message"])
        more["told"] = failure.code
        at = planner.next_refresh_after(failure, row)
        Connection.objects.all().fail(row.pk, next_refresh_at=at, **claim, **more)
        write_run(held, Outcome.ERROR, failure=failure)


def words(failure: Failure, row: Connection) -> str:
    """The failure as staff read it: what happened, then what is known of it."""
    cause = CAUSES[failure.code]
    names = {
        "P": row.get_platform_display(),
        "h": handles.at(row.platform, row.handle),
        "T": row.talent.first_name,
    }
    title = cause.title.format(**names)
    told = clean(failure.detail, 500) or cause.sentence.format(**names)
    return told if told.startswith(title.rstrip(".")) else f"{title} {told}"


def write_superseded(held: Held) -> None:
    """Append that a result came too late, if its connection still exists."""
    with transaction.atomic():
        alive = Connection.objects.filter(pk=held.row.pk).select_for_update(no_key=True)
        if alive.exists():
            write_run(held, Outcome.SUPERSEDED)


def clean(text: str | None, limit: int | None = None) -> str:
    """Text that PostgreSQL takes: no NUL, no lone surrogate, no more than ``limit`` characters."""
    whole = (text or "").replace("\x00", "").encode(errors="replace").decode()
    return whole[:limit]


def link(url: str | None, limit: int) -> str:
    """A URL, or nothing: a cut one would lead elsewhere."""
    whole = clean(url)
    return whole if len(whole) <= limit else ""


def count(value: int | None) -> int | None:
    return value if value is not None and 0 <= value <= MAX_COUNT else None


def _locked(held: Held) -> Connection:
    row = held.row
    claim = Connection.objects.claimed(row.pk, version=row.sync_version, owner=row.lease_owner)
    current = claim.select_for_update(no_key=True).first()
    if current is None:
        raise Late
    return current


# --- is it the same account? ---


def _same_account(row: Connection, reading: Reading) -> None:
    told = clean(reading.profile.external_id, 120)
    known = _known_id(row, reading.source)
    if known and told and told != known:
        raise IdentityChanged(
            f"{row.handle} belongs to another account now (id {told}, it was {known}).",
            platform=row.platform,
            source=reading.source,
        )
    if told and not row.external_id:
        twins = Connection.objects.filter(
            talent_id=row.talent_id, platform=row.platform, external_id=told
        )
        twin = twins.exclude(pk=row.pk).first()
        if twin is not None:
            raise InvalidHandle(
                f"This is the same account as {handles.at(row.platform, twin.handle)}, "
                "which is connected already. Delete this one.",
                platform=row.platform,
                field="handle",
            )


def _known_id(row: Connection, source: str) -> str:
    """The account's id as this source told it before. Ids of different sources don't compare."""
    ids: dict[str, str] = row.metadata.get("ids", {})
    return ids.get(source, "") if ids else row.external_id


def _renamed(row: Connection, reading: Reading) -> dict[str, Any]:
    """The account's present names, where they changed and are free."""
    told = clean(reading.profile.handle, 120).lstrip("@")
    if not told or told == row.handle:
        return {}
    try:
        account = handles.parse(row.platform, handle=told)
    except InvalidHandle:
        return {}
    names = {"handle": account.handle, "handle_key": account.key, "profile_url": account.url}
    if account.key == row.handle_key:
        return names
    others = Connection.objects.filter(
        talent_id=row.talent_id, platform=row.platform, handle_key=account.key
    )
    if others.exclude(pk=row.pk).exists():
        log.warning("sync.rename_clash", connection_id=row.pk, handle=account.handle)
        return {}
    if row.last_synced_at is not None:
        record(
            "connection.renamed",
            talent_id=row.talent_id,
            object=f"{row.get_platform_display()} {account.handle}",
            details={"connectionId": row.pk, "from": row.handle, "to": account.handle},
        )
    return names


# --- doubtful numbers ---


def _hold_doubtful(
    row: Connection, profile: Profile | None, reading: Reading, saved: Saved
) -> None:
    """A fall of more than half waits until a second reading agrees."""
    before: dict[str, Any] = row.held_reading or {}
    for name in HELD_COUNTS:
        told = count(getattr(reading.profile, name).value)
        stored = getattr(profile, name) if profile else None
        if told is None or stored is None or told * 2 >= stored:
            continue
        doubted = before.get(name)
        if doubted is None or abs(doubted - told) > AGREEMENT * max(doubted, told):
            saved.held[name] = told
            if name not in saved.partial:
                saved.partial.append(name)


# --- profile ---


def _save_profile(
    row: Connection, profile: Profile | None, reading: Reading, saved: Saved
) -> Profile:
    """Null, absent and empty never replace what is stored; each number keeps its provenance."""
    told = reading.profile
    kept = profile or Profile(connection_id=row.pk, quality={}, provenance={}, extra={})
    stamp = {"source": reading.source, "fetchedAt": _instant(reading.fetched_at)}
    for name in COUNTS:
        number: Count = getattr(told, name)
        value = None if name in saved.held else count(number.value)
        if value is not None:
            setattr(kept, name, value)
            kept.provenance[name] = stamp
            kept.quality[name] = str(number.quality)
        elif getattr(kept, name) is None and number.quality is Quality.HIDDEN:
            kept.quality[name] = str(number.quality)
    kept.display_name = clean(told.display_name, 300) or kept.display_name
    kept.bio = clean(told.bio) or kept.bio
    avatar_url = link(told.avatar_url, 2000) or kept.avatar_url
    # The query of a CDN's URL is its signature, new with each reading.
    if avatar_url.partition("?")[0] != kept.avatar_url.partition("?")[0]:
        later("socials.tasks.refresh_photos", [row.talent_id], force=True)
    kept.avatar_url = avatar_url
    kept.verified = kept.verified if told.verified is None else told.verified
    kept.private = kept.private if told.private is None else told.private
    kept.extra |= {clean(key): clean(value) for key, value in told.extra.items()}
    kept.source = reading.source
    kept.fetched_at = reading.fetched_at
    kept.save(force_insert=profile is None, force_update=profile is not None)
    return kept


# --- posts ---

_KEEP = "COALESCE(EXCLUDED.{0}, kept.{0})"
_KEEP_TEXT = "COALESCE(NULLIF(EXCLUDED.{0}, ''), kept.{0})"
_TEXTS = ("caption", "url", "thumbnail_url", "view_definition")
_PLAIN = ("posted_at", "duration_seconds", *METRICS)
_SET = {
    # What the platform declared is not overwritten by a guess.
    "kind": "CASE WHEN EXCLUDED.kind_confidence <> 'declared' "
    "AND kept.kind_confidence = 'declared' THEN kept.kind ELSE EXCLUDED.kind END",
    "kind_confidence": "CASE WHEN EXCLUDED.kind_confidence <> 'declared' "
    "AND kept.kind_confidence = 'declared' THEN kept.kind_confidence "
    "ELSE EXCLUDED.kind_confidence END",
    "partial": "EXCLUDED.partial",
    "note": "EXCLUDED.note",
    **{name: _KEEP_TEXT.format(name) for name in _TEXTS},
    **{name: _KEEP.format(name) for name in _PLAIN},
    # A metric that this reading does not tell keeps its number, so it keeps its quality too.
    "quality": "EXCLUDED.quality || jsonb_strip_nulls(jsonb_build_object("
    + ", ".join(
        f"'{name}', CASE WHEN EXCLUDED.{name} IS NULL AND kept.{name} IS NOT NULL "
        f"THEN kept.quality->'{name}' END"
        for name in METRICS
    )
    + "))",
    "metrics_due_at": "CASE WHEN EXCLUDED.quality = '{}'::jsonb THEN kept.metrics_due_at "
    "ELSE EXCLUDED.metrics_due_at END",
    "source": "EXCLUDED.source",
    "fetched_at": "EXCLUDED.fetched_at",
    "deleted_at": "NULL::timestamptz",
}
_STAMPS = ("metrics_due_at", "source", "fetched_at")
_CHANGED = [name for name in _SET if name not in _STAMPS]

UPSERT_POSTS = f"""
    INSERT INTO socials_post AS kept (
        connection_id, external_id, created_at, {", ".join(_SET)}
    )
    SELECT %s, external_id, statement_timestamp(), {", ".join(_SET)}
    FROM jsonb_to_recordset(%s::jsonb) AS told (
        external_id text, kind text, partial jsonb, note text,
        caption text, url text, thumbnail_url text, view_definition text, kind_confidence text,
        posted_at timestamptz, duration_seconds double precision,
        {", ".join(f"{name} bigint" for name in METRICS)},
        quality jsonb, metrics_due_at timestamptz, source text, fetched_at timestamptz,
        deleted_at timestamptz
    )
    ON CONFLICT (connection_id, external_id) DO UPDATE
    SET {", ".join(f"{name} = {value}" for name, value in _SET.items())}
    WHERE ({", ".join(f"kept.{name}" for name in _CHANGED)})
        IS DISTINCT FROM ({", ".join(_SET[name] for name in _CHANGED)})
        OR kept.metrics_due_at <= EXCLUDED.fetched_at
        OR kept.fetched_at < EXCLUDED.fetched_at - interval '1 day'
    RETURNING (xmax = 0)
"""  # noqa: S608  built from this module's constants alone


def _save_posts(connection_id: int, reading: Reading) -> int:
    """One statement: new posts in, changed ones updated, the rest left alone. How many are new."""
    told = {
        post.external_id: _post_row(post, reading)
        for post in reversed(reading.posts)
        if post.external_id and len(post.external_id) <= 120
    }
    if not told:
        return 0
    with database.cursor() as cursor:
        cursor.execute(UPSERT_POSTS, [connection_id, json.dumps(list(told.values()))])
        return sum(1 for (is_new,) in cursor.fetchall() if is_new)


def _post_row(post: ReadPost, reading: Reading) -> dict[str, Any]:
    numbers: dict[str, Count] = {name: getattr(post, name) for name in METRICS}
    seconds = post.duration_seconds
    return {
        "external_id": clean(post.external_id),
        "kind": str(post.kind),
        "partial": list(post.partial),
        "note": clean(post.note, 300),
        "caption": clean(post.caption),
        "url": link(post.url, 1000),
        "thumbnail_url": link(post.thumbnail_url, 2000),
        "view_definition": clean(post.view_definition, 60),
        "kind_confidence": clean(post.kind_confidence, 10),
        "posted_at": _instant(post.posted_at),
        "duration_seconds": seconds if seconds is not None and math.isfinite(seconds) else None,
        **{name: count(number.value) for name, number in numbers.items()},
        "quality": {
            name: str(number.quality)
            for name, number in numbers.items()
            if number.quality is not Quality.UNKNOWN
        },
        "metrics_due_at": _instant(planner.metrics_due_at(post.posted_at, reading.fetched_at)),
        "source": reading.source,
        "fetched_at": _instant(reading.fetched_at),
        "deleted_at": None,
    }


def _mark_deleted(row: Connection, reading: Reading, saved: Saved) -> None:
    """Posts that the platform no longer has are marked; most of them at once wait for a second look."""
    live = Post.objects.filter(connection_id=row.pk, deleted_at__isnull=True)
    if reading.gone_posts:
        live.filter(external_id__in=reading.gone_posts).update(deleted_at=Now())
    if reading.listed_since is None:
        return
    span = live.filter(posted_at__gte=reading.listed_since)
    seen = {post.external_id for post in reading.posts}.union(reading.listed_posts)
    delivered = Q(external_id__in=seen)
    counted = span.aggregate(all=CountOf("pk"), gone=CountOf("pk", filter=~delivered))
    absent, gone = span.exclude(delivered), counted["gone"]
    doubtful = "posts" in saved.held or gone * 2 > counted["all"]
    if gone and doubtful and "deleted" not in (row.held_reading or {}):
        saved.held["deleted"] = gone
        return
    if gone:
        absent.update(deleted_at=Now())


# --- history ---

UPSERT_SNAPSHOT = f"""
    INSERT INTO socials_snapshot AS kept (
        connection_id, date, {", ".join(COUNTS)}, engagement_rate, view_definition, source, taken_at
    )
    SELECT %(connection)s, (statement_timestamp() AT TIME ZONE 'UTC')::date,
        {", ".join(f"%({name})s::bigint" for name in COUNTS)},
        CASE WHEN %(by_followers)s
            THEN acts / NULLIF(posts * %(followers)s::bigint, 0) ELSE acts / NULLIF(views, 0)
        END * 100,
        COALESCE(definition, ''), %(source)s, %(taken_at)s
    FROM (
        SELECT sum(likes + COALESCE(comments, 0) + COALESCE(shares, 0) + COALESCE(saves, 0)) AS acts,
            count(*) AS posts, sum(views) AS views,
            (array_agg(view_definition ORDER BY posted_at DESC, id DESC)
                FILTER (WHERE view_definition <> ''))[1] AS definition
        FROM socials_post
        WHERE connection_id = %(connection)s AND deleted_at IS NULL AND likes IS NOT NULL
            AND (views IS NOT NULL OR %(by_followers)s)
            AND posted_at >= statement_timestamp() - interval '30 days'
    ) recent
    ON CONFLICT (connection_id, date) DO UPDATE SET
        {", ".join(f"{name} = COALESCE(EXCLUDED.{name}, kept.{name})" for name in COUNTS)},
        engagement_rate = COALESCE(EXCLUDED.engagement_rate, kept.engagement_rate),
        view_definition = COALESCE(NULLIF(EXCLUDED.view_definition, ''), kept.view_definition),
        source = EXCLUDED.source, taken_at = EXCLUDED.taken_at
"""  # noqa: S608  built from this module's constants alone


def _save_snapshot(row: Connection, reading: Reading, saved: Saved) -> None:
    """The UTC day's point. What was not read is a gap, never an old number under a new date.

    Its engagement is that of the last 30 days' posts, in percent of followers or of views.
    """
    numbers = {
        name: None if name in saved.held else count(getattr(reading.profile, name).value)
        for name in COUNTS
    }
    with database.cursor() as cursor:
        cursor.execute(
            UPSERT_SNAPSHOT,
            {
                "connection": row.pk,
                "by_followers": basis_of(row.platform) == "followers",
                "source": reading.source,
                "taken_at": reading.fetched_at,
                **numbers,
            },
        )


# --- the row itself ---


def _conclude(held: Held, row: Connection, reading: Reading, saved: Saved) -> None:
    told: ReadProfile = reading.profile
    listed = reading.stop_reason in (StopReason.END, StopReason.LIMIT)
    ended = _without_grant(held, row)
    external_id = clean(told.external_id, 120)
    ids = {**row.metadata.get("ids", {}), **({reading.source: external_id} if external_id else {})}
    values: dict[str, Any] = {
        "source": reading.source,
        "partial": saved.partial,
        "held_reading": saved.held or None,
        "last_synced_at": Now(),
        "next_refresh_at": planner.next_refresh(row, again_soon=bool(saved.held)),
        "error_code": ended.code if ended else "",
        "sync_error": words(ended, row) if ended else "",
        "connected": ended is None,
        "reauth_doubts": row.reauth_doubts if ended else 0,
        "told": ended.code if ended else outbox.READY,
        "metadata": Value({**row.metadata, "ids": ids}, Connection._meta.get_field("metadata")),
        **_renamed(row, reading),
    }
    if listed:
        values["last_posts_read_at"] = Now()
    if external_id and not row.external_id:
        values["external_id"] = external_id
    if ended:
        _tell_reauth(row)
    if row.told not in ({outbox.READY, ended.code} if ended else {outbox.READY}):
        outbox.ready(row, source=reading.source, followers=saved.followers)
    held_still = Connection.objects.all().succeed(
        row.pk, version=row.sync_version, owner=row.lease_owner, **values
    )
    if not held_still:
        raise Late


def _without_grant(held: Held, row: Connection) -> ReauthRequired | None:
    """The grant's end, where another source answered in its place."""
    if held.grant_refused:
        return held.grant_refused
    if row.connected or held.by_grant:
        return None
    return ReauthRequired(platform=row.platform)


def _tell_reauth(row: Connection) -> None:
    if row.connected:
        outbox.reauth_required(row)
        record(
            "connection.reauth_required",
            talent_id=row.talent_id,
            object=str(row),
            details={"connectionId": row.pk, "platform": row.platform, "handle": row.handle},
        )


def _instant(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
