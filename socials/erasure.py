"""Taking a person out of Greenroom for good, with a receipt of what went."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.deletion import Collector
from django.utils import timezone

from scraping.models import ScrapeRun
from socials import connections
from socials.images import files, thumbs
from socials.images.storage import keeper
from socials.intelligence import kept
from socials.models import Connection, Delivery, RosterImport
from socials.models.photo import Photo, PhotoRun
from socials.models.thumbnail import Thumbnail
from talent.activity import record
from talent.models import Activity, Talent, User
from talent.roster import departing

if TYPE_CHECKING:
    Counts = Counter[str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure removed: rows by table, and ``files`` of photos."""

    talent_id: int
    erased_at: datetime
    erased: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        return {
            "talentId": self.talent_id,
            "erasedAt": self.erased_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "erased": self.erased,
        }


def erase(talent_id: int, *, actor: User | None = None) -> Receipt:
    """Remove a talent, the accounts with all that was read, the photos, the talent's own sign-in
    (never a member of staff's), and the person's traces in every log.

    One transaction; the files go after it. A talent that was deleted before is erased from the
    logs. Raises Talent.DoesNotExist when nothing is known of this id.
    """
    with transaction.atomic():
        talent = Talent.objects.held().filter(pk=talent_id).first()
        logged = Activity.objects.filter(talent_id=talent_id).exclude(object="", details={})
        if talent is None and not logged.exists():
            raise Talent.DoesNotExist
        counts: Counts = Counter()
        pictures: list[str] = []
        if talent is not None:
            pictures = _pictures_of(talent)
            _remove(talent, actor, counts)
        _wipe(counts, Delivery.objects.filter(talent_id=talent_id))
        # Whom an uploaded file names is not known; it is kept for a day only.
        _wipe(counts, RosterImport.objects.all())
        counts["talent_activity"] += _redact(Q(talent_id=talent_id), object="", details={})
        receipt = Receipt(talent_id, timezone.now(), _told(counts, len(pictures)))
        record(
            "talent.erased",
            actor=actor,
            talent_id=talent_id,
            details={"erased": receipt.erased},
        )
        # What is left because the storage is away goes with the daily sweep.
        transaction.on_commit(lambda: keeper.remove(pictures), robust=True)
        transaction.on_commit(lambda: kept.forget(talent_id))
    return receipt


def let_go(sender: type[Talent], talent: Talent, actor: User | None, **_: Any) -> None:
    """A talent departs: each account is disconnected, as if by hand."""
    accounts = Connection.objects.filter(talent=talent).order_by("pk")
    for pk in accounts.values_list("pk", flat=True):
        connections.disconnect(pk, actor=actor)


departing.connect(let_go, dispatch_uid="socials.erasure.let_go")


def _remove(talent: Talent, actor: User | None, counts: Counts) -> None:
    user = talent.linked_user if talent.linked_user and not talent.linked_user.is_staff else None
    accounts = list(talent.connections.all())
    counts.update(_everything_of(talent))
    _wipe(counts, PhotoRun.objects.filter(talent_id=talent.pk))
    _wipe(counts, _admin_lines(Talent, [talent.pk]))
    _wipe(counts, _admin_lines(Connection, [account.pk for account in accounts]))
    departing.send(sender=Talent, talent=talent, actor=actor)
    talent.delete()
    for account in accounts:
        about = ScrapeRun.objects.filter(message__iregex=rf"\y{re.escape(account.handle)}\y")
        counts["scraping_run"] += about.update(message="")
    if user is not None:
        _remove_user(user, counts)


def _remove_user(user: User, counts: Counts) -> None:
    counts.update(_everything_of(user))
    for model in (AccessAttempt, AccessLog, AccessFailureLog):
        _wipe(counts, model.objects.filter(username=user.username))
    _wipe(counts, _admin_lines(User, [user.pk]))
    counts["talent_activity"] += _redact(Q(actor_id=user.pk), actor_name="erased")
    user.delete()


def _everything_of(row: Model) -> Counts:
    """How many rows of which table go when this one does, by the database's own relations."""
    collector = Collector(using=row._state.db or "default", origin=row)
    collector.collect([row])
    counts: Counts = Counter()
    for model, rows in collector.data.items():
        counts[model._meta.db_table] += len(rows)
    for unread in collector.fast_deletes:
        counts[unread.model._meta.db_table] += unread.count()
    return counts


def _admin_lines(model: type[Model], ids: Iterable[int]) -> QuerySet[LogEntry]:
    return LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=[str(pk) for pk in ids]
    )


def _wipe(counts: Counts, rows: QuerySet[Any]) -> None:
    deleted, _ = rows.delete()
    counts[rows.model._meta.db_table] += deleted


def _redact(which: Q, **blank: Any) -> int:
    """Change lines of the activity log, which nothing else may: the transaction says why."""
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL greenroom.erasing = 'on'")
        redacted = Activity.objects.filter(which).update(**blank)
        cursor.execute("SET LOCAL greenroom.erasing = 'off'")
    return redacted


def _pictures_of(talent: Talent) -> list[str]:
    names = set(Photo.objects.filter(talent=talent).values_list("name", flat=True))
    names |= {files.name_of(talent.linked_image_url)} - {""}
    shared = Photo.objects.filter(name__in=names).exclude(talent=talent)
    names -= set(shared.values_list("name", flat=True))
    pictures = [path for name in sorted(names) for path in files.paths(name)]
    pictures += _thumbnails_of(talent)
    return [path for path in pictures if keeper.exists(path)]


def _thumbnails_of(talent: Talent) -> list[str]:
    own = Thumbnail.objects.filter(connection__talent=talent).exclude(name="")
    names = set(own.values_list("name", flat=True))
    shared = Thumbnail.objects.filter(name__in=names).exclude(connection__talent=talent)
    names -= set(shared.values_list("name", flat=True))
    return [thumbs.path(name) for name in sorted(names)]


def _told(counts: Counts, files: int) -> dict[str, int]:
    told = {table: number for table, number in sorted(counts.items()) if number}
    return told | ({"files": files} if files else {})
