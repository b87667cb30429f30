"""Encrypting every stored secret anew with the first of TOKEN_ENCRYPTION_KEYS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from cryptography.fernet import InvalidToken, MultiFernet
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection as database
from django.db import transaction
from django.db.models import Model

from talent.encryption import SecretField, keyring

BATCH = 1000


def secrets() -> list[tuple[type[Model], list[str]]]:
    """Every model with encrypted columns, and these columns."""
    found = []
    for model in apps.get_models():
        columns = [f.column for f in model._meta.local_fields if isinstance(f, SecretField)]
        if columns:
            found.append((model, columns))
    return found


def count() -> int:
    """Rows that hold secrets."""
    return sum(model._default_manager.count() for model, _ in secrets())


def rotate() -> Iterator[int]:
    """Encrypt all secrets anew, a batch in each transaction; yields the rows of each batch.

    Raises ImproperlyConfigured when a secret can't be read with any of the keys: the batches before
    are done, this one and those after it are as they were.
    """
    for model, columns in secrets():
        last: Any = None
        while ids := _batch(model, columns, last):
            last = ids[-1]
            yield len(ids)


def _batch(model: type[Model], columns: list[str], after: Any) -> list[Any]:
    """The keys of the rows that were done. They are locked, so that no renewal gets lost."""
    quote = database.ops.quote_name
    table, key = quote(model._meta.db_table), quote(model._meta.pk.column)
    names = ", ".join(quote(column) for column in columns)
    beyond = f"WHERE {key} > %s" if after is not None else ""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {names} FROM {table} {beyond} ORDER BY {key} LIMIT {BATCH} FOR UPDATE",  # noqa: S608
            [after] if after is not None else [],
        )
        rows = cursor.fetchall()
        if not rows:
            return []
        keys = keyring()
        anew = [[row[0], *(_rotated(value, keys) for value in row[1:])] for row in rows]
        values = [list(column) for column in zip(*anew, strict=True)]
        kinds = [
            f"%s::{cast(Any, model._meta.pk).rel_db_type(database)}[]",
            *["%s::text[]"] * len(columns),
        ]
        cursor.execute(
            f"UPDATE {table} SET {', '.join(f'{quote(c)} = told.{quote(c)}' for c in columns)} "  # noqa: S608
            f"FROM unnest({', '.join(kinds)}) AS told (id, {names}) WHERE {table}.{key} = told.id",
            values,
        )
    return [row[0] for row in rows]


def _rotated(value: str | None, keys: MultiFernet) -> str | None:
    if not value:
        return value
    try:
        return keys.rotate(value.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored secret can't be decrypted: put the key that it was written with back into "
            "TOKEN_ENCRYPTION_KEYS, behind the new one."
        ) from None
