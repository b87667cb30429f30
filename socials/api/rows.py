"""The rows behind the answers: set-based, with a number of queries that never grows."""

from __future__ import annotations

from datetime import date
from typing import Any, Protocol, TypeVar

from django.db import connection as database
from django.db.models import (
    Count,
    F,
    IntegerField,
    Model,
    OuterRef,
    Prefetch,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce, Upper

from socials.engagement import Counted
from socials.models import Connection, Post, Snapshot, SyncRun
from socials.rosters import RosterFilter, roster
from talent.api.errors import absent
from talent.models import Talent

T = TypeVar("T")
UNSEEN = ("held_reading", "metadata", "grant__access_token", "grant__refresh_token")
"""Columns that no answer shows; tokens are not even decrypted."""


def connections() -> QuerySet[Connection]:
    """Connections with all that their JSON tells, in one query."""
    stored = (
        Post.objects.filter(connection=OuterRef("pk"), deleted_at__isnull=True)
        .order_by()
        .values("connection")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return (
        Connection.objects.select_related("profile", "grant")
        .defer(*UNSEEN)
        .annotate(
            posts_stored=Coalesce(Subquery(stored), 0, output_field=IntegerField()),
        )
    )


def connection(pk: int) -> Connection:
    """Raises Http404, as everything here does, for what isn't there."""
    return _found(connections().filter(pk=pk).first(), Connection)


def connections_of(talent_id: int) -> list[Connection]:
    return list(connections().filter(talent=talent_id).order_by("platform", "handle_key", "id"))


class ListedPost(Counted, Protocol):
    """A post with what its engagement rate needs."""

    platform: str
    followers: int | None


def posts(connection_id: int) -> QuerySet[Post]:
    """Raises Http404."""
    _existing_connection(connection_id)
    return Post.objects.filter(connection=connection_id).annotate(
        platform=F("connection__platform"), followers=F("connection__profile__followers")
    )


def runs(connection_id: int) -> QuerySet[SyncRun]:
    _existing_connection(connection_id)
    return SyncRun.objects.filter(connection=connection_id)


def history(connection_id: int, *, after: date) -> QuerySet[Snapshot]:
    _existing_connection(connection_id)
    return Snapshot.objects.filter(connection=connection_id, date__gt=after).order_by("date")


def talents(wanted: RosterFilter, *, unmanaged: bool = False) -> QuerySet[Talent]:
    """The talents that a filter lets through, with what their JSON and their orderings need."""
    found = roster(wanted)
    return _with_facts(found.filter(manager__isnull=True) if unmanaged else found)


def talent(pk: int) -> Talent:
    return _found(_with_facts(Talent.objects.filter(pk=pk)).first(), Talent)


def existing_talent(pk: int) -> Talent:
    """The talent alone, to do something with."""
    return _found(Talent.objects.filter(pk=pk).first(), Talent)


def _with_facts(found: QuerySet[Talent]) -> QuerySet[Talent]:
    """Manager, connections in short, the sum of followers: three queries for any number."""
    accounts = Connection.objects.filter(talent_id=OuterRef("pk")).order_by().values("talent_id")
    short = Connection.objects.select_related("profile").only(
        "id", "talent_id", "platform", "handle", "sync_status", "profile__followers"
    )
    return (
        found.select_related("manager")
        .prefetch_related(
            Prefetch("connections", queryset=short.order_by("platform", "handle_key", "id"))
        )
        .annotate(
            name_key=Upper("name"),
            total_followers=Subquery(accounts.annotate(n=Sum("profile__followers")).values("n")),
        )
    )


# --- versions: what a poll asks first ---

_ROW_VERSIONS = """
SELECT c.id, c.xmin::text, c.ctid::text, p.xmin::text, p.ctid::text, g.xmin::text, g.ctid::text,
       (SELECT count(*) FROM socials_post s WHERE s.connection_id = c.id AND s.deleted_at IS NULL)
FROM socials_connection c
LEFT JOIN socials_profile p ON p.connection_id = c.id
LEFT JOIN socials_grant g ON g.connection_id = c.id
WHERE {condition}
ORDER BY c.id
"""


def version_of(connection_id: int) -> list[tuple[Any, ...]]:
    """PostgreSQL's own row versions (``xmin``, ``ctid``): no write can forget to move them."""
    return _found(_versions("c.id = %s", connection_id), Connection)


def version_of_list(talent_id: int) -> list[tuple[Any, ...]]:
    versions = _versions("c.talent_id = %s", talent_id)
    if not versions and not Talent.objects.filter(pk=talent_id).exists():
        raise absent(Talent)
    return versions


def _versions(condition: str, pk: int) -> list[tuple[Any, ...]]:
    if pk >= 2**63:
        return []
    with database.cursor() as cursor:
        cursor.execute(_ROW_VERSIONS.format(condition=condition), [pk])
        return list(cursor.fetchall())


def _existing_connection(pk: int) -> None:
    _found(Connection.objects.filter(pk=pk).exists() or None, Connection)


def _found(thing: T | None, model: type[Model]) -> T:
    if not thing:
        raise absent(model)
    return thing
