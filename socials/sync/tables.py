"""The statements of a sync: one for each table, for any number of accounts at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection as database

Row = Mapping[str, Any]

COUNTS = ("followers", "following", "posts", "likes", "views")

# --- profiles ---

_PROFILE = {
    "connection_id": "bigint",
    "display_name": "text",
    "bio": "text",
    "avatar_url": "text",
    **dict.fromkeys(COUNTS, "bigint"),
    "verified": "boolean",
    "private": "boolean",
    "quality": "jsonb",
    "provenance": "jsonb",
    "extra": "jsonb",
    "source": "text",
    "fetched_at": "timestamptz",
}

UPSERT_PROFILES = f"""
    INSERT INTO socials_profile ({", ".join(_PROFILE)})
    SELECT {", ".join(_PROFILE)} FROM json_to_recordset(%s::json) AS told (
        {", ".join(f"{name} {kind}" for name, kind in _PROFILE.items())}
    )
    ON CONFLICT (connection_id) DO UPDATE
    SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _PROFILE if name != "connection_id")}
"""  # noqa: S608  built from this module's constants alone


def save_profiles(rows: Sequence[Row]) -> None:
    """Write each profile as it is told. The rows of their connections are locked by the caller."""
    with database.cursor() as cursor:
        cursor.execute(UPSERT_PROFILES, [_json(rows)])


# --- posts that are gone ---

MARK_GONE = """
    UPDATE socials_post SET deleted_at = statement_timestamp()
    FROM unnest(%s::bigint[], %s::text[]) AS gone (connection_id, external_id)
    WHERE socials_post.connection_id = gone.connection_id
        AND socials_post.external_id = gone.external_id AND deleted_at IS NULL
"""


def mark_gone(posts: Sequence[tuple[int, str]]) -> None:
    """These posts (connection, external id) are no longer on their platform."""
    if posts:
        with database.cursor() as cursor:
            cursor.execute(MARK_GONE, [[pk for pk, _ in posts], [name for _, name in posts]])


_SPANS = """
    FROM json_to_recordset(%s::json)
        AS told (connection_id bigint, since timestamptz, seen jsonb)
    JOIN socials_post AS post ON post.connection_id = told.connection_id
        AND post.posted_at >= told.since AND post.deleted_at IS NULL
"""

MARK_ABSENT = f"""
    UPDATE socials_post SET deleted_at = statement_timestamp()
    WHERE id IN (SELECT post.id {_SPANS} WHERE NOT told.seen ? post.external_id)
"""  # noqa: S608  built from this module's constants alone


def absent_posts(listings: Sequence[Row]) -> dict[int, tuple[int, int]]:
    """Stored posts of each listed span (``since``): how many, and how many the listing lacks."""
    if not listings:
        return {}
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT post.connection_id, count(*), "
            f"count(*) FILTER (WHERE NOT told.seen ? post.external_id) {_SPANS} "
            "GROUP BY post.connection_id",
            [_json(listings)],
        )
        return {pk: (stored, absent) for pk, stored, absent in cursor.fetchall()}


def mark_absent(listings: Sequence[Row]) -> None:
    """Posts of a listed span which the listing lacks are no longer on their platform."""
    if listings:
        with database.cursor() as cursor:
            cursor.execute(MARK_ABSENT, [_json(listings)])


# --- history ---

UPSERT_SNAPSHOTS = f"""
    INSERT INTO socials_snapshot AS kept (
        connection_id, date, {", ".join(COUNTS)}, engagement_rate, view_definition,
        view_definition_before, source, taken_at
    )
    SELECT told.connection_id, today,
        {", ".join(f"told.{name}" for name in COUNTS)},
        CASE WHEN by_followers THEN acts / NULLIF(items * told.followers::numeric, 0)
            ELSE acts / NULLIF(seen, 0) END * 100,
        COALESCE(recent.definition, ''),
        CASE WHEN before.definition <> recent.definition THEN before.definition ELSE '' END,
        told.source, told.taken_at
    FROM json_to_recordset(%s::json) AS told (
        connection_id bigint, by_followers boolean, source text, taken_at timestamptz,
        {", ".join(f"{name} bigint" for name in COUNTS)}
    )
    CROSS JOIN LATERAL (
        SELECT sum(likes::numeric + COALESCE(comments, 0) + COALESCE(shares, 0)
                + COALESCE(saves, 0)) AS acts,
            count(*) AS items, sum(views) AS seen,
            (array_agg(view_definition ORDER BY posted_at DESC, id DESC)
                FILTER (WHERE view_definition <> ''))[1] AS definition
        FROM socials_post AS post
        WHERE post.connection_id = told.connection_id AND deleted_at IS NULL
            AND post.likes IS NOT NULL AND (post.views IS NOT NULL OR by_followers)
            AND posted_at >= statement_timestamp() - interval '30 days'
    ) recent
    CROSS JOIN (SELECT (statement_timestamp() AT TIME ZONE 'UTC')::date AS today) this
    LEFT JOIN LATERAL (
        SELECT view_definition AS definition FROM socials_snapshot AS earlier
        WHERE earlier.connection_id = told.connection_id AND view_definition <> ''
            AND date < today AND date > today - 90
        ORDER BY date DESC LIMIT 1
    ) before ON true
    ON CONFLICT (connection_id, date) DO UPDATE SET
        {", ".join(f"{name} = COALESCE(EXCLUDED.{name}, kept.{name})" for name in COUNTS)},
        engagement_rate = COALESCE(EXCLUDED.engagement_rate, kept.engagement_rate),
        view_definition = COALESCE(NULLIF(EXCLUDED.view_definition, ''), kept.view_definition),
        view_definition_before = CASE WHEN EXCLUDED.view_definition = ''
            THEN kept.view_definition_before ELSE EXCLUDED.view_definition_before END,
        source = EXCLUDED.source, taken_at = EXCLUDED.taken_at
"""  # noqa: S608  built from this module's constants alone


def save_snapshots(rows: Sequence[Row]) -> None:
    """The UTC day's points; their engagement is that of the last 30 days' posts, in percent.

    A point tells how views were counted before where they are counted in another way since.
    """
    with database.cursor() as cursor:
        cursor.execute(UPSERT_SNAPSHOTS, [_json(rows)])


def _json(rows: Iterable[Row]) -> str:
    """Read as json and not as jsonb, which would be built only to be taken apart."""
    return json.dumps(list(rows), ensure_ascii=False, separators=(",", ":"))
