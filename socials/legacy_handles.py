"""An older system's handles, from a JSON list or a CSV: each becomes a manual connection."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from socials import connections, handles, spreadsheets
from socials.errors import InvalidHandle
from socials.handles import Handle
from socials.imports import Report, RowResult, known_accounts
from socials.platforms import PLATFORMS
from socials.spreadsheets import Row, Unreadable
from talent.models import Talent, User

LEGACY_COLUMNS: Final = ("talent", "platform", "handle", "url")


def import_legacy_handles(
    file: Path, *, dry_run: bool = False, actor: User | None = None
) -> Report:
    """Connect the handles of a JSON list or a CSV of talent (id, slug or exact name), platform,
    handle, url. Raises Unreadable."""
    rows, ignored = _legacy_rows(file)
    with transaction.atomic():
        plan = _LegacyPlan()
        results = tuple(plan.row(row) for row in rows)
        if not dry_run:
            connections.connect_many(plan.accounts, actor=actor)
    return Report(results, ignored)


class _LegacyPlan:
    def __init__(self) -> None:
        self.accounts: list[tuple[int, Handle]] = []
        self.known = known_accounts()
        self.names: dict[str, list[int]] = defaultdict(list)
        self.slugs: dict[str, int] = {}
        self.ids: dict[int, str] = {}
        for pk, slug, name in Talent.objects.values_list("pk", "slug", "name"):
            self.ids[pk] = name
            self.slugs[slug] = pk
            self.names[name].append(pk)

    def row(self, row: Row) -> RowResult:
        errors: dict[str, list[str]] = {}
        talent_id = self._talent(row.cells.get("talent", ""), errors)
        account = _legacy_account(row, errors)
        result = RowResult(
            row.number, "failed", talent_id, errors, self.ids.get(talent_id or 0, "")
        )
        if talent_id is None or account is None:
            return result
        known = self.known[talent_id]
        if {(account.platform, account.key), (account.platform, account.handle)} & known:
            result.outcome = "unchanged"
        else:
            result.outcome = "created"
            known.add((account.platform, account.key))
            self.accounts.append((talent_id, account))
        return result

    def _talent(self, told: str, errors: dict[str, list[str]]) -> int | None:
        if not told:
            errors["talent"] = ["Give the talent's id, slug or exact name."]
            return None
        if told.isascii() and told.isdigit() and len(told) < 19 and int(told) in self.ids:
            return int(told)
        if told in self.slugs:
            return self.slugs[told]
        found = self.names.get(told, [])
        if len(found) == 1:
            return found[0]
        errors["talent"] = [
            f"{len(found)} talents are called “{told[:80]}”. Give the id or the slug."
            if found
            else f"There is no talent with the id, slug or name “{told[:80]}”."
        ]
        return None


def _legacy_account(row: Row, errors: dict[str, list[str]]) -> Handle | None:
    told = row.cells.get("platform", "")
    platform = {"X": "TWITTER"}.get(told.upper(), told.upper())
    if platform not in PLATFORMS:
        errors["platform"] = [
            f"“{told[:40]}” isn't a platform. Give one of {', '.join(PLATFORMS)}."
        ]
        return None
    try:
        return handles.parse(
            platform, handle=row.cells.get("handle", ""), url=row.cells.get("url", "")
        )
    except InvalidHandle as refusal:
        errors["url" if refusal.field == "profileUrl" else "handle"] = [refusal.detail]
        return None


_SYNONYMS: Final = {
    "talentid": "talent",
    "talent_id": "talent",
    "profileurl": "url",
    "profile_url": "url",
}


def _legacy_rows(file: Path) -> tuple[list[Row], tuple[str, ...]]:
    if file.suffix.lower() == ".json":
        return _json_rows(file), ()
    table = spreadsheets.read(file, wanted=["talent", *_SYNONYMS])
    ignored = tuple(c for c in table.columns if _SYNONYMS.get(c, c) not in LEGACY_COLUMNS)
    return [Row(row.number, _renamed(row.cells)) for row in table.rows], ignored


def _json_rows(file: Path) -> list[Row]:
    """The objects of a JSON list, numbered from 1."""
    try:
        items = json.loads(spreadsheets.text_of(spreadsheets.bytes_of(file)))
    except (ValueError, RecursionError):
        raise Unreadable(f"{file.name} is not JSON.") from None
    if not isinstance(items, list):
        raise Unreadable(f"{file.name} is not a JSON list of {{talent, platform, handle, url}}.")
    if len(items) > spreadsheets.MOST_ROWS:
        raise Unreadable(f"{file.name} has more than {spreadsheets.MOST_ROWS:,} entries.")
    return [Row(number, _json_cells(item)) for number, item in enumerate(items, 1)]


def _json_cells(item: Any) -> dict[str, str]:
    if not isinstance(item, dict):
        return {}
    return _renamed(
        {
            str(name).lower(): str(value).strip()
            for name, value in item.items()
            if isinstance(value, str | int) and not isinstance(value, bool)
        }
    )


def _renamed(cells: Mapping[str, str]) -> dict[str, str]:
    return {_SYNONYMS.get(name, name): value for name, value in cells.items()}
