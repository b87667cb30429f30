"""What every source of every platform promises, whatever its platform does."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer

from scraping.errors import Failure
from socials.platforms.kit.sandbox import Mood, memory
from socials.types import Reading
from tests.platforms.cases import CASES, Case
from tests.platforms.conformance import (
    Mangler,
    code,
    context,
    read,
)

every_case = pytest.mark.parametrize("case", CASES, ids=str)


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
