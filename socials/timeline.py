"""A talent's past: what people did and how the syncs went, as one line of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from socials import handles
from socials.errors import CAUSES
from socials.models import Connection, Outcome, SyncRun
from talent.models import Activity, User

SHOWN = {"all": "All", "people": "People", "sync": "Sync", "problems": "Problems"}

# noun.verb → what stands behind the actor's name, and its icon
_DEEDS: dict[str, tuple[str, str]] = {
    "talent.added": ("added {object} to the roster", "plus"),
    "talent.updated": ("edited the profile", "edit"),
    "talent.archived": ("archived {object}", "archive"),
    "talent.restored": ("restored {object} to the roster", "archive"),
    "talent.deleted": ("deleted {object}", "trash"),
    "connection.connected": ("added {object}", "link"),
    "connection.sync_requested": ("asked for a sync of {object}", "syncing"),
    "connection.disconnected": ("deleted {object}", "trash"),
    "connection.renamed": ("noticed a new handle: {object}", "edit"),
    "connection.reauth_required": ("lost access to {object}", "reauth"),
    "invite.created": ("made an invite link for {object}", "link"),
    "invite.revoked": ("turned off the invite link of {object}", "x"),
    "kit.created": ("made a media kit link for {object}", "link"),
    "kit.revoked": ("turned off the media kit link of {object}", "x"),
    "grant.given": ("got the talent's permission for {object}", "ready"),
    "grant.renewed": ("got a new permission for {object}", "ready"),
    "grant.ends_soon": ("told staff that the permission for {object} ends soon", "pending"),
    "grant.ended": ("told staff that the permission for {object} has ended", "reauth"),
    "talent.milestone": ("noticed a milestone: {object}", "pulse"),
    "profile_image.updated": ("updated the photo", "user"),
    "profile_image.uploaded": ("uploaded a photo", "user"),
    "profile_image.removed": ("removed the photo", "user"),
    "profile_image.chosen": ("chose the photo", "user"),
    "token.issued": ("made the API token {object}", "link"),
    "token.revoked": ("revoked the API token {object}", "x"),
    "second_factor.added": ("set up a second factor", "ready"),
    "second_factor.removed": ("turned the second factor off", "x"),
    "second_factor.reset": ("took the second factor of {object} away", "x"),
    "second_factor.codes_renewed": ("made new recovery codes", "edit"),
    "second_factor.recovered": ("signed in or confirmed with a recovery code", "reauth"),
    "second_factor.paused": ("paused the second factor of {object} after wrong codes", "warn"),
    "webhook.added": ("added a webhook to {object}", "plus"),
    "webhook.changed": ("changed the webhook to {object}", "edit"),
    "webhook.deleted": ("deleted the webhook to {object}", "trash"),
    "webhook.tested": ("sent a test message to {object}", "bolt"),
    "webhook.resent": ("sent messages to {object} once more", "syncing"),
    "webhook.disabled": ("switched off the webhook to {object}", "warn"),
    "roster.imported": ("imported {object}", "upload"),
    "batch.started": ("started a {object}", "bolt"),
}
_FIELDS = {"managerId": "manager", "linkedUserId": "linked user", "timezone": "time zone"}


@dataclass(frozen=True, slots=True)
class Event:
    """One line: something that a person or Greenroom did, or a sync."""

    at: datetime
    mark: str
    """Its icon; the name of a state where it tells of one."""
    actor: str = ""
    text: str = ""
    platform: str = ""
    account: str = ""
    details: tuple[str, ...] = ()
    changes: tuple[tuple[str, str, str], ...] = ()
    """What was edited: field, before, after."""
    talent_id: int | None = None
    earlier: int = 0
    """Good syncs of the same account on the same day that this line stands for as well."""


@dataclass(frozen=True, slots=True)
class SyncRecord:
    """How an account's syncs went over the last 30 days."""

    platform: str
    shown: str
    ready: int
    ended: int

    @property
    def share(self) -> float | None:
        return self.ready / self.ended * 100 if self.ended else None


def timeline(
    talent_id: int, show: str = "all", *, connection_id: int | None = None, most: int = 60
) -> list[Event]:
    """The newest events first, of one account or of all. Three queries at most."""
    events: list[Event] = []
    if show in {"all", "people"}:
        events += _deeds(talent_id, connection_id, most)
    if show != "people":
        runs = SyncRun.objects.filter(connection__talent_id=talent_id).exclude(
            outcome=Outcome.SUPERSEDED
        )
        if connection_id is not None:
            runs = runs.filter(connection=connection_id)
        if show == "problems":
            runs = runs.exclude(outcome=Outcome.READY)
        newest = runs.select_related("connection__talent").order_by("-started_at", "-id")
        events += _collapsed(newest[: most * 4])
    return sorted(events, key=lambda event: event.at, reverse=True)[:most]


def sync_records(talent_id: int) -> list[SyncRecord]:
    """One for each account that ended a sync in the last 30 days. One query."""
    since = timezone.now() - timedelta(days=30)
    ended = Q(runs__finished_at__gt=since, runs__outcome__in=[Outcome.READY, Outcome.ERROR])
    rows = (
        Connection.objects.filter(talent_id=talent_id)
        .annotate(
            ready=Count("runs", filter=ended & Q(runs__outcome=Outcome.READY)),
            ended=Count("runs", filter=ended),
        )
        .filter(ended__gt=0)
        .order_by("created_at", "id")
        .values_list("platform", "handle", "ready", "ended")
    )
    return [
        SyncRecord(platform, handles.at(platform, handle), ready, ended)
        for platform, handle, ready, ended in rows
    ]


def _deeds(talent_id: int, connection_id: int | None, most: int) -> list[Event]:
    told = Activity.objects.filter(talent_id=talent_id)
    if connection_id is not None:
        told = told.filter(details__connectionId=connection_id)
    return deeds(told.order_by("-at", "-id")[:most])


def deeds(events: Iterable[Activity]) -> list[Event]:
    """Entries of the activity log as lines, in their order. One query at most beside theirs."""
    rows = list(events)
    named = {
        pk
        for row in rows
        for pk in (row.details.get("changes") or {}).get("managerId") or []
        if isinstance(pk, int)
    }
    people = {pk: str(user) for pk, user in User.objects.in_bulk(named).items()} if named else {}
    return [_deed(row, people) for row in rows]


def _deed(row: Activity, people: dict[int, str]) -> Event:
    plain = row.action.replace(".", " ").replace("_", " ")
    words, mark = _DEEDS.get(row.action, (f"{plain}: {{object}}" if row.object else plain, "clock"))
    changes = row.details.get("changes") or {}
    return Event(
        at=row.at,
        mark=mark,
        actor=row.actor_name or "Greenroom",
        talent_id=row.talent_id,
        text=words.format(object=row.object),
        changes=tuple(
            (
                _FIELDS.get(name, name),
                _plain(name, pair[0], people),
                _plain(name, pair[1], people),
            )
            for name, pair in changes.items()
        ),
    )


def _plain(name: str, value: object, people: dict[int, str]) -> str:
    if name == "managerId" and isinstance(value, int):
        return people.get(value, "somebody who has left")
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def _collapsed(runs: Iterable[SyncRun]) -> Iterator[Event]:
    """Runs, newest first; good ones of one account and day become one event until a bad one."""
    good: dict[tuple[int, date], Event] = {}
    for run in runs:
        key = (run.connection_id, timezone.localdate(run.finished_at))
        if run.outcome != Outcome.READY:
            if key in good:
                yield good.pop(key)
            yield _ran(run)
        elif key in good:
            good[key] = replace(good[key], earlier=good[key].earlier + 1)
        else:
            good[key] = _ran(run)
    yield from good.values()


def _ran(run: SyncRun) -> Event:
    row = run.connection
    shown = handles.at(row.platform, row.handle)
    seconds = run.duration_ms / 1000
    if run.outcome == Outcome.READY:
        found = f"{run.posts_new} new posts" if run.posts_new != 1 else "1 new post"
        return Event(
            run.finished_at,
            "ready",
            platform=row.platform,
            account=shown,
            text=f"synced in {seconds:.1f} s",
            details=(found,) if run.posts_new else (),
        )
    cause = CAUSES.get(run.error_code, CAUSES["INTERNAL"])
    words = {"P": row.get_platform_display(), "h": shown, "T": row.talent.first_name}
    again = "Another try followed." if run.outcome == Outcome.RETRY else cause.sentence
    return Event(
        run.finished_at,
        "pending" if run.outcome == Outcome.RETRY else "error",
        platform=row.platform,
        account=shown,
        text=f"failed on attempt {max(run.attempt, 1)}",
        details=(cause.title.format(**words), again.format(**words)),
    )
