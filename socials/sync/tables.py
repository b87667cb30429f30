"""The statements of a sync: one for each table, for any number of accounts at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection as database

Row = Mapping[str, Any]

COUNTS = ("followers", "following", "posts", "likes", "views")
METRICS = ("likes", "comments", "shares", "saves", "views", "reach")

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


# --- posts ---

_KEEP = "COALESCE(EXCLUDED.{0}, kept.{0})"
_KEEP_TEXT = "COALESCE(NULLIF(EXCLUDED.{0}, ''), kept.{0})"
_TEXTS = ("shared_id", "caption", "url", "thumbnail_url", "view_definition")
_PLAIN = ("posted_at", "duration_seconds", *METRICS)
_SET = {
    # What the platform declared is not overwritten by a guess.
    "kind": "CASE WHEN EXCLUDED.kind_confidence <> 'declared' "
    "AND kept.kind_confidence = 'declared' THEN kept.kind ELSE EXCLUDED.kind END",
    "kind_confidence": "CASE WHEN EXCLUDED.kind_confidence <> 'declared' "
    "AND kept.kind_confidence = 'declared' THEN kept.kind_confidence "
    "ELSE EXCLUDED.kind_confidence END",
    "partial": "EXCLUDED.partial",
    "note": "EXCLUDED.note",
    **{name: _KEEP_TEXT.format(name) for name in _TEXTS},
    **{name: _KEEP.format(name) for name in _PLAIN},
    # A metric that this reading does not tell keeps its number, so it keeps its quality too.
    "quality": "EXCLUDED.quality || jsonb_strip_nulls(jsonb_build_object("
    + ", ".join(
        f"'{name}', CASE WHEN EXCLUDED.{name} IS NULL AND kept.{name} IS NOT NULL "
        f"THEN kept.quality->'{name}' END"
        for name in METRICS
    )
    + "))",
    "metrics_due_at": "CASE WHEN EXCLUDED.quality = '{}'::jsonb THEN kept.metrics_due_at "
    "ELSE EXCLUDED.metrics_due_at END",
    "source": "EXCLUDED.source",
    "fetched_at": "EXCLUDED.fetched_at",
    "deleted_at": "NULL::timestamptz",
}
_TOLD = {
    **{name: f"COALESCE({name}, '')" for name in (*_TEXTS, "kind_confidence", "note")},
    "partial": "COALESCE(partial, '[]')",
    "deleted_at": "NULL::timestamptz",
}
"""Columns that are not null, for what was left out."""

_STAMPS = ("metrics_due_at", "source", "fetched_at")
_CHANGED = [name for name in _SET if name not in _STAMPS]

UPSERT_POSTS = f"""
    INSERT INTO socials_post AS kept (
        connection_id, external_id, created_at, {", ".join(_SET)}
    )
    SELECT connection_id, external_id, statement_timestamp(), {", ".join(_TOLD.get(name, name) for name in _SET)}
    FROM json_to_recordset(%s::json) AS told (
        connection_id bigint, external_id text, shared_id text, kind text, partial jsonb, note text,
        caption text, url text, thumbnail_url text, view_definition text, kind_confidence text,
        posted_at timestamptz, duration_seconds double precision,
        {", ".join(f"{name} bigint" for name in METRICS)}, quality jsonb, metrics_due_at timestamptz
    ) JOIN json_to_recordset(%s::json) AS reading (
        connection_id bigint, source text, fetched_at timestamptz
    ) USING (connection_id)
    ON CONFLICT (connection_id, external_id) DO UPDATE
    SET {", ".join(f"{name} = {value}" for name, value in _SET.items())}
    WHERE ({", ".join(f"kept.{name}" for name in _CHANGED)})
        IS DISTINCT FROM ({", ".join(_SET[name] for name in _CHANGED)})
        OR kept.metrics_due_at <= EXCLUDED.fetched_at
        OR kept.fetched_at < EXCLUDED.fetched_at - interval '1 day'
    RETURNING kept.connection_id, (xmax = 0)
"""  # noqa: S608  built from this module's constants alone


REKEY_POSTS = """
    WITH told AS (
        SELECT * FROM json_to_recordset(%s::json) AS told (
            connection_id bigint, external_id text, shared_id text
        )
    ), known AS (
        SELECT kept.id, told.external_id, EXISTS (
            SELECT 1 FROM socials_post other
            WHERE other.connection_id = told.connection_id
                AND other.external_id = told.external_id
        ) AS is_double
        FROM socials_post kept JOIN told USING (connection_id, shared_id)
        WHERE kept.shared_id <> '' AND kept.external_id <> told.external_id
    ), doubled AS (
        DELETE FROM socials_post WHERE id IN (SELECT id FROM known WHERE is_double)
    )
    UPDATE socials_post SET external_id = known.external_id
    FROM known WHERE socials_post.id = known.id AND NOT known.is_double
"""
"""A post that another source told before takes the id that this source knows it by."""


def save_posts(rows: Sequence[Row], readings: Sequence[Row]) -> Counter[int]:
    """New posts in, changed ones updated, the rest left alone. How many are new, by connection.

    ``readings``: source and time (``fetched_at``) of each connection's posts.
    """
    if not rows:
        return Counter()
    shared = [row for row in rows if "shared_id" in row]
    with database.cursor() as cursor:
        if shared:
            cursor.execute(REKEY_POSTS, [_json(shared)])
        cursor.execute(UPSERT_POSTS, [_json(rows), _json(readings)])
        return Counter(connection_id for connection_id, is_new in cursor.fetchall() if is_new)


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
