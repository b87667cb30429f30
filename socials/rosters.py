"""The roster as its list shows it: who is found, in which order, and what stands in each row."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Exists,
    F,
    FloatField,
    Func,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Upper
from django.utils import timezone

from socials import handles, platforms
from socials.intelligence.trends import GROWTH_OF_A_TALENT, NO_TREND, Trend, trends
from socials.models import Connection
from socials.queries import IN_STATE, WORST_FIRST, digest, is_moving, state_of
from talent.models import Talent
from talent.templatetags.figures import cause_name
from talent.templatetags.marks import WORDS


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
    moves: bool = False
    """Whether something will happen within seconds: the list then asks more often."""
    trend: Trend = NO_TREND

    @property
    def word(self) -> str:
        return WORDS.get(self.state, "")

    @property
    def slots(self) -> list[Chip | None]:
        """Its chips in the list's three columns; a column without one is None."""
        by_platform = {chip.platform: chip for chip in self.chips}
        return [by_platform.get(platform) for platform in platforms.synced()]


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


# As a text of its own an array has braces, commas and quotes, which nobody typed.
_TAG_LINES = Func(
    F("tags"), Value("\n"), function="array_to_string", output_field=TextField(), arity=2
)
ORDERINGS: dict[str, tuple[Any, ...]] = {
    "name": (Upper("name"), "id"),
    "-growth": (F("growth").desc(nulls_last=True), "id"),
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
    talents = talents.alias(tag_lines=_TAG_LINES)
    for word in unicodedata.normalize("NFC", wanted.search).split():
        bare = word.removeprefix("@")
        by_handle = _has(Q(handle__icontains=bare)) if bare else Q()
        talents = talents.filter(
            Q(name__icontains=word)
            | Q(email__icontains=word)
            | Q(tag_lines__icontains=word)
            | by_handle
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
            platform__in=platforms.synced(),
            last_synced_at__lt=timezone.now() - timedelta(hours=wanted.stale_hours),
        )
    return talents.filter(_has(accounts)) if accounts else talents


def _has(accounts: Q) -> Exists:
    return Exists(Connection.objects.filter(accounts, talent_id=OuterRef("pk")))


def ordered(wanted: RosterFilter) -> QuerySet[Talent]:
    """As ``roster``, in the order that is wanted."""
    talents = roster(wanted)
    if wanted.ordering == "-followers":
        talents = talents.annotate(total_followers=Sum("connections__profile__followers"))
    if wanted.ordering == "synced":
        synced = Q(connections__platform__in=platforms.synced())
        talents = talents.annotate(oldest_sync=Min("connections__last_synced_at", filter=synced))
    if wanted.ordering == "-growth":
        growth = RawSQL(GROWTH_OF_A_TALENT, (), output_field=FloatField())  # noqa: S611  our own
        talents = talents.annotate(growth=growth)
    return talents.order_by(*ORDERINGS[wanted.ordering])


def roster_page(wanted: RosterFilter, *, page: int = 1, size: int = 50) -> RosterPage:
    """One page of the roster in eight queries. A page beyond the last is the last."""
    total = roster(wanted).count()
    page = min(max(page, 1), max(1, -(-total // size)))
    start = (page - 1) * size
    # Sorting whole rows would take thrice as long: first who, then what stands in their rows.
    chosen = _talents(ordered(wanted).values_list("pk", flat=True)[start : start + size])
    accounts = _accounts(chosen)
    trend = trends(accounts)
    rows = (
        replace(_row(talent, accounts[talent.pk]), trend=trend.get(talent.pk, NO_TREND))
        for talent in chosen
    )
    return RosterPage(tuple(rows), total, page, size)


def neighbour(wanted: RosterFilter, talent_id: int, step: int) -> int | None:
    """Who stands so many places after this talent (before, when negative); None beyond the ends.
    For a talent that the filter does not let through, the whole roster counts."""
    ids = list(ordered(wanted).values_list("pk", flat=True))
    if talent_id not in ids:
        ids = list(ordered(RosterFilter(status="all")).values_list("pk", flat=True))
    at = ids.index(talent_id) + step if talent_id in ids else -1
    return ids[at] if 0 <= at < len(ids) else None


def roster_rows(talent_ids: Sequence[int]) -> list[RosterRow]:
    """The rows of these talents, in this order, without their trends. Two queries."""
    talents = _talents(talent_ids)
    accounts = _accounts(talents)
    return [_row(talent, accounts[talent.pk]) for talent in talents]


def roster_version(talent_ids: Sequence[int]) -> str:
    """What the list's poll asks first. One query."""
    rows = Connection.objects.filter(talent_id__in=talent_ids).order_by("id")
    return digest(rows.values_list("id", "updated_at"))


def _talents(ids: Iterable[int]) -> list[Talent]:
    """These talents with their managers, in this order."""
    ids = list(ids)
    found = Talent.objects.select_related("manager").in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def _accounts(talents: Sequence[Talent]) -> dict[int, list[Connection]]:
    """Each talent's accounts, in the order in which they were added."""
    accounts: dict[int, list[Connection]] = {talent.pk: [] for talent in talents}
    for row in (
        Connection.objects.filter(talent_id__in=accounts)
        .select_related("profile")
        .defer("held_reading", "metadata", "profile__bio", "profile__extra")
        .order_by("created_at", "id")
    ):
        accounts[row.talent_id].append(row)
    return accounts


def _row(talent: Talent, rows: list[Connection]) -> RosterRow:
    synced = [row for row in rows if row.platform in platforms.synced()]
    worst = min((state_of(row) for row in rows), key=WORST_FIRST.index, default="")
    times = [row.last_synced_at for row in synced if row.last_synced_at]
    return RosterRow(
        id=talent.pk,
        name=talent.name,
        tags=tuple(talent.tags),
        status=talent.status,
        manager=talent.manager.first_name or str(talent.manager) if talent.manager else "",
        image_url=talent.shown_image_url,
        image_source=talent.profile_image_source,
        followers=_total(synced),
        chips=tuple(_chips(synced)),
        state=worst,
        note=_note(worst, rows),
        last_synced_at=min(times, default=None),
        moves=any(is_moving(state_of(row), row.next_attempt_at) for row in synced),
    )


def _chips(rows: list[Connection]) -> Iterable[Chip]:
    for platform in platforms.synced():
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
