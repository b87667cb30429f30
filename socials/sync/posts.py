"""Writing down posts: new ones in, changed ones updated, the rest left alone.

They come to the database as one COPY into a table of the session's own; from there they go on in
two statements, for any number of accounts.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache

from django.db import connection as database

from scraping.types import MAX_COUNT, Count, Post, Quality
from socials.sync import planner
from socials.sync.cleaning import WEB, clean, link
from socials.types import Reading

METRICS = ("likes", "comments", "shares", "saves", "views", "reach")
NULL = r"\N"
MOST_OF_AN_ID = 120

_TOLD = {
    "connection_id": "bigint",
    "source": "text",
    "fetched_at": "timestamptz",
    "external_id": "text",
    "shared_id": "text",
    "kind": "text",
    "kind_confidence": "text",
    "caption": "text",
    "url": "text",
    "thumbnail_url": "text",
    "view_definition": "text",
    "note": "text",
    "partial": "jsonb",
    "posted_at": "timestamptz",
    "duration_seconds": "double precision",
    **dict.fromkeys(METRICS, "bigint"),
    "quality": "jsonb",
    "metrics_due_at": "timestamptz",
}

TOLD = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS told_posts (
        {", ".join(f"{name} {kind}" for name, kind in _TOLD.items())}
    ) ON COMMIT DELETE ROWS
"""

_KEEP = "COALESCE(told.{0}, kept.{0})"
_KEEP_TEXT = "COALESCE(NULLIF(told.{0}, ''), kept.{0})"
_GUESSED = "told.kind_confidence <> 'declared' AND kept.kind_confidence = 'declared'"
_SET = {
    # What the platform declared is not overwritten by a guess.
    "kind": f"CASE WHEN {_GUESSED} THEN kept.kind ELSE told.kind END",
    "kind_confidence": f"CASE WHEN {_GUESSED} THEN kept.kind_confidence "
    "ELSE told.kind_confidence END",
    "partial": "told.partial",
    "note": "told.note",
    **{
        name: _KEEP_TEXT.format(name)
        for name in ("shared_id", "caption", "url", "thumbnail_url", "view_definition")
    },
    **{name: _KEEP.format(name) for name in ("posted_at", "duration_seconds", *METRICS)},
    # A metric that this reading does not tell keeps its number, so it keeps its quality too.
    "quality": "told.quality || jsonb_strip_nulls(jsonb_build_object("
    + ", ".join(
        f"'{name}', CASE WHEN told.{name} IS NULL AND kept.{name} IS NOT NULL "
        f"THEN kept.quality->'{name}' END"
        for name in METRICS
    )
    + "))",
    "metrics_due_at": "CASE WHEN told.quality = '{}'::jsonb THEN kept.metrics_due_at "
    "ELSE told.metrics_due_at END",
    "source": "told.source",
    "fetched_at": "told.fetched_at",
    "deleted_at": "NULL::timestamptz",
}
_CHANGED = [name for name in _SET if name not in ("metrics_due_at", "source", "fetched_at")]

UPDATE = f"""
    UPDATE socials_post AS kept
    SET {", ".join(f"{name} = {value}" for name, value in _SET.items())}
    FROM told_posts AS told
    WHERE kept.connection_id = told.connection_id AND kept.external_id = told.external_id AND (
        ({", ".join(f"kept.{name}" for name in _CHANGED)})
            IS DISTINCT FROM ({", ".join(_SET[name] for name in _CHANGED)})
        OR kept.metrics_due_at <= told.fetched_at
        OR kept.fetched_at < told.fetched_at - interval '1 day'
    )
"""  # noqa: S608  built from this module's constants alone

INSERT = f"""
    INSERT INTO socials_post ({", ".join(_TOLD)}, created_at)
    SELECT {", ".join(_TOLD)}, statement_timestamp() FROM told_posts
    ON CONFLICT (connection_id, external_id) DO NOTHING
    RETURNING connection_id
"""  # noqa: S608  built from this module's constants alone

REKEY = """
    WITH known AS (
        SELECT kept.id, told.external_id, EXISTS (
            SELECT 1 FROM socials_post other
            WHERE other.connection_id = told.connection_id
                AND other.external_id = told.external_id
        ) AS is_double
        FROM socials_post kept JOIN told_posts told USING (connection_id, shared_id)
        WHERE kept.shared_id <> '' AND kept.external_id <> told.external_id
    ), doubled AS (
        DELETE FROM socials_post WHERE id IN (SELECT id FROM known WHERE is_double)
    )
    UPDATE socials_post SET external_id = known.external_id
    FROM known WHERE socials_post.id = known.id AND NOT known.is_double
"""
"""A post that another source told before takes the id that this source knows it by."""


def save(readings: Sequence[tuple[int, Reading]]) -> Counter[int]:
    """Write down the posts of these connections. How many are new, by connection.

    The rows of their connections are locked by the caller.
    """
    told = [(pk, reading, _once(reading.posts)) for pk, reading in readings]
    if not any(posts for _, _, posts in told):
        return Counter()
    lines = [line for pk, reading, posts in told for line in _lines(pk, reading, posts)]
    with database.cursor() as cursor:
        cursor.execute(TOLD)
        cursor.execute("DELETE FROM told_posts")  # of a save before, in the same transaction
        with (
            database.wrap_database_errors,
            cursor.copy(f"COPY told_posts ({', '.join(_TOLD)}) FROM STDIN") as copy,
        ):
            copy.write("".join(lines))
        if any(post.shared_id for _, _, posts in told for post in posts):
            cursor.execute(REKEY)
        cursor.execute(UPDATE)
        cursor.execute(INSERT)
        return Counter(connection_id for (connection_id,) in cursor.fetchall())


def _once(told: Iterable[Post]) -> list[Post]:
    """The posts of a reading, oldest first; of two of the same name the first that was told."""
    posts = {
        post.external_id: post
        for post in reversed(tuple(told))
        if post.external_id and len(post.external_id) <= MOST_OF_AN_ID
    }
    shared = {post.shared_id: post for post in posts.values() if post.shared_id}
    if not shared:
        return list(posts.values())
    return [post for post in posts.values() if shared.get(post.shared_id, post) is post]


# --- lines of COPY ---


def _lines(connection_id: int, reading: Reading, posts: Iterable[Post]) -> Iterator[str]:
    """One line for each post: what is absent is NULL, or empty where a column knows no NULL."""
    read_at = reading.fetched_at
    head = f"{connection_id}\t{_text(reading.source)}\t{read_at.isoformat()}"
    due_at = {wait: (read_at + wait).isoformat() for wait in planner.METRICS_WAITS}
    for post in posts:
        wait = planner.metrics_wait(post.posted_at, read_at)
        yield (
            f"{head}\t{_text(post.external_id)}\t{_text(post.shared_id, 60)}\t{post.kind.value}"
            f"\t{_text(post.kind_confidence, 10)}\t{_text(post.caption)}\t{_link(post.url, 1000)}"
            f"\t{_link(post.thumbnail_url, 2000)}\t{_text(post.view_definition, 60)}"
            f"\t{_text(post.note, 300)}\t{_list(post.partial)}\t{_instant(post.posted_at)}"
            f"\t{_seconds(post.duration_seconds)}\t{_number(post.likes)}\t{_number(post.comments)}"
            f"\t{_number(post.shares)}\t{_number(post.saves)}\t{_number(post.views)}"
            f"\t{_number(post.reach)}\t{_quality(*_qualities(post))}"
            f"\t{NULL if wait is None else due_at[wait]}\n"
        )


def _text(text: str | None, limit: int | None = None) -> str:
    if not text:
        return ""
    return text[:limit] if _is_plain(text) else _escaped(clean(text, limit))


def _link(url: str | None, limit: int) -> str:
    if not url:
        return ""
    if _is_plain(url):
        return url if len(url) <= limit and WEB.match(url) else ""
    return _escaped(link(url, limit))


def _is_plain(text: str) -> bool:
    """Whether there is nothing in it that must be cleaned or escaped, as in nearly all."""
    return text.isprintable() and "\\" not in text


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def _list(names: Sequence[str]) -> str:
    return _escaped(json.dumps([clean(name) for name in names])) if names else "[]"


def _number(told: Count) -> str:
    value = told.value
    return NULL if value is None or not 0 <= value <= MAX_COUNT else str(value)


def _seconds(seconds: float | None) -> str:
    return NULL if seconds is None or not math.isfinite(seconds) else repr(float(seconds))


def _instant(moment: datetime | None) -> str:
    return NULL if moment is None else moment.isoformat()


def _qualities(post: Post) -> tuple[Quality, ...]:
    return (
        post.likes.quality, post.comments.quality, post.shares.quality,
        post.saves.quality, post.views.quality, post.reach.quality,
    )  # fmt: skip


@cache
def _quality(*told: Quality) -> str:
    """The qualities of a post's metrics as JSON, those that are unknown left out."""
    named = zip(METRICS, told, strict=True)
    return json.dumps(
        {name: quality.value for name, quality in named if quality is not Quality.UNKNOWN}
    )
