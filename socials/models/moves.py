"""The moves of a connection's sync: each is one statement, and the only way its state changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import connection as database
from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest, Least, Now

from socials.models.states import LIMITS, Priority, SyncStatus, Trigger
from talent.trace import began_by

if TYPE_CHECKING:
    from socials.models.connection import Connection


MAX_LOST_WORKERS = 10
"""So many workers may die in a row over one connection before a person must look."""

LOST_TOO_OFTEN = f"{MAX_LOST_WORKERS} workers in a row were lost over this account."


def max_attempts() -> int:
    return len(settings.SYNC_RETRY_DELAYS)


def first_delay() -> timedelta:
    return timedelta(seconds=settings.SYNC_RETRY_DELAYS[0])


_CLAIM = {
    "id": "bigint",
    "version": "bigint",
    "owner": "text",
    "refresh_in": "double precision",
    "listed": "boolean",
}
"""What each claim that is told to ``succeed`` names, and its type."""


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """Questions, then the moves: every change of a sync's state is one statement here.

    Time is the database's, never a worker's. A conclusion names the fence (``sync_version``) and
    the owner of the claim; it returns False when they no longer match, and nothing was written.
    """

    # --- questions ---

    def due(self) -> ConnectionQuerySet:
        return self.filter(sync_status=SyncStatus.PENDING, next_attempt_at__lte=Now())

    def soon(self, within: timedelta) -> ConnectionQuerySet:
        """Due now or ``within`` so long."""
        return self.filter(sync_status=SyncStatus.PENDING, next_attempt_at__lte=Now() + within)

    def overdue(self, *, seconds: float) -> ConnectionQuerySet:
        """Due for so long and still not taken."""
        late = Now() - timedelta(seconds=seconds)
        return self.filter(sync_status=SyncStatus.PENDING, next_attempt_at__lte=late)

    def platforms_due(self, names: Sequence[str]) -> list[str]:
        """Those of these platforms that have due rows, at the same cost for one row and for many."""
        with database.cursor() as cursor:
            cursor.execute(
                """
                SELECT name FROM unnest(%s::text[]) AS name WHERE EXISTS (
                    SELECT FROM socials_connection
                    WHERE platform = name AND priority = ANY(%s) AND sync_status = 'PENDING'
                        AND next_attempt_at <= statement_timestamp()
                )
                """,
                [list(names), list(Priority.values)],
            )
            return [name for (name,) in cursor.fetchall()]

    def held_by(self, owner: str) -> ConnectionQuerySet:
        return self.filter(sync_status=SyncStatus.SYNCING, lease_owner=owner)

    def expired(self) -> ConnectionQuerySet:
        """Past their lease, or with one that only a clock which went back since can have written."""
        lease = timedelta(seconds=settings.SYNC_LEASE_SECONDS)
        over = Q(lease_expires_at__lt=Now()) | Q(lease_expires_at__gt=Now() + 2 * lease)
        return self.filter(over, sync_status=SyncStatus.SYNCING)

    def claimed(self, pk: int, *, version: int, owner: str) -> ConnectionQuerySet:
        """The row, if this claim of it still stands."""
        return self.held_by(owner).filter(pk=pk, sync_version=version)

    # --- moves ---

    def request(self, *, trigger: str, priority: int) -> int:
        """Queue a sync of each row, joining one that is queued. How many rows changed.

        At rest → queued afresh. Queued → as urgent as asked and due now, but not before the end of
        a limit that the platform ordered. Syncing → a person's request is kept for afterwards.
        """
        urgent = priority < Priority.SCHEDULED
        fresh: dict[str, Any] = {
            "sync_version": F("sync_version") + 1,
            "trigger": trigger,
            "priority": priority,
            "request_id": began_by(),
            "requested_at": Now(),
            "attempt": 0,
            "lost_workers": 0,
            "updated_at": Now(),
        }
        # A person's click begins anew; the schedule leaves the last cause readable meanwhile.
        if urgent:
            fresh |= {"error_code": "", "sync_error": ""}
        with transaction.atomic():
            if urgent:
                # None may move between the statements: a sync that ends meanwhile is asked again.
                self._hold_still()
            return self._request(fresh, urgent=urgent)

    def _hold_still(self) -> None:
        list(self.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk"))

    def _request(self, fresh: dict[str, Any], *, urgent: bool) -> int:
        changed = self.filter(sync_status__in=[SyncStatus.READY, SyncStatus.ERROR]).update(
            sync_status=SyncStatus.PENDING, next_attempt_at=Now() + first_delay(), **fresh
        )
        if not urgent:
            return changed
        trigger, priority = fresh["trigger"], fresh["priority"]
        limited = Q(error_code__in=LIMITS, next_attempt_at__gt=Now())
        queued = Q(attempt=0, priority__lte=priority, next_attempt_at__lte=Now() + first_delay())
        waiting = self.filter(sync_status=SyncStatus.PENDING)
        changed += waiting.filter(limited, priority__gt=priority).update(
            trigger=trigger, priority=priority, requested_at=Now(), attempt=0, updated_at=Now()
        )
        changed += (
            waiting.exclude(limited)
            .exclude(queued)
            .update(next_attempt_at=Now() + first_delay(), **fresh)
        )
        changed += self.filter(sync_status=SyncStatus.SYNCING, wants_again=False).update(
            wants_again=True, request_id=began_by(), updated_at=Now()
        )
        return changed

    def claim(
        self,
        limit: int,
        *,
        platform: str,
        owner: str,
        least_urgent: int = Priority.SCHEDULED,
    ) -> list[Connection]:
        """Take up to ``limit`` due rows of a platform, the most urgent first. Each is ours alone."""
        return list(
            self.model.objects.raw(
                """
                WITH due AS MATERIALIZED (
                    SELECT id FROM socials_connection
                    WHERE platform = %s AND sync_status = 'PENDING' AND priority <= %s
                        AND next_attempt_at <= statement_timestamp()
                    ORDER BY priority, next_attempt_at, id
                    FOR NO KEY UPDATE SKIP LOCKED
                    LIMIT %s
                )
                UPDATE socials_connection SET
                    sync_status = 'SYNCING', sync_version = sync_version + 1,
                    attempt = attempt + 1, started_at = statement_timestamp(),
                    next_attempt_at = NULL, lease_owner = %s,
                    lease_expires_at = statement_timestamp() + make_interval(secs => %s),
                    updated_at = statement_timestamp()
                FROM due WHERE socials_connection.id = due.id
                RETURNING socials_connection.*
                """,
                [platform, least_urgent, limit, owner, settings.SYNC_LEASE_SECONDS],
            )
        )

    def renew(self, ids: Sequence[int], *, owner: str) -> set[int]:
        """Hold these rows for one more lease. The ids that are still ours."""
        if not ids:
            return set()
        with database.cursor() as cursor:
            cursor.execute(
                """
                UPDATE socials_connection
                SET lease_expires_at = statement_timestamp() + make_interval(secs => %s)
                WHERE id = ANY(%s) AND sync_status = 'SYNCING' AND lease_owner = %s
                RETURNING id
                """,
                [settings.SYNC_LEASE_SECONDS, list(ids), owner],
            )
            return {row[0] for row in cursor.fetchall()}

    def succeed(self, claims: Sequence[Mapping[str, Any]]) -> set[int]:
        """SYNCING → READY with what was read; → PENDING where a person asked meanwhile.

        One statement for any number of rows. A claim names ``id``, ``version`` and ``owner``,
        ``refresh_in`` (seconds), ``listed`` (whether its posts were), and the values of further
        columns, the same for all. Returns the ids whose claim still stood: those were written.
        """
        if not claims:
            return set()
        columns = [name for name in claims[0] if name not in _CLAIM]
        types = {**_CLAIM, **{name: self._type_of(name) for name in columns}}
        told = ", ".join(f"{name} {kind}" for name, kind in types.items())
        read = "".join(f"{name} = told.{name}, " for name in columns)
        with database.cursor() as cursor:
            cursor.execute(
                f"""
                UPDATE socials_connection AS kept SET {read}
                    sync_status = CASE WHEN wants_again THEN 'PENDING' ELSE 'READY' END,
                    attempt = CASE WHEN wants_again THEN 0 ELSE attempt END,
                    next_attempt_at = CASE WHEN wants_again THEN statement_timestamp() END,
                    trigger = CASE WHEN wants_again THEN %s ELSE trigger END,
                    priority = CASE WHEN wants_again THEN %s ELSE priority END,
                    requested_at =
                        CASE WHEN wants_again THEN statement_timestamp() ELSE requested_at END,
                    wants_again = false, lost_workers = 0,
                    lease_owner = '', lease_expires_at = NULL,
                    sync_version = sync_version + 1,
                    last_synced_at = statement_timestamp(),
                    last_posts_read_at =
                        CASE WHEN told.listed THEN statement_timestamp() ELSE last_posts_read_at END,
                    next_refresh_at = statement_timestamp() + make_interval(secs => refresh_in),
                    updated_at = statement_timestamp()
                FROM jsonb_to_recordset(%s::jsonb) AS told ({told})
                WHERE kept.id = told.id AND sync_status = 'SYNCING'
                    AND sync_version = told.version AND lease_owner = told.owner
                RETURNING kept.id
                """,  # noqa: S608  built from this table's own columns
                [Trigger.MANUAL, Priority.INTERACTIVE, json.dumps([dict(c) for c in claims])],
            )
            return {pk for (pk,) in cursor.fetchall()}

    def retry(
        self,
        pk: int,
        *,
        version: int,
        owner: str,
        at: datetime | timedelta,
        code: str,
        message: str,
        counted: bool = True,
        **more: Any,
    ) -> bool:
        """SYNCING → PENDING until ``at`` (a moment, or so long from now).

        ``counted=False`` is a snooze: a limit or an outage, which costs no attempt.
        """
        moment = Now() + at if isinstance(at, timedelta) else Greatest(Value(at), Now())
        if not counted:
            more["attempt"] = Greatest(F("attempt") - 1, 0)
        return self._conclude(
            pk, version, owner, SyncStatus.PENDING, moment,
            error_code=code, sync_error=message, lost_workers=0, **more,
        )  # fmt: skip

    def fail(
        self,
        pk: int,
        *,
        version: int,
        owner: str,
        code: str,
        message: str,
        next_refresh_at: Any,
        **more: Any,
    ) -> bool:
        """SYNCING → ERROR with its cause; → PENDING where a person asked meanwhile."""
        return self._conclude(
            pk, version, owner, SyncStatus.ERROR, None,
            error_code=code, sync_error=message, lost_workers=0,
            next_refresh_at=next_refresh_at, **more,
        )  # fmt: skip

    def release(self, owners: Iterable[str], *, ids: Sequence[int] | None = None) -> int:
        """Hand back rows that were held and not read: due at once, no attempt counted."""
        rows = self.filter(sync_status=SyncStatus.SYNCING, lease_owner__in=list(owners))
        if ids is not None:
            rows = rows.filter(pk__in=ids)
        return rows.update(
            sync_status=SyncStatus.PENDING,
            next_attempt_at=Now(),
            attempt=Greatest(F("attempt") - 1, 0),
            **self._unheld(),
        )

    def rescue(self) -> list[Connection]:
        """Take back rows whose holder is gone: due at once, the attempt counted.

        A lost worker is not the account's fault, so it always leaves two attempts: one real failure
        is still tried again. Only a row over which one worker after another dies ends in ERROR.
        Returns the rows as they were.
        """
        with transaction.atomic():
            rows = list(
                self.filter(sync_status=SyncStatus.SYNCING).select_for_update(
                    skip_locked=True, no_key=True
                )
            )
            held = self.model.objects.filter(pk__in=[row.pk for row in rows])
            held.filter(lost_workers__gte=MAX_LOST_WORKERS - 1).update(
                sync_status=SyncStatus.ERROR,
                error_code="INTERNAL",
                sync_error=LOST_TOO_OFTEN,
                told="INTERNAL",
                next_refresh_at=Now() + timedelta(minutes=settings.SYNC_FRESHNESS_MINUTES),
                **self._unheld(),
            )
            held.filter(sync_status=SyncStatus.SYNCING).update(
                sync_status=SyncStatus.PENDING,
                next_attempt_at=Now(),
                attempt=Least(F("attempt"), Value(max(max_attempts() - 2, 0))),
                lost_workers=F("lost_workers") + 1,
                **self._unheld(),
            )
        return rows

    def leave_the_future(self) -> int:
        """Due now what was written by a database clock that has gone back since. How many rows."""
        future = Now() + timedelta(minutes=1)
        waiting = self.filter(sync_status=SyncStatus.PENDING, updated_at__gt=future)
        at_rest = self.filter(
            sync_status__in=[SyncStatus.READY, SyncStatus.ERROR], last_synced_at__gt=future
        )
        return waiting.update(next_attempt_at=Now(), updated_at=Now()) + at_rest.update(
            last_synced_at=Now(), next_refresh_at=Now(), updated_at=Now()
        )

    def _conclude(
        self,
        pk: int,
        version: int,
        owner: str,
        status: SyncStatus,
        next_attempt_at: Any,
        **values: Any,
    ) -> bool:
        at_once: Any = Now()
        if values.get("error_code") in LIMITS and next_attempt_at is not None:
            at_once = next_attempt_at
        values |= {
            "sync_status": self._if_asked_again(
                "sync_status", Value(SyncStatus.PENDING), Value(status)
            ),
            "attempt": self._if_asked_again(
                "attempt", Value(0), values.get("attempt", F("attempt"))
            ),
            "next_attempt_at": self._if_asked_again(
                "next_attempt_at", at_once, next_attempt_at or Value(None, models.DateTimeField())
            ),
        }
        held = self.claimed(pk, version=version, owner=owner)
        return bool(held.update(**values, **self._unheld()))

    def _type_of(self, column: str) -> str:
        return str(self._column(column).db_type(database))

    def _if_asked_again(self, column: str, then: Any, otherwise: Any) -> Case:
        """``then`` where a person asked while it was syncing (SET reads the row as it was)."""
        field = self._column(column)
        return Case(When(wants_again=True, then=then), default=otherwise, output_field=field)

    def _unheld(self) -> dict[str, Any]:
        """What every move out of SYNCING writes: no lease, and what a person asked meanwhile."""
        manual, interactive = Value(Trigger.MANUAL), Value(Priority.INTERACTIVE)
        return {
            "lease_owner": "",
            "lease_expires_at": None,
            "sync_version": F("sync_version") + 1,
            "trigger": self._if_asked_again("trigger", manual, F("trigger")),
            "priority": self._if_asked_again("priority", interactive, F("priority")),
            "requested_at": self._if_asked_again("requested_at", Now(), F("requested_at")),
            "wants_again": False,
            "updated_at": Now(),
        }

    def _column(self, name: str) -> models.Field[Any, Any]:
        return cast("models.Field[Any, Any]", self.model._meta.get_field(name))
