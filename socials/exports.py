"""The roster as a table, with its latest numbers: a file that can be imported again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from django.db.models import OuterRef, QuerySet, Subquery

from socials import handles, platforms, spreadsheets
from socials.errors import InvalidHandle
from socials.imports import PLATFORM_COLUMNS, ROSTER_COLUMNS
from socials.models import Connection, Snapshot
from socials.spreadsheets import Cell
from talent.models import Talent

A_PART: Final = 500
NUMBERS: Final = ("followers", "following", "posts", "likes", "views")


def columns() -> list[str]:
    """The import's columns, then status, the sum of followers, and each platform's numbers."""
    return [
        *ROSTER_COLUMNS,
        "status",
        "total_followers",
        *(
            f"{platform.lower()}_{fact}"
            for platform in platforms.synced()
            for fact in (*NUMBERS, "engagement_rate", "synced_at")
        ),
    ]


def rows(talents: QuerySet[Talent]) -> Iterator[list[Cell]]:
    """One row for each talent, in their order, else by name. Numbers of several accounts on one
    platform are added, the engagement rate is the largest account's; nothing known is an empty
    cell. Who is meant is asked once; the rest is read in parts, two queries for each."""
    chosen = talents if talents.ordered else talents.order_by("name", "id")
    ids = list(chosen.values_list("pk", flat=True))
    for start in range(0, len(ids), A_PART):
        yield from _part(ids[start : start + A_PART])


def _part(ids: Sequence[int]) -> Iterator[list[Cell]]:
    found = Talent.objects.select_related("manager").in_bulk(ids)
    accounts: dict[int, list[Connection]] = defaultdict(list)
    for row in _accounts(ids):
        accounts[row.talent_id].append(row)
    for pk in ids:
        if pk in found:
            yield _row(found[pk], accounts[pk])


def export_roster(file: Path, talents: QuerySet[Talent]) -> int:
    """Write the table to a .csv or .xlsx file. How many talents. Raises Unreadable."""
    return spreadsheets.write(file, columns(), rows(talents))


def _accounts(talent_ids: Sequence[int]) -> QuerySet[Connection]:
    latest = Snapshot.objects.filter(connection=OuterRef("pk")).order_by("-date")
    return (
        Connection.objects.filter(talent__in=talent_ids)
        .select_related("profile")
        .annotate(engagement_rate=Subquery(latest.values("engagement_rate")[:1]))
        .defer("held_reading", "metadata", "profile__bio", "profile__extra")
        .order_by("platform", "created_at", "id")
    )


def _row(talent: Talent, accounts: list[Connection]) -> list[Cell]:
    synced = [row for row in accounts if row.platform in platforms.synced()]
    manager = talent.manager
    return [
        talent.name,
        talent.email,
        "; ".join(talent.tags),
        (manager.email or manager.username) if manager else "",
        *(
            "; ".join(_typed(row) for row in accounts if row.platform == platform)
            for platform in PLATFORM_COLUMNS.values()
        ),
        talent.status,
        _sum(synced, "followers"),
        *(
            fact
            for platform in platforms.synced()
            for fact in _facts([row for row in synced if row.platform == platform])
        ),
    ]


def _facts(rows: list[Connection]) -> Iterator[Cell]:
    for number in NUMBERS:
        yield _sum(rows, number)
    largest = max(rows, key=lambda row: _number(row, "followers") or -1, default=None)
    rate = getattr(largest, "engagement_rate", None)
    yield None if rate is None else round(rate, 2)
    times = [row.last_synced_at for row in rows if row.last_synced_at]
    yield spreadsheets.time(min(times, default=None))


def _sum(rows: list[Connection], name: str) -> int | None:
    known = [number for row in rows if (number := _number(row, name)) is not None]
    return sum(known) if known else None


def _number(row: Connection, name: str) -> int | None:
    profile = getattr(row, "profile", None)
    number: int | None = getattr(profile, name) if profile else None
    return number


def _typed(row: Connection) -> str:
    """What reads back as this account: the handle, or the link where a rule has changed since."""
    try:
        handles.parse(row.platform, row.handle)
    except InvalidHandle:
        return row.profile_url
    return row.handle
