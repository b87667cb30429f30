"""Who may do what on pages, in the back office and at the open doors: every address, by its name.

The API has its own table (``tests/api/test_roles.py``). An address without a row fails the test, so
that nobody adds one without deciding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from scraping.models import ScrapeRun
from socials import outbox, webhooks
from socials.models import (
    Batch,
    Circuit,
    Connection,
    DriftSighting,
    Event,
    QuotaWindow,
    SyncRun,
    Worker,
)
from talent.models import Activity, ApiToken, CreatorProfile, Talent, User
from tests.api.conftest import a_run

PEOPLE = {"anonymous": "", "talent": "tilda", "viewer": "victor", "manager": "alice"}
PEOPLE |= {"superuser": "ruth"}
Row = tuple[int, int, int, int, int]
Rows = dict[str, Row]


def all_of(status: int) -> Row:
    """A door that is open to everybody, or closed to everybody."""
    return (status,) * 5


def staff(status: int = 200) -> Row:
    """Strangers sign in first, talents are refused."""
    return (302, 403, status, status, status)


def managers(status: int = 200) -> Row:
    return (302, 403, 403, status, status)


READS: Rows = {"GET": staff(), "POST": managers()}  # a post to it is a look, and changes nothing
MANAGERS_READ: Rows = {"GET": managers(), "POST": managers()}
SUPERUSERS_READ: Rows = {"GET": (302, 403, 403, 403, 200), "POST": (302, 403, 403, 403, 200)}


def act(status: int = 302) -> Rows:
    """A change by a manager; ``status`` answers an empty form."""
    return {"GET": managers(405), "POST": managers(status)}


def own(status: int) -> Rows:
    """A change of what is one's own."""
    return {"GET": staff(405), "POST": staff(status)}


def look(status: int) -> Rows:
    """Open to the holder of a link, without a change."""
    return {"GET": all_of(status), "POST": all_of(405)}


def told(status: int) -> Rows:
    """What a platform tells us: nobody else's words are believed."""
    return {"GET": all_of(405), "POST": all_of(status)}


PAGES: dict[str, Rows] = {
    "talent-list": READS,
    "talent-list-live": READS,
    "talents-bulk": act(),
    "sync-refresh": act(),
    "batch-progress": READS,
    "roster-import": {"GET": managers(), "POST": managers(422)},
    "roster-template": MANAGERS_READ,
    "import-report": {"GET": managers(404), "POST": managers(404)},
    "import-confirm": act(404),
    "import-discard": act(),
    "import-problems": {"GET": managers(404), "POST": managers(404)},
    "talent-new": {"GET": (302, 403, 302, 200, 200), "POST": managers(422)},
    "roster-export": READS,
    "talent-next": {"GET": staff(302), "POST": managers(302)},
    "talent-previous": {"GET": staff(302), "POST": managers(302)},
    "talent-overview": READS,
    "talent-profiles": {"GET": staff(), "POST": managers(422)},
    "connections-live": READS,
    "account-check": READS,
    "changes": READS,
    "talent-intelligence": READS,
    "intelligence-live": READS,
    "intelligence-export": READS,
    "talent-activity": READS,
    "talent-settings": {"GET": (302, 403, 302, 200, 200), "POST": managers(422)},
    "talent-sync": act(),
    "talent-photo": act(),
    "photo-upload": act(),
    "photo-remove": act(),
    "photo-choose": act(),
    "photo-focus": act(404),
    "talent-archive": act(),
    "talent-restore": act(),
    "talent-delete": act(422),
    "connection-sync": act(),
    "connection-delete": act(),
    "connection-reconnect": act(),
    "invites": READS,
    "invite-off": act(404),
    "invite-create": act(),
    "invite-revoke": act(),
    "kit-make": act(),
    "kit-off": act(),
    "sync": READS,
    "activity": READS,
    "activity-export": READS,
    "account": {"GET": staff(), "POST": staff(422)},
    "all-tokens": SUPERUSERS_READ,
    "token-revoke": own(302),
    "second-factor": {"GET": staff(), "POST": staff()},
    "second-factor-begin": own(200),
    "second-factor-confirm": own(302),
    "second-factor-codes": own(422),
    "second-factor-off": own(422),
    "webhooks": MANAGERS_READ,
    "webhook-new": {"GET": managers(), "POST": managers(422)},
    "webhook": {"GET": managers(), "POST": managers(422)},
    "webhook-log": MANAGERS_READ,
    "webhook-switch": act(),
    "webhook-test": act(),
    "webhook-delete": act(),
    "webhook-resend-failed": act(),
    "delivery-resend": act(),
}
DOORS: dict[str, Rows] = {
    "login": {"GET": (200, 302, 302, 302, 302), "POST": (200, 302, 302, 302, 302)},
    "login-code": {"GET": all_of(302), "POST": all_of(302)},
    "logout": {"GET": all_of(405), "POST": all_of(302)},
    "theme": {"GET": all_of(405), "POST": all_of(302)},
    "media-kit": look(404),
    "connect": look(404),
    "connect-disconnect": {"GET": all_of(404), "POST": all_of(404)},
    "oauth-start": look(404),
    "oauth-callback": look(400),
    "oauth-confirm": {"GET": all_of(410), "POST": all_of(410)},
    "callback-youtube": {"GET": all_of(404), "POST": all_of(204)},
    "meta-deauthorize": told(400),
    "meta-data-deletion": told(400),
    "meta-deletion": look(404),
    "tiktok-webhook": told(400),
    "photo": look(404),
    "thumb": look(404),
}

# The back office sends talents to the sign-in like strangers, which then refuses them.
SEEN, EDITED = (302, 302, 200, 200, 200), (302, 302, 403, 200, 200)
SUPERUSERS, NOBODY = (302, 302, 403, 403, 200), (302, 302, 403, 403, 403)


def model(
    name: str, *, seen: Row = SEEN, edited: Row = NOBODY, deleted: Row | None = None,
    added: Row | None = None, saved: int = 200,
) -> dict[str, Rows]:  # fmt: skip
    """A model's pages; ``saved`` answers an empty form of one who may edit."""
    change = tuple(saved if status == 200 else status for status in edited)
    return {
        f"admin:{name}_changelist": {"GET": seen, "POST": seen},
        f"admin:{name}_add": dict.fromkeys(("GET", "POST"), added or edited),
        f"admin:{name}_history": {"GET": seen, "POST": seen},
        f"admin:{name}_delete": dict.fromkeys(("GET", "POST"), deleted or edited),
        f"admin:{name}_change": {"GET": seen, "POST": change},
    }


BACK_OFFICE: dict[str, Rows] = {
    "admin:index": {"GET": SEEN, "POST": SEEN},
    "admin:app_list": {"GET": SEEN, "POST": SEEN},
    "admin:login": dict.fromkeys(("GET", "POST"), (302, 403, 302, 302, 302)),
    "admin:logout": {"GET": (302, 302, 405, 405, 405), "POST": all_of(302)},
    "admin:password_change": {"GET": SEEN, "POST": SEEN},
    "admin:password_change_done": {"GET": SEEN, "POST": (302, 302, 405, 405, 405)},
    "admin:autocomplete": {"GET": NOBODY, "POST": (302, 302, 405, 405, 405)},
    "admin:jsi18n": {"GET": SEEN, "POST": (302, 302, 405, 405, 405)},
    "admin:view_on_site": dict.fromkeys(("GET", "POST"), (302, 302, 404, 404, 404)),
    "admin:auth_user_password_change": {"GET": SUPERUSERS, "POST": SUPERUSERS},
    **model("talent_talent", edited=EDITED),
    **model("socials_connection", edited=EDITED, saved=302),
    **model("talent_user", edited=SUPERUSERS),
    **model("talent_apitoken", seen=SUPERUSERS),
    **model("talent_activity"),
    **model("talent_creatorprofile"),
    **model("scraping_scraperun"),
    **model("socials_syncrun"),
    **model("socials_circuit"),
    **model("socials_quotawindow"),
    **model("socials_worker"),
    **model("socials_driftsighting"),
}
for failed in ("accessattempt", "accesslog", "accessfailurelog"):
    of_sign_ins = {"seen": SUPERUSERS, "edited": SUPERUSERS, "added": NOBODY, "saved": 302}
    BACK_OFFICE |= model(f"axes_{failed}", **of_sign_ins)

MATRIX = {**PAGES, **DOORS, **BACK_OFFICE}


def addresses(resolver: Any = None, space: str = "") -> Iterator[tuple[str, Any]]:
    """Name (or route, where there is none) and pattern of every address outside /api."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if str(pattern.pattern).startswith(("api/", "^api")):
            continue
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from addresses(pattern, space + inner)
        else:
            assert isinstance(pattern, URLPattern)
            yield space + (pattern.name or str(pattern.pattern)), pattern.pattern


def test_every_address_outside_the_api_has_its_row() -> None:
    unnamed = {"admin:<path:object_id>/", "admin:(?P<url>.*)$"}  # lead to named ones, or to a 404
    found = [name for name, _ in addresses() if name not in unnamed]
    assert sorted(found) == sorted(MATRIX)


@pytest.fixture
def stage(
    tilda: User, alice: User, jane: Talent, account: Callable[..., Connection]
) -> tuple[dict[str, int], dict[str, Any]]:
    """One row of every model of the back office, and a value for everything in an address."""
    row, now = account(jane), timezone.now()
    webhook = webhooks.create(url="https://crm.example/", events=list(Event))
    outbox.emit(Event.TALENT_MILESTONE, jane.pk, {})
    token, _ = ApiToken.issue(alice, name="report")
    seen = {"platform": "TIKTOK", "source": "apify"}
    made = [
        tilda, jane, token, row, Activity.objects.earliest("pk"),
        CreatorProfile.objects.create(user=tilda),
        ScrapeRun.objects.create(started_at=now),
        SyncRun.objects.create(**a_run(row)),
        Circuit.objects.create(**seen),
        QuotaWindow.objects.create(bucket="x", starts_at=now, ends_at=now, used=0, cap=1),
        Worker.objects.create(id="w", host="h", pid=1, started_at=now, heartbeat_at=now),
        DriftSighting.objects.create(**seen, path="x", first_seen_at=now, last_seen_at=now),
        AccessAttempt.objects.create(username="x", failures_since_start=1),
        AccessLog.objects.create(username="x"),
        AccessFailureLog.objects.create(username="x"),
    ]  # fmt: skip
    values = {
        "talent_id": jane.pk, "connection_id": row.pk, "token_id": token.pk, "id": tilda.pk,
        "webhook_id": webhook.pk, "delivery_id": webhook.deliveries.get().pk,
        "batch_id": Batch.objects.create(kind=Batch.Kind.SYNC).pk,
        "content_type_id": ContentType.objects.get_for_model(Talent).pk, "object_id": jane.pk,
        "import_id": 0, "invite_id": 0, "pending_id": "x", "token": "unknown", "code": "UNKNOWN",
        "platform": "instagram", "folder": "ab", "file": "x.webp", "what": "posts", "kind": "csv",
        "app_label": "talent",
    }  # fmt: skip
    return {thing._meta.label_lower.replace(".", "_"): thing.pk for thing in made}, values


def url_of(name: str, pattern: Any, stage: tuple[dict[str, int], dict[str, Any]]) -> str:
    rows, values = stage
    wanted = list(pattern.converters) or list(pattern.regex.groupindex)
    named = {word: values[word] for word in wanted}
    of_model = name.removeprefix("admin:").rpartition("_")[0]
    if "object_id" in named and of_model in rows:
        named["object_id"] = rows[of_model]
    return reverse(name, kwargs=named)


@pytest.mark.parametrize("person", PEOPLE)
def test_everybody_gets_the_answer_that_is_written_down(
    request: pytest.FixtureRequest, stage: tuple[dict[str, int], dict[str, Any]], person: str
) -> None:
    key = ""
    if PEOPLE[person]:
        signed_in = Client()
        user = request.getfixturevalue(PEOPLE[person])
        signed_in.force_login(user, backend="talent.backends.RoleBackend")
        key = signed_in.cookies["sessionid"].value
    column = list(PEOPLE).index(person)
    otherwise = {}
    for name, pattern in addresses():
        for method, expected in MATRIX.get(name, {}).items():
            browser = Client(raise_request_exception=False)
            browser.cookies["sessionid"] = key
            with transaction.atomic():
                status = browser.generic(method, url_of(name, pattern, stage)).status_code
                transaction.set_rollback(True)  # each finds everything as it was
            if status != expected[column]:
                otherwise[f"{method} {name}"] = (status, expected[column])
    assert otherwise == {}, "answered, expected"


def test_no_page_knows_another_way_to_change_something(
    stage: tuple[dict[str, int], dict[str, Any]], ruth: User
) -> None:
    browser = Client()
    browser.force_login(ruth, backend="talent.backends.RoleBackend")
    for name, pattern in addresses():
        if name in PAGES:
            for method in ("PUT", "PATCH", "DELETE"):
                answer = browser.generic(method, url_of(name, pattern, stage))
                assert answer.status_code == 405, f"{method} {name}"
