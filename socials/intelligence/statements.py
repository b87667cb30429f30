"""Asking the database in its own words."""

from __future__ import annotations

from typing import Any

from django.db import connection as database


def rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a statement answers, whole."""
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
