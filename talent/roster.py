"""The roster's journeys: a talent is added, edited, archived, restored, deleted.

Every door (API, pages, admin, import) goes through here, so each change is checked by the same
rules and leaves its line in the activity log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.dispatch import Signal
from django.utils import timezone as django_timezone
from django.utils.text import slugify

from talent.activity import record, record_many
from talent.models import Talent, User
from talent.rules import camel, check_people, cleaned, unique_link

departing = Signal()
"""Sent with ``talent`` and ``actor``, in the transaction that deletes a talent, before it does:
whoever keeps something of the talent's elsewhere lets go of it here."""

_SLUGS: Final = 0x67726E73
"""The lock (``grns``) under which slugs are given out."""


def add(
    name: str,
    *,
    email: str = "",
    bio: str = "",
    tags: Iterable[str] = (),
    location: str = "",
    timezone: str = "UTC",
    manager_id: int | None = None,
    linked_user_id: int | None = None,
    actor: User | None = None,
) -> Talent:
    """Add a talent, with a slug of its own. Raises RosterRefused."""
    fields = cleaned(
        name=name,
        email=email,
        bio=bio,
        tags=tags,
        location=location,
        timezone=timezone,
        manager_id=manager_id,
        linked_user_id=linked_user_id,
    )
    with unique_link(), transaction.atomic():
        check_people(fields)
        return add_many([fields], actor=actor)[0]


def add_many(drafts: Sequence[Mapping[str, Any]], *, actor: User | None = None) -> list[Talent]:
    """Add talents whose fields are ``cleaned`` and whose people exist, in a fixed number of queries."""
    with transaction.atomic():
        slugs = _free_slugs([draft["name"] for draft in drafts])
        talents = Talent.objects.bulk_create(
            [Talent(**draft, slug=slug) for draft, slug in zip(drafts, slugs, strict=True)]
        )
        record_many(
            "talent.added",
            [
                (talent.pk, talent.name, _told(draft))
                for talent, draft in zip(talents, drafts, strict=True)
            ],
            actor=actor,
        )
    return talents


def update(talent_id: int, *, actor: User | None = None, **changes: Any) -> Talent:
    """Change what is given of ``add``'s fields, and ``status``; the log keeps old and new.

    Raises Talent.DoesNotExist and RosterRefused.
    """
    fields = cleaned(**changes)
    status = fields.pop("status", None)
    with unique_link(), transaction.atomic():
        talent = Talent.objects.held().get(pk=talent_id)
        check_people(fields, of=talent)
        moved = {
            name: (getattr(talent, name), value)
            for name, value in fields.items()
            if getattr(talent, name) != value
        }
        if moved:
            _assign(talent, {name: new for name, (_, new) in moved.items()})
            record(
                "talent.updated",
                actor=actor,
                talent_id=talent.pk,
                object=talent.name,
                details={"changes": {camel(name): _pair(*pair) for name, pair in moved.items()}},
            )
        if status is not None:
            _move(talent, status, actor)
    return talent


def update_many(
    changes: Sequence[tuple[Talent, Mapping[str, Any]]], *, actor: User | None = None
) -> None:
    """Change talents to fields that are ``cleaned`` and whose people exist, set-wise."""
    if not changes:
        return
    events = [
        (
            talent.pk,
            talent.name,
            {"changes": {camel(k): _pair(getattr(talent, k), v) for k, v in fields.items()}},
        )
        for talent, fields in changes
    ]
    now = django_timezone.now()
    for talent, fields in changes:
        for name, value in (*fields.items(), ("updated_at", now)):
            setattr(talent, name, value)
    names = {name for _, fields in changes for name in fields}
    with transaction.atomic():
        Talent.objects.bulk_update(
            [talent for talent, _ in changes], [*sorted(names), "updated_at"], batch_size=500
        )
        record_many("talent.updated", events, actor=actor)


def archive(talent_id: int, *, actor: User | None = None) -> Talent:
    """Take a talent off the active roster; all that is known stays. Raises Talent.DoesNotExist."""
    return update(talent_id, actor=actor, status=Talent.Status.ARCHIVED)


def restore(talent_id: int, *, actor: User | None = None) -> Talent:
    """Bring an archived talent back. Raises Talent.DoesNotExist."""
    return update(talent_id, actor=actor, status=Talent.Status.ACTIVE)


def assign_manager(
    talent_ids: Iterable[int], manager_id: int | None, *, actor: User | None = None
) -> int:
    """Give many talents one manager (or none). How many changed. Raises RosterRefused."""
    check_people({"manager_id": manager_id})
    with transaction.atomic():
        moved = list(
            Talent.objects.held()
            .filter(pk__in=list(talent_ids))
            .exclude(manager_id=manager_id)
            .only("pk", "name", "manager_id")
        )
        Talent.objects.filter(pk__in=[talent.pk for talent in moved]).update(manager=manager_id)
        record_many(
            "talent.updated",
            [
                (t.pk, t.name, {"changes": {"managerId": _pair(t.manager_id, manager_id)}})
                for t in moved
            ],
            actor=actor,
        )
    return len(moved)


def delete(talent_id: int, *, actor: User | None = None) -> None:
    """Delete a talent with everything that hangs on it. Raises Talent.DoesNotExist.

    The activity log keeps its lines; ``erase_talent`` takes the person out of these too.
    """
    with transaction.atomic():
        talent = Talent.objects.held().get(pk=talent_id)
        departing.send(sender=Talent, talent=talent, actor=actor)
        record("talent.deleted", actor=actor, talent_id=talent.pk, object=talent.name)
        talent.delete()


# --- the steps -----------------------------------------------------------------------------------


def _free_slugs(names: Sequence[str]) -> list[str]:
    """A slug for each name that no talent has, one transaction at a time."""
    bases = [slugify(name)[:200].strip("-") or "talent" for name in names]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SLUGS])
        cursor.execute("SELECT slug FROM talent_talent WHERE slug = ANY(%s)", [list(set(bases))])
        taken = {row[0] for row in cursor.fetchall()}
        if again := [base for base, n in Counter(bases).items() if n > 1 or base in taken]:
            cursor.execute(
                "SELECT slug FROM talent_talent"
                " WHERE regexp_replace(slug, '-[0-9]+$', '') = ANY(%s)",
                [again],
            )
            taken |= {row[0] for row in cursor.fetchall()}
    last: Counter[str] = Counter()
    slugs: list[str] = []
    for base in bases:
        slug = base
        while slug in taken:
            last[base] = max(last[base], 1) + 1
            slug = f"{base}-{last[base]}"
        taken.add(slug)
        slugs.append(slug)
    return slugs


def _assign(talent: Talent, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(talent, name, value)
    talent.save(update_fields=[*values, "updated_at"])


def _move(talent: Talent, status: str, actor: User | None) -> None:
    if talent.status == status:
        return
    _assign(talent, {"status": status})
    action = "talent.archived" if status == Talent.Status.ARCHIVED else "talent.restored"
    record(action, actor=actor, talent_id=talent.pk, object=talent.name)


def _told(draft: Mapping[str, Any]) -> dict[str, Any]:
    """What the log says of a new talent: what was filled in."""
    return {
        camel(name): _short(value)
        for name, value in draft.items()
        if value and name != "name" and value != "UTC"
    }


def _pair(old: Any, new: Any) -> list[Any]:
    return [_short(old), _short(new)]


def _short(value: Any) -> Any:
    return f"{value[:200]}…" if isinstance(value, str) and len(value) > 200 else value
