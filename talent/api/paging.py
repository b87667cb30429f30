"""Cursor paging by key: a page costs the same wherever it lies, and nothing is seen twice."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.core.exceptions import FieldError
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import F, Model, Q, QuerySet
from rest_framework.exceptions import ValidationError

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Any]
    next: str | None

    def facts(self, *, count: int | None = None) -> dict[str, Any]:
        """The envelope's ``page``."""
        return {"next": self.next} | ({} if count is None else {"count": count})


def page_of(rows: QuerySet[M], *, by: str, cursor: str | None, limit: int) -> Page:
    """The next ``limit`` rows in the order of ``by`` (a field or annotation, ``-`` for descending).

    Ties are broken by id in the same direction; nulls come last. The cursor carries the last row's
    key and the ordering it was made for: a foreign or garbled one is refused by its name.
    """
    field, descending = by.lstrip("-"), by.startswith("-")
    order = F(field).desc(nulls_last=True) if descending else F(field).asc(nulls_last=True)
    try:
        if cursor:
            rows = rows.filter(_after(field, descending, *_read(cursor, by)))
        found = list(rows.order_by(order, "-id" if descending else "id")[: limit + 1])
    except (DjangoValidationError, FieldError, ValueError, TypeError):
        raise _senseless() from None
    more = len(found) > limit
    found = found[:limit]
    return Page(found, _write(by, getattr(found[-1], field), found[-1].pk) if more else None)


def page_or_first(rows: QuerySet[M], *, by: str, cursor: str | None, limit: int) -> Page:
    """As ``page_of``, for people: a cursor that makes no sense begins anew."""
    try:
        return page_of(rows, by=by, cursor=cursor, limit=limit)
    except ValidationError:
        return page_of(rows, by=by, cursor=None, limit=limit)


def _after(field: str, descending: bool, value: Any, pk: int) -> Q:  # noqa: FBT001
    way = "lt" if descending else "gt"
    later_id = Q(**{f"id__{way}": pk})
    if value is None:
        return Q(**{f"{field}__isnull": True}) & later_id
    return (
        Q(**{f"{field}__{way}": value})
        | (Q(**{field: value}) & later_id)
        | Q(**{f"{field}__isnull": True})
    )


def _write(by: str, value: Any, pk: int) -> str:
    plain = value.isoformat() if isinstance(value, datetime | date) else value
    return base64.urlsafe_b64encode(json.dumps([by, plain, pk]).encode()).decode().rstrip("=")


def _read(cursor: str, by: str) -> tuple[Any, int]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        made_for, value, pk = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _senseless() from None
    if made_for != by or type(pk) is not int or abs(pk) > 2**63 or not _is_key(value):
        raise _senseless()
    return value, pk


def _is_key(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    return value is None or (type(value) is int and abs(value) < 2**63)


def _senseless() -> ValidationError:
    return ValidationError(
        {"cursor": ["This cursor is not of this list. Take `page.next` of an answer as it is."]}
    )
