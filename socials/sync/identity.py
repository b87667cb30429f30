"""Whether the account that answered is the one that is meant, and what it is called now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from scraping.errors import Failure, IdentityChanged, InvalidHandle
from socials import handles
from socials.models import Connection
from socials.sync.cleaning import clean
from socials.types import Reading
from talent.activity import record

log = structlog.get_logger(__name__)

Twins = Mapping[tuple[int, str, str], Connection]
"""Accounts by talent, platform and the platform's id."""


def twins(told: Sequence[tuple[Connection, Reading]]) -> Twins:
    """The accounts that are known already under the ids that rows are told for the first time."""
    new = {
        clean(reading.profile.external_id, 120): row.talent_id
        for row, reading in told
        if not row.external_id and reading.profile.external_id
    }
    if not new:
        return {}
    known = Connection.objects.filter(external_id__in=new, talent_id__in=set(new.values()))
    return {(row.talent_id, row.platform, row.external_id): row for row in known}


def objection(row: Connection, reading: Reading, twins: Twins) -> Failure | None:
    """Why this reading is not the row's account; None when it is."""
    told = clean(reading.profile.external_id, 120)
    known = _known_id(row, reading.source)
    if known and told and told != known:
        return IdentityChanged(
            f"{row.handle} belongs to another account now (id {told}, it was {known}).",
            platform=row.platform,
            source=reading.source,
        )
    twin = twins.get((row.talent_id, row.platform, told))
    if twin is None or row.external_id or twin.pk == row.pk:
        return None
    return InvalidHandle(
        f"This is the same account as {handles.at(row.platform, twin.handle)}, "
        "which is connected already. Delete this one.",
        platform=row.platform,
        field="handle",
    )


def _known_id(row: Connection, source: str) -> str:
    """The account's id as this source told it before. Ids of different sources don't compare."""
    ids: dict[str, str] = row.metadata.get("ids", {})
    return ids.get(source, "") if ids else row.external_id


def renamed(row: Connection, reading: Reading) -> dict[str, str]:
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
