"""What a talent's fields may be: tidied, or refused with every fault at once; and how the journeys
refuse a single value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.db.models import Q

from talent.models import Talent, User
from talent.roles import can_read

Texts = dict[str, list[str]]

MOST_TAGS: Final = 30


def camel(name: str) -> str:
    """As the API and the activity log call a field: ``profile_url`` → ``profileUrl``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class RosterRefused(ValidationError):
    """What was wrong with the given values: field → texts, in ``fields``.

    It is a ValidationError, so forms, the admin and the API understand it. Fields are the names of
    ``add``'s arguments.
    """

    def __init__(self, fields: Texts) -> None:
        super().__init__(fields)
        self.fields = fields


class FieldRefused(Exception):
    """Something that can't be so: ``field``, as the API calls it, and plain words."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


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
        text = unicodedata.normalize("NFC", str(value)).strip()
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


def check_people(fields: Mapping[str, Any], of: Talent | None = None) -> None:
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
def unique_link() -> Iterator[None]:
    """Turn the one race that the checks can't see into the refusal that they would have made."""
    try:
        yield
    except IntegrityError as fault:
        if "linked_user" not in str(fault):
            raise
        raise RosterRefused(
            {"linked_user_id": ["This user is linked to another talent already."]}
        ) from None
