"""What every source of every platform promises, whatever its platform does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as WebRequest
from werkzeug import Response as WebResponse

from scraping.errors import Failure
from socials.platforms import apify_sandbox
from socials.platforms.instagram import sandbox as instagram_sandbox
from socials.platforms.kit.sandbox import Mood, memory
from socials.platforms.tiktok import sandbox as tiktok_sandbox
from socials.platforms.youtube.sandbox import data as youtube_sandbox
from socials.sandbox import settings_for
from socials.types import Reading
from tests.platforms.cases import CASES, Case
from tests.platforms.conformance import (
    EVERY_PATH,
    Mangler,
    code,
    context,
    everything_told,
    mistyped,
    read,
    secrets_of,
    with_unknown_fields,
)

every_case = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandboxes take their time where people watch; here nobody does."""
    monkeypatch.setattr(apify_sandbox, "RUN_SECONDS", 0.0)
    for sandbox in (apify_sandbox, instagram_sandbox, tiktok_sandbox.display, youtube_sandbox):
        monkeypatch.setattr(sandbox, "SLOW_SECONDS", 0.6)


@pytest.fixture
def mangler(httpserver: HTTPServer) -> Mangler:
    memory.clear()
    return Mangler(httpserver)


def one(case: Case, handle: str, settings: dict[str, str], **options: float) -> Reading | Failure:
    [(_, outcome)] = read(case.source, [case.ask(handle)], context(settings, **options))
    return outcome


@every_case
def test_an_account_is_read_with_its_posts(case: Case, platform_settings: dict[str, str]) -> None:
    outcome = one(case, "janesmith", platform_settings)
    assert isinstance(outcome, Reading), outcome
    assert outcome.source == case.source_name
    assert outcome.profile.external_id
    assert outcome.profile.followers.value
    assert 0 < len(outcome.posts) <= 5
    assert all(post.external_id and post.url for post in outcome.posts)
    times = [post.posted_at for post in outcome.posts if post.posted_at]
    assert times == sorted(times, reverse=True)


@every_case
@pytest.mark.parametrize(
    "mood",
    [Mood.NONEXISTENT, Mood.PRIVATE, Mood.DOWN, Mood.RATELIMITED, Mood.GARBLED, Mood.SLOW],
)
def test_a_mood_of_the_platform_has_its_one_code(
    case: Case, mood: Mood, platform_settings: dict[str, str]
) -> None:
    outcome = one(case, f"{mood}jane", platform_settings)
    assert code(outcome) in case.answers(mood), outcome
    if isinstance(outcome, Failure):
        assert outcome.platform == case.platform
        assert outcome.detail


@every_case
def test_a_flaky_platform_is_fine_at_the_third_attempt(
    case: Case, platform_settings: dict[str, str]
) -> None:
    codes = [code(one(case, "flakyjane", platform_settings)) for _ in range(3)]
    assert codes[2] == "READ"
    assert set(codes[:2]) <= case.answers(Mood.FLAKY) | {"READ"}


@every_case
def test_an_account_without_a_photo_has_no_photo(
    case: Case, platform_settings: dict[str, str]
) -> None:
    outcome = one(case, "noimagejane", platform_settings)
    assert isinstance(outcome, Reading)
    assert outcome.profile.avatar_url is None


@every_case
def test_a_renamed_account_tells_its_new_name_under_the_same_id(
    case: Case, platform_settings: dict[str, str]
) -> None:
    before, after = (one(case, "renamedjane", platform_settings) for _ in range(2))
    assert isinstance(before, Reading)
    assert isinstance(after, Reading)
    assert after.profile.external_id == before.profile.external_id
    assert after.profile.handle.lower() != "renamedjane"


@every_case
def test_each_account_of_a_batch_has_its_own_outcome(
    case: Case, platform_settings: dict[str, str]
) -> None:
    handles = ["janesmith", "nonexistentjane", "luca", "janesmith"]
    asks = [case.ask(handle, number) for number, handle in enumerate(handles)]
    outcomes = {
        ask.connection_id: outcome
        for ask, outcome in read(case.source, asks, context(platform_settings))
    }
    assert [code(outcomes[0]), code(outcomes[2]), code(outcomes[3])] == ["READ"] * 3
    assert code(outcomes[1]) in case.answers(Mood.NONEXISTENT)


# --- answers that no document knows --------------------------------------------------------------


@every_case
def test_fields_that_nobody_knows_are_counted_and_spoil_nothing(
    case: Case, mangler: Mangler
) -> None:
    mangler.spoil = with_unknown_fields
    within = context(mangler.settings)
    [(_, outcome)] = read(case.source, [case.ask("janesmith")], within)
    assert isinstance(outcome, Reading), outcome
    assert outcome.posts
    assert not any(post.note for post in outcome.posts)
    assert any("zzNobodyKnows" in path for _, path in within.meter.drift)
    assert {source for source, _ in within.meter.drift} == {case.source_name}


@every_case
def test_no_field_of_a_wrong_type_is_more_than_one_typed_failure(
    case: Case, mangler: Mangler, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ask = case.ask("janesmith")
    for step in range(0, 400, 400 // case.spoilt_leaves):
        mangler.spoil = lambda answer, step=step: mistyped(answer, step)
        [(_, outcome)] = read(case.source, [ask], context(mangler.settings))
        if isinstance(outcome, Failure):
            assert_proper(case, outcome)
            assert outcome.code != "BAD_RESPONSE" or outcome.field
    secrets = secrets_of(ask)
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name != "werkzeug")
    assert not [secret for secret in secrets if secret in ours]


NOT_JSON = {
    "nothing": b"",
    "half an object": b'{"kind": "youtube#channelListResponse", "items": [{"id": "UC',
    "a page": b"<!DOCTYPE html><html><title>Error</title></html>",
    "no text at all": b"\xff\xfe\x00\x01",
    "too deep": b"[" * 200_000,
}
NOT_EXPECTED = {
    "null": b"null",
    "a list": b"[1, 2]",
    "a word": b'"ok"',
    "a huge number": b"1" * 4_000,
    "not a number": b'{"data": NaN, "items": [Infinity]}',
    "other lists": b'{"data": [1], "items": [1, null, []], "error": [], "user": 7}',
}


@every_case
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_a_bad_response(
    case: Case, body: bytes, httpserver: HTTPServer
) -> None:
    outcome = told(case, httpserver, WebResponse(body, 200, content_type="application/json"))
    assert outcome.code == "BAD_RESPONSE"
    assert outcome.field == "body"


@every_case
@pytest.mark.parametrize("body", NOT_EXPECTED.values(), ids=NOT_EXPECTED.keys())
def test_json_of_another_shape_is_one_failure(
    case: Case, body: bytes, httpserver: HTTPServer
) -> None:
    outcome = told(case, httpserver, WebResponse(body, 200, content_type="application/json"))
    assert outcome.later or outcome.code in {"NOT_FOUND", "PERMISSION_MISSING"}


@every_case
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 418, 429, 500, 503])
@pytest.mark.parametrize(
    "body",
    [b"<html>", b'{"error": {"code": [], "errors": 1, "message": {}}}'],
    ids=["a page", "an odd envelope"],
)
def test_every_status_with_any_body_is_one_failure(
    case: Case, status: int, body: bytes, httpserver: HTTPServer
) -> None:
    outcome = told(case, httpserver, WebResponse(body, status, content_type="application/json"))
    if status >= 500:
        assert outcome.code == "PLATFORM_UNAVAILABLE"
    if status == 429:
        assert outcome.code == "RATE_LIMITED"


@every_case
def test_a_limit_ends_when_the_platform_says_so(case: Case, httpserver: HTTPServer) -> None:
    within = context(settings_for(httpserver.url_for("").rstrip("/")))
    answer = WebResponse(b"{}", 429, {"Retry-After": "40"}, content_type="application/json")
    outcome = told(case, httpserver, answer)
    assert outcome.retry_at is not None
    assert 30 <= (outcome.retry_at - within.clock()).total_seconds() <= 40


@every_case
def test_an_answer_without_end_is_given_up(case: Case, httpserver: HTTPServer) -> None:
    body = b'{"filler": "' + b"x" * 5 * 1024 * 1024
    outcome = told(case, httpserver, WebResponse(body, 200, content_type="application/json"))
    assert outcome.code == "BAD_RESPONSE"
    assert outcome.field == "body"


@every_case
def test_an_answer_that_drips_is_given_up_in_time(case: Case, httpserver: HTTPServer) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(400):
            yield b" "
            time.sleep(0.05)

    began = time.monotonic()
    outcome = told(case, httpserver, lambda: WebResponse(drip(), 200), seconds=0.4)
    assert outcome.code == "PLATFORM_UNAVAILABLE"
    assert time.monotonic() - began < 8


@every_case
def test_a_platform_that_is_not_there_is_unavailable(case: Case) -> None:
    within = context(settings_for("http://127.0.0.1:9"))
    [(_, outcome)] = read(case.source, [case.ask("janesmith")], within)
    assert code(outcome) == "PLATFORM_UNAVAILABLE"


# --- what all of them share ----------------------------------------------------------------------


def told(
    case: Case,
    server: HTTPServer,
    answer: WebResponse | Callable[[], WebResponse],
    *,
    seconds: float = 5.0,
) -> Failure:
    """The failure that a source makes of a platform which always answers so."""

    def serve(_: WebRequest) -> WebResponse:
        return answer if isinstance(answer, WebResponse) else answer()

    server.expect_request(EVERY_PATH).respond_with_handler(serve)
    within = context(settings_for(server.url_for("").rstrip("/")), seconds=seconds)
    [(_, outcome)] = read(case.source, [case.ask("janesmith")], within)
    assert isinstance(outcome, Failure), outcome
    assert_proper(case, outcome)
    return outcome


def assert_proper(case: Case, failure: Failure) -> None:
    """It names the platform, has words, and tells no secret anywhere."""
    assert failure.platform == case.platform
    assert failure.source in {"", case.source_name}
    assert failure.detail
    seen = everything_told(failure)
    assert not [secret for secret in secrets_of(case.ask("janesmith")) if secret in seen]
