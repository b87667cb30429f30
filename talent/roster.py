"""The roster's journeys: a talent is added, edited, archived, restored, deleted.

Every door (API, pages, admin, import) goes through here, so each change is checked by the same
rules and leaves its line in the activity log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone as django_timezone
from django.utils.text import slugify

from talent.activity import record, record_many
from talent.models import Talent, User
from talent.roles import can_read

if TYPE_CHECKING:
    Texts = dict[str, list[str]]

departing = Signal()
"""Sent with ``talent`` and ``actor``, in the transaction that deletes a talent, before it does:
whoever keeps something of the talent's elsewhere lets go of it here."""

MOST_TAGS: Final = 30
_SLUGS: Final = 0x67726E73
"""The lock (``grns``) under which slugs are given out."""


class RosterRefused(ValidationError):
    """What was wrong with the given values: field → texts, in ``fields``.

    It is a ValidationError, so forms, the admin and the API understand it. Fields are the names of
    ``add``'s arguments.
    """

    def __init__(self, fields: Texts) -> None:
        super().__init__(fields)
        self.fields = fields


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
    with _unique_link(), transaction.atomic():
        _check_people(fields)
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
    with _unique_link(), transaction.atomic():
        talent = Talent.objects.select_for_update().get(pk=talent_id)
        _check_people(fields, of=talent)
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
                details={"changes": {_camel(name): _pair(*pair) for name, pair in moved.items()}},
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
            {"changes": {_camel(k): _pair(getattr(talent, k), v) for k, v in fields.items()}},
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
    _check_people({"manager_id": manager_id})
    with transaction.atomic():
        moved = list(
            Talent.objects.filter(pk__in=list(talent_ids))
            .exclude(manager_id=manager_id)
            .select_for_update()
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
        talent = Talent.objects.select_for_update().get(pk=talent_id)
        departing.send(sender=Talent, talent=talent, actor=actor)
        record("talent.deleted", actor=actor, talent_id=talent.pk, object=talent.name)
        talent.delete()


# --- the rules -----------------------------------------------------------------------------------


def cleaned(**fields: Any) -> dict[str, Any]:
    """The fields as they will be stored. Raises RosterRefused with every fault at once.

    Manager and linked user are only taken over: whether they exist, the database is asked later.
    """
    clean: dict[str, Any] = {}
    faults: Texts = {}
    for name, value in fields.items():
        try:
            clean[name] = _RULES[name](value)
        except ValueError as fault:
            faults[name] = [str(fault)]
    if faults:
        raise RosterRefused(faults)
    return clean


def _text(most: int, what: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = str(value).strip()
        _storable(text)
        if len(text) > most:
            raise ValueError(f"{what} has at most {most:,} characters; this has {len(text):,}.")
        return text

    return check


def _name(value: Any) -> str:
    name = " ".join(_text(200, "A name")(value).split())
    if not name:
        raise ValueError("Give a name, like Jane Smith.")
    return name


def _email(value: Any) -> str:
    email = _text(254, "An e-mail address")(value)
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise ValueError(
                f"“{email}” isn't an e-mail address. Write one like jane@example.com."
            ) from None
    return email


def _tags(value: Any) -> list[str]:
    if isinstance(value, str):
        raise ValueError("Give a list of tags, like food, travel.")  # noqa: TRY004  one kind of fault
    tags: dict[str, str] = {}
    for item in value:
        tag = " ".join(_text(50, "A tag")(item).split())
        if ";" in tag:
            raise ValueError(f"A tag has no semicolon: “{tag}”. Give two tags instead.")
        if tag:
            tags.setdefault(tag.casefold(), tag)
    if len(tags) > MOST_TAGS:
        raise ValueError(f"A talent has at most {MOST_TAGS} tags; these are {len(tags)}.")
    return list(tags.values())


def _timezone(value: Any) -> str:
    zone = str(value).strip() or "UTC"
    if zone not in timezones():
        raise ValueError(f"“{zone[:60]}” isn't a time zone. Choose one like Europe/Berlin.")
    return zone


@cache
def timezones() -> tuple[str, ...]:
    """The names of all time zones, by the alphabet."""
    return tuple(sorted(available_timezones() | {"UTC"}))


def _id(value: Any) -> int | None:
    if value in (None, ""):
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ValueError("There is no such user.") from None


def user_named(told: str) -> int | None:
    """The id of the user with this user name or e-mail address, in any case; None for "".
    Raises RosterRefused."""
    told = told.strip()
    if not told:
        return None
    ids: list[int] = []
    for alike in (Q(username=told), Q(username__iexact=told) | Q(email__iexact=told)):
        if not ids and "\x00" not in told:
            ids = list(User.objects.filter(alike).values_list("pk", flat=True)[:2])
    if len(ids) == 1:
        return ids[0]
    what = "More than one user has" if ids else "There is no user with"
    raise RosterRefused(
        {
            "linked_user_id": [
                f"{what} the name or e-mail “{told[:80]}”. Give a user name, like jane."
            ]
        }
    )


def _status(value: Any) -> str:
    if value not in Talent.Status.values:
        raise ValueError("The status is active or archived.")
    return str(value)


_RULES: Final[dict[str, Callable[[Any], Any]]] = {
    "name": _name,
    "email": _email,
    "bio": _text(10_000, "A bio"),
    "tags": _tags,
    "location": _text(120, "A location"),
    "timezone": _timezone,
    "manager_id": _id,
    "linked_user_id": _id,
    "status": _status,
}


def _storable(text: str) -> None:
    if "\x00" in text or (
        not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text)
    ):
        raise ValueError("This has a character that can't be stored. Type it again by hand.")


def _check_people(fields: Mapping[str, Any], of: Talent | None = None) -> None:
    manager_id, linked_id = fields.get("manager_id"), fields.get("linked_user_id")
    if of is not None:  # somebody who has left the staff may stay until another is chosen
        manager_id = None if manager_id == of.manager_id else manager_id
        linked_id = None if linked_id == of.linked_user_id else linked_id
    wanted = {pk for pk in (manager_id, linked_id) if pk is not None}
    if not wanted:
        return
    found = User.objects.select_related("talent").in_bulk(wanted)
    faults: Texts = {}
    if manager_id is not None and not (manager_id in found and can_read(found[manager_id])):
        faults["manager_id"] = ["A talent's manager is somebody of the staff. Choose another."]
    if linked_id is not None:
        if linked_id not in found:
            faults["linked_user_id"] = ["There is no such user."]
        elif (other := getattr(found[linked_id], "talent", None)) is not None:
            faults["linked_user_id"] = [f"This user is linked to {other.name} already."]
    if faults:
        raise RosterRefused(faults)


@contextmanager
def _unique_link() -> Iterator[None]:
    """Turn the one race that the checks can't see into the refusal that they would have made."""
    try:
        yield
    except IntegrityError as fault:
        if "linked_user" not in str(fault):
            raise
        raise RosterRefused(
            {"linked_user_id": ["This user is linked to another talent already."]}
        ) from None


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
        _camel(name): _short(value)
        for name, value in draft.items()
        if value and name != "name" and value != "UTC"
    }


def _pair(old: Any, new: Any) -> list[Any]:
    return [_short(old), _short(new)]


def _short(value: Any) -> Any:
    return f"{value[:200]}…" if isinstance(value, str) and len(value) > 200 else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
