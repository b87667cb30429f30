"""Meta's refusals: sorted by error.code whatever the status, worded plainly, with no secret in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from scraping.errors import (
    BadResponse,
    Blocked,
    Failure,
    Internal,
    NotConfigured,
    NotFound,
    PermissionMissing,
    PlatformUnavailable,
    RateLimited,
    ReauthRequired,
)
from scraping.meter import Usage
from socials.platforms.instagram.graph import appsecret_proof
from socials.types import Reading
from tests.platforms.instagram_stage import (
    AGENCY_TOKEN,
    OWN_ID,
    TALENT_TOKEN,
    Stage,
    payload,
    refusal,
)

CODES: dict[tuple[int, int], tuple[type[Failure], type[Failure]]] = {
    # (code, subcode): (with a talent's token, with the agency's)
    (1, 0): (PlatformUnavailable, PlatformUnavailable),
    (2, 0): (PlatformUnavailable, PlatformUnavailable),
    (3, 0): (NotConfigured, NotConfigured),
    (4, 0): (RateLimited, RateLimited),
    (10, 0): (PermissionMissing, NotConfigured),
    (17, 0): (RateLimited, RateLimited),
    (24, 2207024): (NotFound, NotFound),
    (32, 0): (RateLimited, RateLimited),
    (100, 0): (Internal, Internal),
    (100, 33): (PermissionMissing, NotConfigured),
    (102, 0): (ReauthRequired, NotConfigured),
    (104, 0): (NotConfigured, NotConfigured),
    (190, 0): (ReauthRequired, NotConfigured),
    (190, 458): (ReauthRequired, NotConfigured),
    (190, 459): (ReauthRequired, NotConfigured),
    (190, 460): (ReauthRequired, NotConfigured),
    (200, 0): (PermissionMissing, NotConfigured),
    (299, 0): (PermissionMissing, NotConfigured),
    (300, 0): (PlatformUnavailable, PlatformUnavailable),
    (341, 0): (RateLimited, RateLimited),
    (368, 0): (Blocked, Blocked),
    (613, 0): (RateLimited, RateLimited),
    (2500, 0): (Internal, Internal),
    (9009, 0): (NotFound, NotFound),
    (80002, 2446079): (RateLimited, RateLimited),
    (987654, 0): (PlatformUnavailable, PlatformUnavailable),
}


@pytest.fixture
def stage(httpserver: HTTPServer) -> Stage:
    return Stage(httpserver)


@pytest.mark.parametrize("status", [400, 403, 500])
@pytest.mark.parametrize(("code", "kinds"), CODES.items())
def test_trap_2_the_code_decides_and_not_the_status(
    stage: Stage,
    code: tuple[int, int],
    kinds: tuple[type[Failure], type[Failure]],
    status: int,
) -> None:
    stage.answers_always(refusal(*code), status=status)
    assert (type(stage.log_in()), type(stage.discover())) == kinds


def test_a_refusal_with_status_200_is_a_refusal(stage: Stage) -> None:
    stage.answers_always(payload("expired_token"))
    assert isinstance(stage.log_in(), ReauthRequired)


def test_what_calls_itself_transient_is_no_dead_token(stage: Stage) -> None:
    stage.answers_always(refusal(190, is_transient=True), status=400)
    assert isinstance(stage.log_in(), PlatformUnavailable)


def test_a_limit_that_calls_itself_transient_is_a_limit(stage: Stage) -> None:
    stage.answers_always(refusal(4, is_transient=True), status=403)
    assert isinstance(stage.log_in(), RateLimited)


@pytest.mark.parametrize(
    ("code", "setting"),
    [(190, "META_ACCESS_TOKEN"), (10, "META_ACCESS_TOKEN"), (104, "META_APP_SECRET")],
)
def test_a_fault_of_the_agency_names_the_setting(stage: Stage, code: int, setting: str) -> None:
    stage.answers_always(refusal(code), status=400)
    failed = stage.discover()
    assert isinstance(failed, NotConfigured)
    assert failed.setting == setting
    assert setting in failed.detail


def test_an_agency_account_that_the_token_may_not_see_names_its_setting(stage: Stage) -> None:
    stage.answers_always(payload("missing_object"), status=400)
    failed = stage.discover()
    assert isinstance(failed, NotConfigured)
    assert failed.setting == "META_IG_USER_ID"


def test_a_dead_token_is_told_in_plain_words(stage: Stage) -> None:
    stage.answers_always(payload("expired_token"), status=400)
    failed = stage.log_in()
    assert isinstance(failed, ReauthRequired)
    assert failed.detail == "The talent's token can't be used: it has expired (code 190/463)."


def test_a_checkpoint_says_what_its_owner_should_do(stage: Stage) -> None:
    stage.answers_always(refusal(190, 459), status=400)
    failed = stage.log_in()
    assert isinstance(failed, ReauthRequired)
    assert "log in at instagram.com" in failed.detail


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, RateLimited), (500, PlatformUnavailable), (503, PlatformUnavailable), (401, BadResponse),
     (404, BadResponse), (302, BadResponse)],
)  # fmt: skip
@pytest.mark.parametrize("body", ["<html>", "{}", '{"error": "no"}', ""])
def test_an_answer_without_envelope_is_never_a_dead_account(
    stage: Stage, status: int, kind: type[Failure], body: str
) -> None:
    stage.answers_always(body, status=status)
    failed = stage.log_in()
    assert isinstance(failed, kind)
    assert failed.later


@pytest.mark.parametrize(
    "error", [{}, {"code": "x"}, {"code": None, "message": 7}, {"message": "Sorry", "code": [1]}]
)
def test_an_odd_envelope_is_a_passing_fault(stage: Stage, error: dict[str, Any]) -> None:
    stage.answers_always({"error": error}, status=400)
    assert isinstance(stage.log_in(), PlatformUnavailable)


def test_no_failure_tells_a_token_that_meta_quotes(stage: Stage) -> None:
    for quoted in (TALENT_TOKEN, AGENCY_TOKEN, "IGAAsomebodyelsestoken1234"):
        message = f"Malformed access token {quoted}, see ?access_token={quoted}&x=1"
        stage.server.clear()
        stage.answers_always(refusal(2500, message=message), status=400)
        for failed in (stage.log_in(), stage.discover()):
            assert isinstance(failed, Failure)
            assert quoted not in str(failed) + repr(failed) + repr(vars(failed))
            assert "Malformed access token [secret]" in failed.detail


def test_an_unreachable_host_is_named_without_its_query(stage: Stage) -> None:
    stage.settings["META_GRAPH_URL"] = "http://127.0.0.1:9"
    failed = stage.discover()
    assert isinstance(failed, PlatformUnavailable)
    assert (failed.platform, failed.source) == ("INSTAGRAM", "instagram_business_discovery")
    assert AGENCY_TOKEN not in str(failed)


# --- usage headers -------------------------------------------------------------------------------


def usages(stage: Stage, headers: dict[str, str]) -> list[Usage]:
    stage.answers_always(payload("discovery"), headers=headers)
    assert isinstance(stage.discover(post_limit=1), Reading)
    return stage.meter.usages


def test_the_apps_usage_is_told_in_percent(stage: Stage) -> None:
    header = {"X-App-Usage": '{"call_count":28,"total_time":25,"total_cputime":25}'}
    assert usages(stage, header) == [Usage("instagram.app", 28)]


@pytest.mark.parametrize("wrap", [lambda entry: [entry], lambda entry: entry])
def test_the_accounts_usage_is_told_with_its_end(stage: Stage, wrap: Any) -> None:
    entry = {"type": "instagram", "call_count": 1, "total_cputime": "40.2", "total_time": 1,
             "estimated_time_to_regain_access": 19}  # fmt: skip
    advertising = {"type": "custom_audience", "call_count": 99, "total_cputime": 1, "total_time": 2,
                   "estimated_time_to_regain_access": 500}  # fmt: skip
    value = {OWN_ID: wrap(entry), "542676646349772": wrap(advertising)}
    [usage] = usages(stage, {"x-business-use-case-usage": json.dumps(value)})
    assert (usage.bucket, usage.percent) == (f"instagram.account.{OWN_ID}", 41)
    assert str(usage.blocked_until) == "2026-11-20 12:19:00+00:00"


def test_no_header_is_no_news(stage: Stage) -> None:
    assert usages(stage, {}) == []
    assert stage.meter.drift == {}


@pytest.mark.parametrize("header", ["X-App-Usage", "X-Business-Use-Case-Usage"])
@pytest.mark.parametrize(
    "value",
    ["", "no", "[1]", "7", '"x"', '{"call_count":"many"}', '{"call_count":NaN}', '{"a":{}}'],
)
def test_a_header_that_cannot_be_read_is_counted_and_ignored(
    stage: Stage, header: str, value: str
) -> None:
    assert usages(stage, {header: value}) == []
    assert stage.meter.drift == {("instagram_business_discovery", f"headers.{header.lower()}"): 1}


# --- signed calls --------------------------------------------------------------------------------


def test_the_proof_is_the_documented_one() -> None:
    assert (
        appsecret_proof("0123456789abcdef0123456789abcdef", "TOKEN")
        == "775e6951cf617a7ad4431ed21662292960e21ef5c9d0d55ab79464d7b34f8505"
    )


def test_calls_are_signed_once_the_apps_secret_is_set(stage: Stage) -> None:
    stage.settings["META_APP_SECRET"] = "0123456789abcdef0123456789abcdef"
    stage.answers_always(payload("discovery"))
    stage.discover(post_limit=1)
    proof = appsecret_proof("0123456789abcdef0123456789abcdef", AGENCY_TOKEN)
    assert stage.asked[0][1]["appsecret_proof"] == proof


def test_a_wrong_proof_names_its_setting(stage: Stage) -> None:
    message = "Invalid appsecret_proof provided in the API argument"
    stage.answers_always(refusal(100, message=message), status=400)
    failed = stage.discover()
    assert isinstance(failed, NotConfigured)
    assert failed.setting == "META_APP_SECRET"
