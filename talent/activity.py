"""Writing down who did what: ``record`` is the only way in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from talent.models import Activity

if TYPE_CHECKING:
    from talent.models import User


def record(
    action: str,
    *,
    actor: User | None = None,
    talent_id: int | None = None,
    object: str = "",
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
