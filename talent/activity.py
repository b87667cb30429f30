"""Writing down who did what: ``record`` (and ``record_many``) is the only way in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from talent.models import Activity

if TYPE_CHECKING:
    from talent.models import User


def record(
    action: str,
    *,
    actor: User | None = None,
    talent_id: int | None = None,
    object: str = "",  # noqa: A002  the column's name
    details: dict[str, Any] | None = None,
) -> None:
    """Append one event (``noun.verb``) in the caller's transaction; no actor means the system."""
    Activity.objects.create(
        action=action,
        actor_id=actor.pk if actor else None,
        actor_name=str(actor) if actor else "",
        talent_id=talent_id,
        object=object[:200],
        details=details or {},
    )


def record_many(
    action: str,
    events: Iterable[tuple[int | None, str, dict[str, Any]]],
    *,
    actor: User | None = None,
) -> None:
    """Append the same action on many (talent id, object, details) in one statement."""
    Activity.objects.bulk_create(
        [
            Activity(
                action=action,
                actor_id=actor.pk if actor else None,
                actor_name=str(actor) if actor else "",
                talent_id=talent_id,
                object=object[:200],
                details=details,
            )
            for talent_id, object, details in events  # noqa: A001  the column's name
        ],
        batch_size=1_000,
    )
