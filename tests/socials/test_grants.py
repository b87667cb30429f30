"""Permissions: taken over, refreshed by one process at a time, found dead, given back."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone
from django_q.models import OrmQ
from pytest_httpserver import HTTPServer

from socials import connections, grants, renewal, tasks
from socials.grants import WrongAccount
from socials.models import Connection, Grant, Post, Revocation, SyncRun
from socials.renewal import Renewed
from socials.sync import engine
from talent.models import Activity, Talent
from tests.socials.grant_stage import SCOPES, TokenEndpoint, account, given, granted, reply

pytestmark = pytest.mark.django_db

REFUSAL = {"error": "invalid_grant", "error_description": "Refresh token is invalid."}


@pytest.fixture
def tiktok(httpserver: HTTPServer, settings: Any, quiet_settings: None) -> TokenEndpoint:
    return TokenEndpoint(httpserver, settings)


def rest(grant: Grant) -> None:
    """The cool-down is over."""
    Grant.objects.filter(pk=grant.pk).update(refresh_after=timezone.now() - timedelta(seconds=1))


def actions() -> list[str]:
    return list(Activity.objects.order_by("id").values_list("action", flat=True))


# --- refreshing --------------------------------------------------------------------------------


def test_a_rotated_token_is_stored_with_its_ends(jane: Talent, tiktok: TokenEndpoint) -> None:
    grant = granted(jane)
    assert renewal.refresh(grant.pk) is Renewed.FRESH
    grant.refresh_from_db()
    assert (grant.access_token, grant.refresh_token) == ("act.1", "rft.1")
    assert grant.expires_at is not None
    assert grant.expires_at > timezone.now() + timedelta(minutes=110)
    assert tiktok.asked[0]["refresh_token"] == "rft.0"


@pytest.mark.django_db(transaction=True)
def test_many_who_refresh_at_once_ask_the_platform_once(
    jane: Talent, tiktok: TokenEndpoint
) -> None:
    grant = granted(jane)
    tiktok.seconds = 0.3
    outcomes: list[Renewed] = []
    start = threading.Barrier(4)

    def refresh() -> None:
        try:
            start.wait()
            outcomes.append(renewal.refresh(grant.pk))
        finally:
            database.close()

    threads = [threading.Thread(target=refresh) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [Renewed.FRESH] + [Renewed.NOT_NEEDED] * 3
    assert len(tiktok.asked) == 1
    grant.refresh_from_db()
    assert grant.refresh_token == "rft.1"


def test_a_token_far_from_its_end_is_left_alone(jane: Talent, tiktok: TokenEndpoint) -> None:
    grant = granted(jane, ends_in=timedelta(hours=1))
    assert renewal.refresh(grant.pk) is Renewed.NOT_NEEDED
    assert not tiktok.asked


@pytest.mark.parametrize(
    "answer", [reply("<html>", 503), reply("nonsense"), reply({}), reply({"error": "brand_new"})]
)
def test_an_outage_is_never_a_refusal(jane: Talent, tiktok: TokenEndpoint, answer: Any) -> None:
    grant = granted(jane)
    tiktok.answer = lambda _: answer
    for _ in range(3):
        assert renewal.refresh(grant.pk) is Renewed.FAILED
        assert renewal.refresh(grant.pk) is Renewed.NOT_NEEDED  # it cools down
        rest(grant)
    row = Connection.objects.get()
    assert (row.connected, row.reauth_doubts) == (True, 0)
    grant.refresh_from_db()
    assert (grant.access_token, grant.refresh_token) == ("act.0", "rft.0")
    tiktok.recovers()
    assert renewal.refresh(grant.pk) is Renewed.FRESH


def test_a_platform_that_is_down_does_not_hold_up_the_job(
    jane: Talent, tiktok: TokenEndpoint
) -> None:
    for number in range(6):
        granted(jane, handle=f"jane{number}", open_id=f"open-{number}")
    tiktok.says(503, "")
    assert renewal.refresh_due() == 0
    assert len(tiktok.asked) == renewal.MOST_OUTAGES
    tiktok.recovers()
    tiktok.asked.clear()
    tasks.refresh_grants()
    assert len(tiktok.asked) == 6 - renewal.MOST_OUTAGES


def test_a_refusal_is_believed_when_it_is_said_twice(jane: Talent, tiktok: TokenEndpoint) -> None:
    grant = granted(jane)
    tiktok.says(400, REFUSAL)
    OrmQ.objects.all().delete()
    assert renewal.refresh(grant.pk) is Renewed.REFUSED
    row = Connection.objects.get()
    assert (row.connected, row.reauth_doubts) == (True, 1)
    assert "connection.reauth_required" not in actions()
    rest(grant)
    renewal.refresh(grant.pk)
    row.refresh_from_db()
    assert (row.connected, row.sync_status) == (False, "PENDING")
    assert actions().count("connection.reauth_required") == 1
    assert OrmQ.objects.count() == 1
    rest(grant)
    renewal.refresh(grant.pk)
    assert actions().count("connection.reauth_required") == 1


def test_a_good_refresh_between_two_refusals_clears_the_doubt(
    jane: Talent, tiktok: TokenEndpoint
) -> None:
    grant = granted(jane)
    tiktok.says(400, REFUSAL)
    renewal.refresh(grant.pk)
    rest(grant)
    tiktok.recovers()
    assert renewal.refresh(grant.pk) is Renewed.FRESH
    assert Connection.objects.get().reauth_doubts == 0


def test_an_answer_without_a_refresh_token_leaves_the_stored_one(
    jane: Talent, tiktok: TokenEndpoint
) -> None:
    grant = granted(jane)
    tiktok.says(200, {"access_token": "act.new", "expires_in": 7200, "refresh_token": ""})
    assert renewal.refresh(grant.pk) is Renewed.FRESH
    grant.refresh_from_db()
    assert (grant.access_token, grant.refresh_token) == ("act.new", "rft.0")
    assert grant.scopes == SCOPES
    assert grant.refresh_expires_at is not None


# --- reading with it ---------------------------------------------------------------------------


def synced(row: Connection) -> Connection:
    connections.request_sync(row.pk)
    tasks.sync_due("TIKTOK")
    return Connection.objects.get(pk=row.pk)


@pytest.fixture
def one_attempt(settings: Any) -> None:
    settings.SYNC_RETRY_DELAYS = (0.0,)


@pytest.mark.usefixtures("one_attempt")
@pytest.mark.django_db(transaction=True)
def test_an_ended_token_is_not_shown_to_the_platform_while_its_renewal_is_down(
    jane: Talent, tiktok: TokenEndpoint, httpserver: HTTPServer
) -> None:
    grant = granted(jane, ends_in=timedelta(minutes=-1))
    tiktok.says(503, "")
    httpserver.expect_request("/v2/user/info/").respond_with_json(
        {"error": {"code": "access_token_invalid"}}, status=401
    )
    row = synced(grant.connection)
    assert (row.sync_status, row.error_code) == ("ERROR", "PLATFORM_UNAVAILABLE")
    assert (row.connected, row.reauth_doubts) == (True, 0)
    assert [request.path for request, _ in httpserver.log] == ["/v2/oauth/token/"]


@pytest.mark.usefixtures("one_attempt", "platform_settings")
@pytest.mark.django_db(transaction=True)
def test_a_token_that_has_ended_is_renewed_before_it_is_used(jane: Talent, sandbox: Any) -> None:
    from socials.platforms.tiktok.sandbox.tokens import access_token, open_id, refresh_token

    grant = granted(
        jane,
        ends_in=timedelta(minutes=-1),
        open_id=open_id("jane.smith"),
        access_token=access_token("jane.smith", seconds=-60),
        refresh_token=refresh_token("jane.smith"),
    )
    row = synced(grant.connection)
    assert (row.sync_status, row.source) == ("READY", "tiktok_display")
    assert Post.objects.filter(connection=row).exists()


@pytest.mark.usefixtures("platform_settings")
@pytest.mark.django_db(transaction=True)
def test_a_token_that_is_refused_before_its_time_is_renewed_and_nobody_is_bothered(
    jane: Talent, sandbox: Any, settings: Any
) -> None:
    from socials.platforms.tiktok.sandbox.tokens import access_token, open_id, refresh_token

    settings.SYNC_RETRY_DELAYS = (0.0, 0.0, 0.0)
    grant = granted(
        jane,
        ends_in=timedelta(hours=1),
        open_id=open_id("jane.smith"),
        access_token=access_token("jane.smith", seconds=-60),
        refresh_token=refresh_token("jane.smith"),
    )
    row = synced(grant.connection)
    assert (row.sync_status, row.source, row.error_code) == ("READY", "tiktok_display", "")
    assert (row.connected, row.reauth_doubts) == (True, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("refresh", "code", "connected", "reads"),
    [
        ((200, None), "REAUTH_REQUIRED", False, 2),
        ((400, {"error": "invalid_grant"}), "REAUTH_REQUIRED", False, 1),
        ((503, ""), "PLATFORM_UNAVAILABLE", True, 1),
    ],
    ids=["renewed and refused again", "renewal refused", "renewal is down"],
)
def test_a_refused_token_is_believed_dead_only_when_its_renewal_says_so_too(
    jane: Talent, tiktok: TokenEndpoint, httpserver: HTTPServer, settings: Any,
    refresh: tuple[int, Any], code: str, connected: bool, reads: int,
) -> None:  # fmt: skip
    settings.SYNC_RETRY_DELAYS = (0.0, 0.0, 0.0)
    settings.TIKTOK_SOURCES = ["tiktok_display"]
    if refresh[1] is not None:
        tiktok.says(*refresh)
    httpserver.expect_request("/v2/user/info/").respond_with_json(
        {"error": {"code": "access_token_invalid"}}, status=401
    )
    row = synced(granted(jane, ends_in=timedelta(hours=1)).connection)
    assert (row.error_code, row.connected) == (code, connected)
    paths = [request.path for request, _ in httpserver.log]
    assert paths.count("/v2/user/info/") == reads


@pytest.mark.usefixtures("one_attempt", "platform_settings")
@pytest.mark.django_db(transaction=True)
def test_a_dead_grant_heals_by_itself_when_it_is_good_again(jane: Talent, sandbox: Any) -> None:
    from socials.platforms.tiktok.sandbox.tokens import access_token, open_id, refresh_token

    grant = granted(
        jane,
        ends_in=timedelta(hours=1),
        open_id=open_id("jane.smith"),
        access_token=access_token("jane.smith"),
        refresh_token=refresh_token("jane.smith"),
    )
    Connection.objects.update(
        connected=False, reauth_doubts=2, sync_status="ERROR", error_code="REAUTH_REQUIRED"
    )
    row = synced(grant.connection)
    assert (row.sync_status, row.connected, row.error_code) == ("READY", True, "")
    assert row.reauth_doubts == 0


@pytest.mark.usefixtures("one_attempt")
@pytest.mark.django_db(transaction=True)
def test_a_permission_taken_back_over_there_says_reconnect(
    jane: Talent, tiktok: TokenEndpoint
) -> None:
    granted(jane)
    assert grants.removed_at_platform("TIKTOK", "open-1", reason="she disconnected") == 1
    assert not Grant.objects.exists()
    tasks.sync_due("TIKTOK")
    row = Connection.objects.get()
    assert (row.sync_status, row.error_code, row.connected) == ("ERROR", "REAUTH_REQUIRED", False)
    assert SyncRun.objects.count() == 1
    assert not engine.work_is_due()


# --- taking over -------------------------------------------------------------------------------


def test_the_talents_own_permission_upgrades_the_manual_account(jane: Talent) -> None:
    row, _ = connections.connect(jane, "TIKTOK", handle="jane.smith")
    Connection.objects.update(
        external_id="6700000000000000001", metadata={"ids": {"apify": "6700000000000000001"}}
    )
    post = Post.objects.create(connection=row, external_id="1", fetched_at=timezone.now())
    adopted = grants.adopt(jane, "TIKTOK", given(), account(handle="Jane.Smith"))
    assert (adopted.connection.pk, adopted.created) == (row.pk, False)
    assert adopted.connection.connection_type == "OAUTH"
    assert Post.objects.get() == post
    assert Connection.objects.count() == 1
    assert actions()[-1] == "grant.given"


def test_a_new_account_says_that_a_sign_in_made_it_sync(jane: Talent) -> None:
    assert grants.adopt(jane, "TIKTOK", given(), account()).connection.trigger == "oauth"


def test_an_account_that_was_renamed_is_known_by_its_id(jane: Talent) -> None:
    grant = granted(jane)
    adopted = grants.adopt(jane, "TIKTOK", given(), account(handle="jane.new"))
    assert adopted.connection.pk == grant.pk
    assert actions()[-1] == "grant.renewed"


@pytest.mark.parametrize("code", ["REAUTH_REQUIRED", "PERMISSION_MISSING"])
def test_a_reconnect_clears_every_mark_and_queues_a_sync(jane: Talent, code: str) -> None:
    grant = granted(jane, refresh_after=timezone.now())
    Connection.objects.update(
        connected=False, reauth_doubts=2, sync_status="ERROR", error_code=code,
        sync_error="TikTok access ended.", partial=["grant", "posts"],
    )  # fmt: skip
    adopted = grants.adopt(jane, "TIKTOK", given(refresh_token=""), account())
    row = adopted.connection
    assert (row.pk, row.connected, row.reauth_doubts) == (grant.pk, True, 0)
    assert (row.sync_status, row.error_code, row.sync_error) == ("PENDING", "", "")
    assert row.partial == ["posts"]
    kept = Grant.objects.get()
    assert (kept.access_token, kept.refresh_token) == ("act.given1", "rft.0")
    assert kept.refresh_after is None


def test_a_reconnect_refuses_another_account_and_names_both(jane: Talent) -> None:
    granted(jane)
    Connection.objects.update(connected=False)
    with pytest.raises(WrongAccount) as refused:
        grants.adopt(jane, "TIKTOK", given(), account("open-2", "someone.else"))
    assert (refused.value.expected, refused.value.got) == ("@jane.smith", "@someone.else")
    assert Connection.objects.count() == 1
    assert Grant.objects.get().access_token == "act.0"


def test_a_handle_that_went_to_another_person_is_refused(jane: Talent) -> None:
    granted(jane)
    with pytest.raises(WrongAccount):
        grants.adopt(jane, "TIKTOK", given(), account("open-2", "jane.smith"))


def test_of_two_accounts_that_wait_either_may_come_back(jane: Talent) -> None:
    granted(jane)
    second = granted(jane, handle="jane.cooks", open_id="open-2")
    Connection.objects.update(connected=False)
    adopted = grants.adopt(jane, "TIKTOK", given(), account("open-2", "jane.cooks"))
    assert adopted.connection.pk == second.pk


def test_another_account_may_be_added_when_none_waits(jane: Talent) -> None:
    granted(jane)
    adopted = grants.adopt(jane, "TIKTOK", given(), account("open-2", "jane.cooks"))
    assert adopted.created
    assert adopted.connection.external_id == "open-2"
    assert Connection.objects.count() == 2


def test_scopes_that_were_left_out_are_named_with_their_loss() -> None:
    assert grants.lost_without("TIKTOK", SCOPES) == {}
    lost = grants.lost_without("TIKTOK", ["user.info.basic", "user.info.profile"])
    assert lost == {
        "user.info.stats": "Followers and likes can't be read.",
        "video.list": "Videos and their views can't be read.",
    }


# --- giving back -------------------------------------------------------------------------------


def test_deleting_the_account_revokes_its_permission(jane: Talent, tiktok: TokenEndpoint) -> None:
    grant = granted(jane)
    connections.disconnect(grant.pk)
    assert not Grant.objects.exists()
    tasks.revoke_given_up()
    assert tiktok.revoked == ["act.0"]
    assert not Revocation.objects.exists()


def test_a_permission_on_which_another_account_lives_is_not_revoked(
    jane: Talent, tiktok: TokenEndpoint, make_talent: Any
) -> None:
    grant = granted(jane)
    granted(make_talent("Jane Again"))
    connections.disconnect(grant.pk)
    assert not Revocation.objects.exists()


def test_an_outage_keeps_a_revocation_for_a_day(jane: Talent, tiktok: TokenEndpoint) -> None:
    connections.disconnect(granted(jane).pk)
    tiktok.says(503, "")
    tasks.revoke_given_up()
    waiting = Revocation.objects.get()
    assert waiting.due_at > timezone.now()
    Revocation.objects.update(
        due_at=timezone.now(), created_at=timezone.now() - timedelta(hours=25)
    )
    tasks.revoke_given_up()
    assert not Revocation.objects.exists()


def test_a_removal_that_is_older_than_the_grant_is_another_ones(jane: Talent) -> None:
    grant = granted(jane)
    before = grant.granted_at - timedelta(hours=1)
    assert grants.removed_at_platform("TIKTOK", "open-1", reason="old", at=before) == 0
    assert grants.removed_at_platform("INSTAGRAM", "open-1", reason="elsewhere") == 0
    assert Grant.objects.exists()
