"""People and accounts from a file: a roster with its handles.

A file is planned row by row against what is there, then written set-wise in one transaction; a dry
run stops after the plan, so it tells the same outcomes. A row goes in whole or not at all, and a bad
one never stops the others. Importing a file twice changes nothing the second time.

A row of a roster is the talent with its e-mail address (in any case). Without such a talent it is
the one of exactly that name, unless that one has another e-mail address: then it is a namesake, and
new. An empty cell leaves what is there. A cell may hold several handles, with ; between.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from django.db import connection as database
from django.db import transaction

from socials import connections, handles, spreadsheets
from socials.errors import InvalidHandle
from socials.handles import Handle
from socials.models import Connection
from socials.platforms import PLATFORMS
from socials.spreadsheets import Row, Table
from talent import roster, rules
from talent.models import Talent, User
from talent.roles import can_read

Outcome = Literal["created", "updated", "unchanged", "failed"]

PLATFORM_COLUMNS: Final = {platform.lower(): platform for platform in PLATFORMS}
ROSTER_COLUMNS: Final = ("name", "email", "tags", "manager", *PLATFORM_COLUMNS)
NEEDED: Final = ("name",)
MOST_FAULTS: Final = 5
"""Texts that one cell gets: a cell may hold thousands of handles, each of them wrong."""
_IMPORTING: Final = 7_408  # our advisory lock
_COLUMN_OF: Final = {"manager_id": "manager"}


@dataclass(slots=True)
class RowResult:
    """What became of a row, or would become. ``errors``: column → texts."""

    row: int
    outcome: Outcome
    talent_id: int | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    name: str = ""
    given: dict[str, str] = field(default_factory=dict)
    """What stands in the cells that are wrong."""
    changed: tuple[str, ...] = ()
    """The columns that a row of a roster adds to, or changes."""

    def as_json(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "outcome": self.outcome,
            "talentId": self.talent_id,
            "errors": self.errors,
        }


@dataclass(frozen=True, slots=True)
class Report:
    rows: tuple[RowResult, ...]
    ignored: tuple[str, ...] = ()
    """Columns of the file that mean nothing here."""

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(row.outcome for row in self.rows)
        outcomes: tuple[Outcome, ...] = ("created", "updated", "unchanged", "failed")
        return {outcome: counted[outcome] for outcome in outcomes}

    def as_json(self) -> dict[str, Any]:
        return {**self.counts, "rows": [row.as_json() for row in self.rows]}


@dataclass(slots=True, eq=False)
class _Person:
    """A talent as it will be after the rows read so far."""

    fields: dict[str, Any]
    talent: Talent | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    keys: set[tuple[str, str]] = field(default_factory=set)
    accounts: list[Handle] = field(default_factory=list)
    results: list[RowResult] = field(default_factory=list)

    def take(self, fields: Mapping[str, Any]) -> list[str]:
        """Accept new values; the names of those that differ."""
        moved = {k: v for k, v in fields.items() if self.fields.get(k) != v}
        self.fields |= moved
        self.changes |= moved
        return list(moved)

    def add(self, accounts: Iterable[Handle]) -> list[str]:
        """Accept accounts; the platforms of the new ones. An id that a sync found is the same
        account."""
        fresh = {
            (account.platform, account.key): account
            for account in accounts
            if (account.platform, account.key) not in self.keys
            and (account.platform, account.handle) not in self.keys
        }
        self.keys |= fresh.keys()
        self.accounts += fresh.values()
        return list(dict.fromkeys(platform for platform, _ in fresh))


# --- a roster ------------------------------------------------------------------------------------


def import_roster(file: Path, *, dry_run: bool = False, actor: User | None = None) -> Report:
    """Add and update talents with their handles. Raises Unreadable."""
    return import_table(spreadsheets.read(file, wanted=NEEDED), dry_run=dry_run, actor=actor)


def import_table(table: Table, *, dry_run: bool = False, actor: User | None = None) -> Report:
    """As ``import_roster``, of a table that was read already."""
    with transaction.atomic():
        if not dry_run:
            _wait_for_others()
        plan = _RosterPlan()
        results = tuple(plan.row(row) for row in table.rows)
        if not dry_run:
            plan.write(actor)
    ignored = tuple(c for c in table.columns if c not in ROSTER_COLUMNS)
    return Report(results, ignored)


def _wait_for_others() -> None:
    """One import at a time: the same file twice at once would add everybody twice. Who adds a talent
    by hand meanwhile does not wait for it."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_IMPORTING])


class _RosterPlan:
    """Everybody who is there, and what the rows make of them."""

    def __init__(self) -> None:
        self.people: list[_Person] = []
        self.by_email: dict[str, dict[_Person, None]] = defaultdict(dict)
        self.by_name: dict[str, dict[_Person, None]] = defaultdict(dict)
        self.by_name_alone: dict[str, dict[_Person, None]] = defaultdict(dict)
        self.staff = _staff()
        known = known_accounts()
        for talent in Talent.objects.only(
            "pk", "name", "email", "tags", "manager_id", "slug", "status"
        ):
            fields = {
                name: getattr(talent, name) for name in ("name", "email", "tags", "manager_id")
            }
            self._index(_Person(fields, talent, keys=known[talent.pk]))

    def row(self, row: Row) -> RowResult:
        """Plan one row."""
        errors: dict[str, list[str]] = {}
        fields = self._fields(row, errors)
        accounts = _accounts(row, errors)
        person = self._match(fields, errors) if "name" in fields else None
        result = RowResult(row.number, "failed", errors=errors, name=row.cells.get("name", ""))
        if errors:
            result.given = {column: row.cells.get(column, "") for column in errors}
            return result
        if person is None:
            person = self._index(_Person({}))
            result.outcome = "created"
        columns = {_COLUMN_OF.get(name, name) for name in person.take(fields)}
        columns |= {platform.lower() for platform in person.add(accounts)}
        self._file(person)
        if result.outcome != "created":
            result.outcome = "updated" if columns else "unchanged"
        result.changed = tuple(column for column in ROSTER_COLUMNS if column in columns)
        result.talent_id = person.talent.pk if person.talent else None
        person.results.append(result)
        return result

    def write(self, actor: User | None) -> None:
        """Store the plan in a fixed number of statements for each thousand rows."""
        fresh = [person for person in self.people if person.talent is None]
        changed = [(p.talent, p.changes) for p in self.people if p.talent and p.changes]
        roster.update_many(changed, actor=actor)
        talents = roster.add_many([person.fields for person in fresh], actor=actor)
        for person, talent in zip(fresh, talents, strict=True):
            person.talent = talent
            for result in person.results:
                result.talent_id = talent.pk
        connections.connect_many(
            ((p.talent.pk, account) for p in self.people if p.talent for account in p.accounts),
            actor=actor,
        )

    def _fields(self, row: Row, errors: dict[str, list[str]]) -> dict[str, Any]:
        given: dict[str, Any] = {"name": row.cells.get("name", "")}
        if email := row.cells.get("email"):
            given["email"] = email
        if tags := row.cells.get("tags"):
            given["tags"] = tags.split(";")
        fields: dict[str, Any] = {}
        try:
            fields |= rules.cleaned(**given)
        except rules.RosterRefused as refusal:
            errors |= refusal.fields
        if manager := row.cells.get("manager"):
            found = self.staff.get(manager.casefold(), set())
            if len(found) == 1:
                fields["manager_id"] = next(iter(found))
            else:
                told = manager[:80]
                errors["manager"] = [
                    f"{len(found)} people of the staff are called “{told}”. Give the e-mail."
                    if found
                    else f"Nobody of the staff is called “{told}”. Give a user name or an e-mail"
                    f"{self._example()}."
                ]
        return fields

    def _example(self) -> str:
        known = next((name for name in self.staff if "@" in name), next(iter(self.staff), ""))
        return f", like {known}" if known else ""

    def _match(self, fields: dict[str, Any], errors: dict[str, list[str]]) -> _Person | None:
        email = fields.get("email", "")
        found: Collection[_Person] = self.by_email[email.casefold()] if email else ()
        column = "email" if found else "name"
        if not found:
            # with an e-mail address, only a namesake without one can be meant
            found = (self.by_name_alone if email else self.by_name)[fields["name"]]
        if len(found) > 1:
            errors[column] = [
                f"{len(found)} talents have “{fields[column]}”. "
                + ("Correct one of them first." if column == "email" else "Give the e-mail too.")
            ]
            return None
        return next(iter(found), None)

    def _index(self, person: _Person) -> _Person:
        self.people.append(person)
        self._file(person)
        return person

    def _file(self, person: _Person) -> None:
        """Make the person findable by what the rows made of it."""
        name, email = person.fields.get("name", ""), person.fields.get("email", "")
        if email:
            self.by_email[email.casefold()][person] = None
            self.by_name_alone[name].pop(person, None)
        if name:
            self.by_name[name][person] = None
            if not email:
                self.by_name_alone[name][person] = None


def _accounts(row: Row, errors: dict[str, list[str]]) -> list[Handle]:
    accounts = []
    for column, platform in PLATFORM_COLUMNS.items():
        for text in filter(None, map(str.strip, row.cells.get(column, "").split(";"))):
            try:
                accounts.append(handles.parse(platform, handle=text))
            except InvalidHandle as refusal:
                if len(faults := errors.setdefault(column, [])) < MOST_FAULTS:
                    faults.append(refusal.detail)
    return accounts


def known_accounts() -> dict[int, set[tuple[str, str]]]:
    """Talent's id → the accounts that it has, by platform with handle or with stable id."""
    known: dict[int, set[tuple[str, str]]] = defaultdict(set)
    rows = Connection.objects.values_list("talent_id", "platform", "handle_key", "external_id")
    for talent_id, platform, key, external_id in rows.iterator():
        known[talent_id].add((platform, key))
        if external_id:
            known[talent_id].add((platform, external_id))
    return known


def _staff() -> dict[str, set[int]]:
    staff: dict[str, set[int]] = defaultdict(set)
    for user in User.objects.filter(is_staff=True, is_active=True):
        if can_read(user):
            for name in {user.username, user.email, user.get_full_name()} - {""}:
                staff[name.casefold()].add(user.pk)
    return staff
