"""Writing down what syncs brought home: all of an account or nothing, while its claim stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction

from scraping.errors import Failure, ReauthRequired
from scraping.types import Count, Quality
from socials import outbox
from socials.engagement import basis_of
from socials.images.due import refresh_later
from socials.models import Connection, Outcome, Profile, SyncRun, SyncStatus
from socials.sync import identity, planner, posts, tables
from socials.sync.cleaning import clean, count, link
from socials.sync.reading import Held
from socials.sync.runs import run_of
from socials.sync.tables import COUNTS
from socials.sync.wording import words
from socials.types import Reading, StopReason
from talent.activity import record

log = structlog.get_logger(__name__)

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


Fate = Saved | Exception
"""What became of one reading: stored, or why it was not."""


@dataclass(slots=True)
class _Work:
    """One account's reading beside what is stored of it."""

    held: Held
    row: Connection
    profile: Profile | None
    reading: Reading
    saved: Saved
    names: dict[str, str] = field(default_factory=dict)


def save(brought: Sequence[tuple[Held, Reading]]) -> list[Fate]:
    """Store readings that arrived together: profiles, posts, the day's points, runs; rows → READY.

    All of an account or nothing of it. One that can't be stored fails alone. A fate is Late where
    the claim no longer stands, IdentityChanged or InvalidHandle where the account that answered is
    not the one that is meant, else what the database refused it with.
    """
    if not brought:
        return []
    try:
        with transaction.atomic():
            return _save_together(brought)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001  what one account brought must not stop the others
        if len(brought) == 1:
            return [error]
    half = len(brought) // 2
    return save(brought[:half]) + save(brought[half:])


def _save_together(brought: Sequence[tuple[Held, Reading]]) -> list[Fate]:
    fates: list[Fate] = []
    works: list[_Work] = []
    rows = _locked([held for held, _ in brought])
    profiles = Profile.objects.in_bulk(list(rows))
    twins = identity.twins(
        [(rows[held.row.pk], told) for held, told in brought if held.row.pk in rows]
    )
    for held, reading in brought:
        row = rows.get(held.row.pk)
        objection = identity.objection(row, reading, twins) if row else Late()
        if row is None or objection is not None:
            fates.append(objection or Late())
            continue
        saved = Saved(partial=list(dict.fromkeys(reading.partial)))
        works.append(_Work(held, row, profiles.get(row.pk), reading, saved))
        fates.append(saved)
    if works:
        _write(works)
    return fates


def _write(works: Sequence[_Work]) -> None:
    for work in works:
        if _without_grant(work.held, work.row) and "grant" not in work.saved.partial:
            work.saved.partial.append("grant")
        _hold_doubtful(work)
    _save_profiles(works)
    new = posts.save([(work.row.pk, work.reading) for work in works])
    for work in works:
        work.saved.posts_new = new[work.row.pk]
    _mark_deleted(works)
    tables.save_snapshots([_snapshot(work) for work in works])
    for work in works:
        work.names = identity.renamed(work.row, work.reading)
    stood = Connection.objects.all().succeed([_conclusion(work) for work in works])
    if len(stood) != len(works):
        raise Late
    SyncRun.objects.bulk_create(
        [
            run_of(work.held, Outcome.READY, reading=work.reading, posts_new=work.saved.posts_new)
            for work in works
        ]
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
        row = _locked([held]).get(held.row.pk)
        if row is None:
            raise Late
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
            run_of(held, Outcome.RETRY, failure=failure).save()
            return
        if isinstance(failure, ReauthRequired):
            more["connected"] = False
            _tell_reauth(row)
        elif row.told != failure.code:
            outbox.failed(row, code=failure.code, message=claim["message"])
        more["told"] = failure.code
        at = planner.next_refresh_after(failure, row)
        Connection.objects.all().fail(row.pk, next_refresh_at=at, **claim, **more)
        run_of(held, Outcome.ERROR, failure=failure).save()


def write_superseded(held: Held) -> None:
    """Append that a result came too late, if its connection still exists."""
    with transaction.atomic():
        alive = Connection.objects.filter(pk=held.row.pk).select_for_update(no_key=True)
        if alive.exists():
            run_of(held, Outcome.SUPERSEDED).save()


def _locked(helds: Sequence[Held]) -> dict[int, Connection]:
    """The rows whose claims still stand, locked in one order, by their id."""
    claims = {held.row.pk: (held.row.sync_version, held.row.lease_owner) for held in helds}
    held_still = Connection.objects.filter(pk__in=claims, sync_status=SyncStatus.SYNCING)
    rows = held_still.order_by("pk").select_for_update(no_key=True)
    return {row.pk: row for row in rows if claims[row.pk] == (row.sync_version, row.lease_owner)}


# --- doubtful numbers ---


def _hold_doubtful(work: _Work) -> None:
    """A fall of more than half waits until a second reading agrees."""
    before: dict[str, Any] = work.row.held_reading or {}
    saved = work.saved
    for name in HELD_COUNTS:
        told = count(getattr(work.reading.profile, name).value)
        stored = getattr(work.profile, name) if work.profile else None
        if told is None or stored is None or told * 2 >= stored:
            continue
        doubted = before.get(name)
        if doubted is None or abs(doubted - told) > AGREEMENT * max(doubted, told):
            saved.held[name] = told
            if name not in saved.partial:
                saved.partial.append(name)


# --- profile ---


def _save_profiles(works: Sequence[_Work]) -> None:
    pictured = []
    rows = []
    for work in works:
        before = work.profile or Profile(
            connection_id=work.row.pk, quality={}, provenance={}, extra={}
        )
        kept = _profile(work, before)
        # The query of a CDN's URL is its signature, new with each reading.
        if kept["avatar_url"].partition("?")[0] != before.avatar_url.partition("?")[0]:
            pictured.append(work.row.talent_id)
        work.saved.followers = kept["followers"]
        known = before.followers if work.profile else None
        outbox.milestone(work.row, before=known, followers=kept["followers"])
        rows.append(kept)
    tables.save_profiles(rows)
    refresh_later(sorted(set(pictured)), force=True)


def _profile(work: _Work, before: Profile) -> dict[str, Any]:
    """Null, absent and empty never replace what is stored; each number keeps its provenance.

    Only a number that its owner hides from now on does go.
    """
    reading, told = work.reading, work.reading.profile
    stamp = {"source": reading.source, "fetchedAt": _instant(reading.fetched_at)}
    numbers = {name: getattr(before, name) for name in COUNTS}
    quality, provenance = dict(before.quality), dict(before.provenance)
    for name in COUNTS:
        number: Count = getattr(told, name)
        value = None if name in work.saved.held else count(number.value)
        if value is not None:
            numbers[name], provenance[name] = value, stamp
            quality[name] = str(number.quality)
        elif number.quality is Quality.HIDDEN:  # the owner says so: an old number would be untrue
            numbers[name], provenance[name] = None, stamp
            quality[name] = str(number.quality)
    return {
        "connection_id": work.row.pk,
        "display_name": clean(told.display_name, 300) or before.display_name,
        "bio": clean(told.bio) or before.bio,
        "avatar_url": link(told.avatar_url, 2000) or before.avatar_url,
        **numbers,
        "verified": before.verified if told.verified is None else told.verified,
        "private": before.private if told.private is None else told.private,
        "quality": quality,
        "provenance": provenance,
        "extra": before.extra | {clean(key): clean(value) for key, value in told.extra.items()},
        "source": reading.source,
        "fetched_at": _instant(reading.fetched_at),
    }


# --- posts that are gone ---


def _mark_deleted(works: Sequence[_Work]) -> None:
    """Posts that the platform no longer has are marked; most of them at once wait for a second look."""
    tables.mark_gone(
        [(work.row.pk, clean(name)) for work in works for name in work.reading.gone_posts]
    )
    listings = {
        work.row.pk: {
            "connection_id": work.row.pk,
            "since": _instant(work.reading.listed_since),
            "seen": sorted(_seen(work.reading)),
        }
        for work in works
        if work.reading.listed_since is not None
    }
    counted = tables.absent_posts(list(listings.values()))
    sure = []
    for work in works:
        stored, absent = counted.get(work.row.pk, (0, 0))
        doubtful = "posts" in work.saved.held or absent * 2 > stored
        if absent and doubtful and "deleted" not in (work.row.held_reading or {}):
            work.saved.held["deleted"] = absent
        elif absent:
            sure.append(listings[work.row.pk])
    tables.mark_absent(sure)


def _seen(reading: Reading) -> set[str]:
    return {clean(post.external_id) for post in reading.posts} | set(
        map(clean, reading.listed_posts)
    )


# --- history ---


def _snapshot(work: _Work) -> dict[str, Any]:
    """The day's point. What was not read is a gap, never an old number under a new date."""
    profile, held = work.reading.profile, work.saved.held
    return {
        "connection_id": work.row.pk,
        "by_followers": basis_of(work.row.platform) == "followers",
        "source": work.reading.source,
        "taken_at": _instant(work.reading.fetched_at),
        **{name: None if name in held else count(getattr(profile, name).value) for name in COUNTS},
    }


# --- the row itself ---


def _conclusion(work: _Work) -> dict[str, Any]:
    """What the row itself keeps of a reading, as its move to READY takes it."""
    row, reading, saved = work.row, work.reading, work.saved
    lacks = _without_grant(work.held, row)
    ended = isinstance(lacks, ReauthRequired)
    external_id = clean(reading.profile.external_id, 120)
    ids = {**row.metadata.get("ids", {}), **({reading.source: external_id} if external_id else {})}
    if ended:
        _tell_reauth(row)
    if row.told not in ({outbox.READY, ReauthRequired.code} if ended else {outbox.READY}):
        outbox.ready(row, source=reading.source, followers=saved.followers)
    return {
        "id": row.pk,
        "version": row.sync_version,
        "owner": row.lease_owner,
        "listed": reading.stop_reason in (StopReason.END, StopReason.LIMIT),
        "refresh_in": planner.refresh_in(row, again_soon=bool(saved.held)).total_seconds(),
        "source": reading.source,
        "partial": saved.partial,
        "held_reading": saved.held or None,
        "error_code": lacks.code if lacks else "",
        "sync_error": words(lacks, row) if lacks else "",
        "connected": not ended,
        "reauth_doubts": row.reauth_doubts if ended else 0,
        "told": ReauthRequired.code if ended else outbox.READY,
        "metadata": {**row.metadata, "ids": ids},
        "external_id": row.external_id or external_id,
        "handle": row.handle,
        "handle_key": row.handle_key,
        "profile_url": row.profile_url,
        **work.names,
    }


def _without_grant(held: Held, row: Connection) -> Failure | None:
    """What is wrong with the grant, where another source answered in its place."""
    if held.without_grant:
        return held.without_grant
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
