"""Tokens are planted and looked for wherever they must not be: the database, logs, the API, pages,
error reports, mails, the queue."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import connection as database
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from socials import renewal, tasks
from socials.models import Connection, Grant, Invite, PendingGrant
from talent.models import Talent, User
from tests.socials.grant_stage import SCOPES, reply
from tests.socials.oauth_stage import invited, query_of, start

pytestmark = pytest.mark.django_db

CANARY = "canary7Qx"
CODE = f"code-{CANARY}"
ACCESS, REFRESH = f"act.{CANARY}-access", f"rft.{CANARY}-refresh"
CLIENT_SECRET = f"secret-{CANARY}"


@pytest.fixture
def written(settings: Any) -> Iterator[io.StringIO]:
    """All that is logged, down to the least, as production writes it."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    form = dict(settings.LOGGING["formatters"]["json"])
    handler.setFormatter(form.pop("()")(**form))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture
def tiktok(httpserver: HTTPServer, settings: Any, quiet_settings: None) -> HTTPServer:
    """A platform that quotes in its errors what it was sent."""
    settings.PLATFORM_SETTINGS = {
        **settings.PLATFORM_SETTINGS,
        "TIKTOK_API_URL": httpserver.url_for("").rstrip("/"),
        "TIKTOK_AUTHORIZE_URL": httpserver.url_for("/authorize/"),
        "TIKTOK_CLIENT_KEY": "key",
        "TIKTOK_CLIENT_SECRET": CLIENT_SECRET,
    }
    settings.SYNC_RETRY_DELAYS = (0.0,)
    asked: list[str] = []

    def token(request: Request) -> Response:
        form = request.form
        if form["grant_type"] == "refresh_token":
            text = f"bad {form['refresh_token']} of {form['client_secret']}"
            return reply({"error": "invalid_grant", "error_description": text}, 400)
        return reply(
            {
                "access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 60,
                "refresh_expires_in": 15552000, "open_id": "open-1", "scope": ",".join(SCOPES),
            }
        )  # fmt: skip

    def user(request: Request) -> Response:
        asked.append(request.path)
        if len(asked) > 1:
            text = f"{request.headers['Authorization']} is not good"
            return reply({"error": {"code": "access_token_invalid", "message": text}}, 401)
        facts = {"open_id": "open-1", "username": "jane.smith", "display_name": "Jane"}
        return reply({"data": {"user": facts}, "error": {"code": "ok", "message": ""}})

    httpserver.expect_request("/v2/oauth/token/").respond_with_handler(token)
    httpserver.expect_request("/v2/user/info/").respond_with_handler(user)
    return httpserver


def dump() -> str:
    """Every row of every table, as a dump of the database holds it."""
    rows: list[str] = []
    with database.cursor() as cursor:
        for table in database.introspection.table_names():
            with cursor.copy(f'COPY (SELECT * FROM "{table}") TO STDOUT') as copy:
                rows += [bytes(part).decode() for part in copy]
    return "".join(rows)


def report(client_of_grant: Grant) -> str:
    """What an error report shows of a failure right beside the secrets."""
    try:
        kept, given = client_of_grant, renewal.as_given(client_of_grant)
        raise RuntimeError(f"beside {kept!r} and {given!r}")
    except RuntimeError as error:
        request = RequestFactory().get("/")
        reporter = ExceptionReporter(request, type(error), error, error.__traceback__)
        return reporter.get_traceback_text() + reporter.get_traceback_html()


@pytest.mark.django_db(transaction=True)
def test_no_token_is_found_where_it_must_not_be(
    client: Client, jane: Talent, alice: User, ruth: User, tiktok: HTTPServer,
    written: io.StringIO,
) -> None:  # fmt: skip
    invite = invited(jane, by=alice, email="jane@talent.example")
    state = query_of(start(client, "tiktok", invite))["state"]
    page = client.get("/oauth/tiktok/callback", {"state": state, "code": CODE}, follow=True)
    seen = page.content.decode() + dump()
    assert PendingGrant.objects.get().access_token == ACCESS
    done = client.post(page.redirect_chain[-1][0], {"answer": "yes"}, follow=True)
    seen += done.content.decode()
    assert Grant.objects.get().refresh_token == REFRESH
    row = Connection.objects.get()
    tasks.refresh_grants()
    Connection.objects.update(reauth_doubts=1)
    tasks.sync_due("TIKTOK")
    row.refresh_from_db()
    assert row.error_code == "REAUTH_REQUIRED"
    tasks.send_invite(invite.pk)
    tasks.send_notices()

    seen += dump() + report(Grant.objects.get())
    client.force_login(ruth, backend="talent.backends.RoleBackend")
    for path in (
        f"/api/admin/socials/{row.pk}",
        f"/api/admin/socials/{row.pk}/runs",
        f"/api/admin/talent/{jane.pk}/social-connections",
        f"/api/admin/activity?talent={jane.pk}",
        f"/talent/{jane.pk}",
        f"/talent/{jane.pk}/activity",
        "/invites",
        "/invites?show=permissions",
        "/sync",
        f"/admin/socials/connection/{row.pk}/change/",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        seen += answer.content.decode()
    seen += client.get(f"/talent/{jane.pk}/profiles").content.decode()
    client.get(f"/connect/{invite.token}")
    client.get(f"/connect/{invite.token}/nowhere")
    logged = written.getvalue()
    assert "/oauth/tiktok/callback?[cut]" in logged
    assert CANARY not in seen
    assert CANARY not in logged
    assert CANARY not in "".join(str(sent.message()) for sent in mail.outbox)
    # The link itself is for the talent's eyes and her manager's: not for the dump and not for logs.
    assert invite.token not in dump()
    assert invite.token not in logged
    assert Invite.objects.get().token == invite.token
