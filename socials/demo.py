"""The demo roster: staff who can sign in, talents of the cast, their accounts and a past.

Loading it again changes nothing but what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils.text import slugify

from socials import cast, platforms
from socials.connections import connect
from socials.models import Connection, Snapshot
from socials.platforms.kit.sandbox import Account, Mood, three_figures
from talent import roster
from talent.models import Talent, User

PAST_DAYS = 120
"""How far back the followers' curve goes; the sandbox's numbers follow from the date alone."""


@dataclass(frozen=True, slots=True)
class Loaded:
    talents: int
    connections: int


@transaction.atomic
def load() -> Loaded:
    """Add whoever and whatever of the cast is missing."""
    managers = {staff.username: _sign_in(staff) for staff in cast.STAFF}
    talents = connections = 0
    known = {talent.name: talent for talent in Talent.objects.filter(name__in=_names())}
    for person in cast.PEOPLE:
        talent = known.get(person.name)
        if talent is None:
            talents += 1
            talent = roster.add(
                person.name,
                email=f"{slugify(person.name.split()[0])}@talent.example",
                tags=person.tags,
                location=person.location,
                manager_id=managers[person.manager].pk,
            )
            for platform, handle in person.accounts.items():
                row, created = connect(talent, platform, handle=handle)
                connections += created
                _remember(row)
    return Loaded(talents, connections)


def _names() -> Iterable[str]:
    return [person.name for person in cast.PEOPLE]


def _sign_in(staff: cast.Staff) -> User:
    """The staff user; an existing one keeps what was changed, its password too."""
    first_name, _, last_name = staff.name.partition(" ")
    user, created = User.objects.get_or_create(
        username=staff.username,
        defaults={
            "first_name": first_name,
            "last_name": last_name,
            "email": f"{staff.username}@agency.example",
            "is_staff": True,
            "role": staff.role,
        },
    )
    if created:
        user.set_password(cast.PASSWORD)
        user.save(update_fields=["password"])
    return user


def _remember(row: Connection) -> None:
    """Give an account that can be read the past that it would have, had we watched it."""
    sources = platforms.sources(row.platform)
    account = Account(row.platform, row.handle)
    if not sources or account.mood not in {Mood.FINE, Mood.SLOW, Mood.FLAKY, Mood.NOIMAGE}:
        return
    now = datetime.now(UTC)
    moments = (now - timedelta(days=days) for days in range(1, PAST_DAYS + 1))
    Snapshot.objects.bulk_create(
        [
            Snapshot(
                connection=row,
                date=moment.date(),
                followers=_told(account, moment),
                following=account.following(moment),
                posts=account.total_posts(moment),
                source=sources[0].name,
                taken_at=moment,
            )
            for moment in moments
        ],
        ignore_conflicts=True,
    )


def _told(account: Account, moment: datetime) -> int:
    """Its followers as its platform would have told them, so that no day looks like a fall."""
    followers = account.followers(moment)
    return three_figures(followers) if account.platform == "YOUTUBE" else followers
