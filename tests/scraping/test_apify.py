"""Apify by its wire: one run for many handles, one outcome for each, and never two runs for one."""

from __future__ import annotations

import copy
import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from werkzeug import Request, Response

from scraping.errors import (
    BadResponse,
    Blocked,
    Failure,
    NotFound,
    PlatformUnavailable,
    PrivateAccount,
)
from scraping.meter import Meter
from scraping.providers.apify.provider import ACTORS
from scraping.providers.apify.reconcile import Reconciliation
from scraping.providers.base import ScrapeContext
from scraping.types import Count, PostKind, Quality, ScrapedAccount
from tests.scraping.conftest import (
    RUN,
    TOKEN,
    Scrape,
    ScriptedApify,
    broken,
    refuse,
    reply,
    stalls,
)

PAYLOADS = Path(__file__).parent.parent / "payloads" / "apify"


def payload(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return value


def video(handle: str, number: int = 0, **fields: Any) -> dict[str, Any]:
    """A TikTok row; a higher number is a newer video."""
    row = payload("tiktok_video")
    row["authorMeta"] |= {"name": handle, "id": f"67480000000{len(handle)}"}
    moment = 1_747_558_528 + number * 3600
    return (
        row
        | {"id": str(7505706702050823446 + number), "createTime": moment, "input": handle}
        | fields
    )


def good(outcome: ScrapedAccount | Failure) -> ScrapedAccount:
    assert isinstance(outcome, ScrapedAccount), outcome
    return outcome


# --- one run ----------------------------------------------------------------------------------------


def test_many_handles_are_one_run_with_the_documented_requests(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.items = [video("ann"), video("ben"), video("ben", 1)]
    outcomes = scrape("ann", "ben")
    assert {h: len(good(o).posts) for h, o in outcomes.items()} == {"ann": 1, "ben": 2}
    [start] = apify.sent("start")
    assert start.path == "/v2/acts/clockworks~tiktok-profile-scraper/runs"
    assert start.get_json()["profiles"] == ["ann", "ben"]
    assert start.get_json()["resultsPerPage"] == 3
    assert start.args["maxItems"] == "6"
    assert 1 <= int(start.args["timeout"]) <= 60
    assert apify.sent("items")[0].args.to_dict() == {
        "format": "json", "clean": "true", "offset": "0", "limit": "100",
    }  # fmt: skip
    for request in apify.requests:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in request.url


def test_a_poll_is_held_no_longer_than_our_read_time_out(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    scrape("ann")
    assert all(int(poll.args["waitForFinish"]) == 0 for poll in apify.sent("poll"))


def test_a_running_run_is_polled_until_it_ends_without_hurry(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    states = iter(["READY", "RUNNING", "TIMING-OUT", "SUCCEEDED"])
    apify.answers["poll"] = lambda _: reply({"data": apify.run | {"status": next(states)}})
    apify.items = [video("ann")]
    began = time.monotonic()
    good(scrape("ann")["ann"])
    assert len(apify.sent("poll")) == 4
    assert time.monotonic() - began > 0.5


def test_the_cost_of_a_run_and_how_many_it_delivered_are_reported(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.items = [video("ann")]
    scrape("ann", "ben")
    [run] = scrape.meter.runs
    assert (run.provider, run.platform, run.provider_run_id) == ("apify", "TIKTOK", RUN["id"])
    assert (run.handles_asked, run.handles_delivered, run.items) == (2, 1, 1)
    assert run.cost_usd == Decimal("0.2654")
    assert run.outcome == "partial"
    assert scrape.meter.cost_usd == pytest.approx(0.2654)


def test_pages_are_read_by_offset_against_the_total_although_they_are_short(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    """``clean`` leaves out empty items, so that a page may be short, or even empty."""
    rows: list[Any] = [video(f"name{n}") for n in range(250)]

    def page(request: Request) -> Response:
        offset = int(request.args["offset"])
        items = [row for n, row in enumerate(rows) if offset <= n < offset + 100 and n % 2]
        items = [] if offset == 100 else items
        return reply(items, headers={"X-Apify-Pagination-Total": "250"})

    apify.answers["items"] = page
    outcomes = scrape(*[f"name{n}" for n in range(250)], post_limit=1)
    assert [request.args["offset"] for request in apify.sent("items")] == ["0", "100", "200"]
    assert isinstance(outcomes["name249"], ScrapedAccount)


def test_a_dataset_that_never_ends_is_not_read_for_ever(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.answers["items"] = lambda _: reply(
        [video("ann")] * 100, headers={"X-Apify-Pagination-Total": "99999999"}
    )
    good(scrape("ann")["ann"])
    assert len(apify.sent("items")) <= 3


@pytest.mark.parametrize("total", [None, "many", "-1"])
def test_without_a_total_a_short_page_is_the_last(
    total: str | None, apify: ScriptedApify, scrape: Scrape
) -> None:
    headers = {} if total is None else {"X-Apify-Pagination-Total": total}
    apify.answers["items"] = lambda _: reply([video("ann")], headers=headers)
    good(scrape("ann")["ann"])
    assert len(apify.sent("items")) == 1


# --- trap 9: failures inside a run that succeeded ------------------------------------------------------


def test_trap_9_failures_come_inside_a_succeeded_run_and_absent_is_not_not_found(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.items = [
        video("fine"),
        {"url": "https://www.tiktok.com/@gone", "input": "gone",
         "error": "This profile/hashtag does not exist.", "errorCode": "NOT_FOUND"},
        {"authorMeta": video("shy")["authorMeta"] | {"privateAccount": True}, "input": "shy",
         "note": "Profile is private"},
        {"input": "closed", "note": "Profile is private"},
        {"authorMeta": video("idle")["authorMeta"] | {"video": 0}, "input": "idle",
         "note": "Profile has no videos"},
        {"authorMeta": video("walled")["authorMeta"], "input": "walled",
         "note": "Profile has no videos (or is behind a login wall)"},
        {"input": "unlucky", "error": "no_items", "errorDescription": "Empty or private data"},
        {"url": "https://www.tiktok.com/@blocked", "requestErrorMessages": ["Error: Request blocked"]},
        {"input": "grown", "error": "restricted_page", "errorDescription": "Restricted profile"},
    ]  # fmt: skip
    outcomes = scrape(
        "fine", "gone", "shy", "closed", "idle", "walled", "unlucky", "blocked", "grown", "absent"
    )
    assert {handle: type(outcome) for handle, outcome in outcomes.items()} == {
        "fine": ScrapedAccount, "gone": NotFound, "shy": PrivateAccount, "closed": PrivateAccount,
        "idle": ScrapedAccount, "walled": ScrapedAccount, "unlucky": PlatformUnavailable,
        "blocked": PlatformUnavailable, "grown": Blocked, "absent": PlatformUnavailable,
    }  # fmt: skip
    assert good(outcomes["idle"]).posts == ()
    assert good(outcomes["idle"]).partial == ()
    assert good(outcomes["walled"]).partial == ("posts",)


def test_a_note_row_tells_the_profile_and_is_no_post(apify: ScriptedApify, scrape: Scrape) -> None:
    row = {"authorMeta": video("ann")["authorMeta"], "input": "ann", "id": "1", "note": "No videos found to match the date filter"}  # fmt: skip
    apify.items = [row]
    account = good(scrape("ann")["ann"])
    assert account.profile.followers == Count.exact(2002)
    assert account.posts == ()


@pytest.mark.parametrize("end", ["FAILED", "TIMED-OUT", "ABORTED"])
def test_a_run_that_ended_badly_still_yields_what_it_holds(
    end: str, apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.end = end
    apify.items = [video("ann")]
    outcomes = scrape("ann", "ben")
    good(outcomes["ann"])
    assert isinstance(outcomes["ben"], PlatformUnavailable)
    assert end in outcomes["ben"].detail
    assert scrape.meter.runs[0].outcome == "partial"


def test_handles_are_matched_whatever_their_case_and_spelling(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.items = [
        video("ANN", input="@Ann"),
        video("ben.b", input="https://www.tiktok.com/@ben.b?lang=en"),
        video("renamed", input="cat"),
        {"authorMeta": video("dan")["authorMeta"]},
        video("stranger"),
        "not an object",
        None,
    ]
    outcomes = scrape("ann", "Ben.B", "cat", "dan")
    assert all(isinstance(outcome, ScrapedAccount) for outcome in outcomes.values())
    assert good(outcomes["cat"]).profile.handle == "renamed"
    assert scrape.meter.drift["apify", "tiktok row of nobody"] == 3


def test_an_odd_row_spoils_nothing_but_itself(apify: ScriptedApify, scrape: Scrape) -> None:
    apify.items = [
        video("ann", 1, diggCount="many"),
        video("ann", 2),
        video("ann", 3, id=None),
        video("ben", authorMeta=video("ben")["authorMeta"] | {"fans": "plenty"}),
    ]
    outcomes = scrape("ann", "ben")
    newest, odd = good(outcomes["ann"]).posts
    assert newest.likes == Count.exact(100)
    assert odd.note == "diggCount should be a count, not str"
    assert isinstance(outcomes["ben"], BadResponse)
    assert outcomes["ben"].field == "authorMeta.fans"


@given_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_rows_say_each_handle_has_exactly_one_outcome(data: st.DataObject) -> None:
    platform = data.draw(st.sampled_from(["TIKTOK", "INSTAGRAM", "YOUTUBE"]))
    name = {"TIKTOK": "tiktok_video", "INSTAGRAM": "instagram_profile", "YOUTUBE": "youtube_video"}
    scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
    junk = st.one_of(scalar, st.lists(scalar, max_size=2), st.dictionaries(st.text(max_size=3), scalar, max_size=2))  # fmt: skip
    rows = []
    for _ in range(data.draw(st.integers(0, 3))):
        row = copy.deepcopy(payload(name[platform[:99]]))
        place: Any = row
        for _ in range(data.draw(st.integers(1, 3))):
            if not place:
                break
            key = data.draw(st.sampled_from(sorted(place)))
            if isinstance(place[key], dict) and data.draw(st.booleans()):
                place = place[key]
            else:
                place[key] = data.draw(junk)
        rows.append(data.draw(st.one_of(st.just(row), junk)))
    context = ScrapeContext(None, {}, Meter())  # nothing is fetched here
    found = Reconciliation(ACTORS[platform], ["creator_x", "creatorx", "other"], 12, context)
    for row in rows:
        found.add(row)
    outcomes = dict(found.outcomes(None))
    assert set(outcomes) == {"creator_x", "creatorx", "other"}
    assert all(isinstance(o, (ScrapedAccount, Failure)) for o in outcomes.values())


# --- trap 10: a run is never started blindly again -------------------------------------------------------


def young(**fields: Any) -> dict[str, Any]:
    return RUN | {"startedAt": datetime.now(UTC).isoformat()} | fields


@pytest.mark.parametrize("unclear", [stalls, broken, lambda _: reply("garbled", 201)])
def test_trap_10_an_unanswered_start_is_looked_up_and_never_sent_again(
    unclear: Any, apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.answers["start"] = unclear
    apify.runs = [young(id="oursIsThisOne")]
    apify.items = [video("ann")]
    good(scrape("ann")["ann"])
    assert len(apify.sent("start")) == 1
    assert apify.sent("list")[0].args.to_dict() == {"desc": "1", "limit": "10"}
    assert apify.sent("poll")[0].path.endswith("/oursIsThisOne")


def test_trap_10_no_second_start_when_the_look_up_finds_nothing(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.answers["start"] = broken
    apify.runs = [young(startedAt=(datetime.now(UTC) - timedelta(minutes=5)).isoformat())]
    assert isinstance(scrape("ann")["ann"], PlatformUnavailable)
    assert len(apify.sent("start")) == 1
    assert apify.sent("poll") == []


def test_trap_10_a_run_that_another_worker_just_began_is_not_taken_for_ours(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    inputs = {"theirs": {"profiles": ["zoe"]}}
    apify.answers["start"] = broken
    apify.answers["input"] = lambda request: reply(
        inputs.get(request.path.split("/")[3]) or apify.sent("start")[0].get_json()
    )
    apify.runs = [
        young(id="theirRun", defaultKeyValueStoreId="theirs"),
        young(id="ourRun", defaultKeyValueStoreId="ours"),
    ]
    apify.items = [video("ann")]
    good(scrape("ann")["ann"])
    assert apify.sent("poll")[0].path.endswith("/ourRun")


def test_trap_10_a_start_that_nobody_could_look_up_is_looked_up_before_the_next_one(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    """The engine tries again after two seconds: by then the run may well be there."""
    listing = apify.answers["list"]
    apify.answers["start"] = apify.answers["list"] = broken
    assert isinstance(scrape("ann")["ann"], PlatformUnavailable)
    apify.answers["list"] = listing
    apify.runs = [young(id="begunAfterAll")]
    apify.items = [video("ann")]
    good(scrape("ann")["ann"])
    assert len(apify.sent("start")) == 1
    assert apify.sent("poll")[0].path.endswith("/begunAfterAll")


def test_a_start_that_never_left_is_not_looked_up(scrape: Scrape) -> None:
    outcome = scrape("ann", APIFY_API_URL="http://127.0.0.1:9")["ann"]
    assert isinstance(outcome, PlatformUnavailable)
    assert scrape.meter.calls == 1
    assert scrape.apify.requests == []


# --- giving up ------------------------------------------------------------------------------------------


def test_a_run_that_takes_too_long_is_aborted_and_what_it_holds_is_kept(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.end = "RUNNING"
    apify.items = [video("ann")]
    began = time.monotonic()
    outcomes = scrape("ann", "ben", APIFY_RUN_SECONDS="2")
    assert time.monotonic() - began < 3
    assert len(apify.sent("abort")) == 1
    good(outcomes["ann"])
    assert isinstance(outcomes["ben"], PlatformUnavailable)
    assert "too long" in outcomes["ben"].detail


def test_a_poll_that_fails_does_not_lose_a_run_that_is_paid_for(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    answers = iter([broken, refuse(429, "rate-limit-exceeded"), lambda _: reply("?"), apify.answers["poll"]])  # fmt: skip
    apify.answers["poll"] = lambda request: next(answers)(request)  # noqa: PLW0108
    apify.items = [video("ann")]
    good(scrape("ann")["ann"])
    assert len(apify.sent("start")) == 1


def test_a_platform_that_is_gone_mid_run_ends_in_time_with_one_failure_for_each(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    for name in ("poll", "abort", "items"):
        apify.answers[name] = broken
    began = time.monotonic()
    outcomes = scrape("ann", "ben", APIFY_RUN_SECONDS="2")
    assert time.monotonic() - began < 4
    assert {type(outcome) for outcome in outcomes.values()} == {PlatformUnavailable}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda _: Response(b'[{"id": ', content_type="application/json"), "BAD_RESPONSE"),
        (lambda _: reply({"items": []}), "BAD_RESPONSE"),
        (lambda _: Response(b"x" * 5_000_000), "BAD_RESPONSE"),
        (broken, "PLATFORM_UNAVAILABLE"),
        (stalls, "PLATFORM_UNAVAILABLE"),
    ],
)
def test_items_that_cant_be_read_are_one_typed_failure_for_each_handle(
    answer: Any, code: str, apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.answers["items"] = answer
    outcomes = scrape("ann", "ben")
    assert {o.code for o in outcomes.values() if isinstance(o, Failure)} == {code}
    assert all(isinstance(o, Failure) and o.platform == "TIKTOK" for o in outcomes.values())


# --- what errors mean -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "type_", "code", "setting"),
    [
        (401, "user-or-token-not-found", "NOT_CONFIGURED", "APIFY_TOKEN"),
        (401, "token-not-provided", "NOT_CONFIGURED", "APIFY_TOKEN"),
        (402, "not-enough-usage-to-run-paid-actor", "QUOTA_EXHAUSTED", ""),
        (402, "concurrent-runs-limit-exceeded", "QUOTA_EXHAUSTED", ""),
        (403, "concurrent-runs-limit-exceeded", "QUOTA_EXHAUSTED", ""),
        (403, "platform-feature-disabled", "QUOTA_EXHAUSTED", ""),
        (403, "actor-is-not-rented", "NOT_CONFIGURED", "APIFY_TOKEN"),
        (403, "insufficient-permissions", "NOT_CONFIGURED", "APIFY_TOKEN"),
        (404, "actor-not-found", "NOT_CONFIGURED", "APIFY_TIKTOK_ACTOR"),
        (429, "rate-limit-exceeded", "RATE_LIMITED", ""),
        (408, "run-timeout-exceeded", "PLATFORM_UNAVAILABLE", ""),
        (500, "internal-server-error", "PLATFORM_UNAVAILABLE", ""),
        (400, "invalid-input", "INTERNAL", ""),
        (418, "never-heard-of", "BAD_RESPONSE", ""),
    ],
)
def test_each_refusal_of_a_start_has_its_cause_and_setting(
    status: int, type_: str, code: str, setting: str, apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.answers["start"] = refuse(status, type_)
    outcome = scrape("ann")["ann"]
    assert isinstance(outcome, Failure)
    assert (outcome.code, outcome.setting) == (code, setting)
    assert (outcome.platform, outcome.source) == ("TIKTOK", "apify")
    assert len(apify.sent("start")) == 1
    assert scrape.meter.runs[0].error_code == code


def test_a_limit_with_a_known_end_tells_it(apify: ScriptedApify, scrape: Scrape) -> None:
    apify.answers["start"] = lambda _: reply(
        {"error": {"type": "rate-limit-exceeded"}}, 429, {"Retry-After": "30"}
    )
    outcome = scrape("ann")["ann"]
    assert isinstance(outcome, Failure)
    assert outcome.retry_at is not None
    assert timedelta(25) > outcome.retry_at - datetime.now(UTC) > timedelta(seconds=25)


# --- what rows mean ---------------------------------------------------------------------------------------


def test_a_tiktok_row_is_read_whole(apify: ScriptedApify, scrape: Scrape) -> None:
    apify.items = [payload("tiktok_video")]
    account = good(scrape("creator_x")["creator_x"])
    profile, [post] = account.profile, account.posts
    assert (profile.external_id, profile.handle) == ("6748000000000000001", "creator_x")
    assert (profile.display_name, profile.bio) == ("Creator X", "Hello")
    assert profile.avatar_url == "https://p16-sign-va.tiktokcdn.com/a.jpeg"
    assert [c.value for c in (profile.followers, profile.following, profile.posts, profile.likes)] == [2002, 54, 55, 4325]  # fmt: skip
    assert (profile.verified, profile.private) == (False, False)
    assert profile.views.quality is Quality.UNKNOWN
    assert post.posted_at == datetime(2025, 5, 18, 8, 55, 28, tzinfo=UTC)
    assert [c.value for c in (post.likes, post.comments, post.shares, post.saves, post.views)] == [100, 9, 5, 7, 2000]  # fmt: skip
    assert (post.duration_seconds, post.kind) == (97.0, PostKind.VIDEO)
    assert post.view_definition == "tiktok.views"
    assert account.source == "apify"
    assert scrape.meter.drift == {}


def test_an_instagram_item_is_read_whole_and_hidden_likes_are_hidden(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.items = [payload("instagram_profile")]
    account = good(scrape("creator_x", platform="INSTAGRAM", post_limit=12)["creator_x"])
    reel, carousel = account.posts
    assert apify.sent("start")[0].get_json() == {"usernames": ["creator_x"]}
    assert account.profile.external_id == "17841400000000007"
    assert account.profile.extra == {"web_id": "25025320"}
    assert account.profile.followers == Count.exact(70213)
    assert (reel.kind, carousel.kind) == (PostKind.REEL, PostKind.CAROUSEL)
    assert (reel.likes, carousel.likes) == (Count.hidden(), Count.exact(55))
    assert reel.views == Count.exact(1800)
    assert reel.duration_seconds == 12.566
    assert scrape.meter.drift == {}


def test_a_private_instagram_account_is_private_although_it_has_an_item(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.items = [payload("instagram_profile") | {"private": True, "latestPosts": []}]
    assert isinstance(scrape("creator_x", platform="INSTAGRAM")["creator_x"], PrivateAccount)


def test_a_youtube_row_is_read_whole_from_both_places(apify: ScriptedApify, scrape: Scrape) -> None:
    apify.items = [payload("youtube_video")]
    account = good(scrape("creatorx", platform="YOUTUBE")["creatorx"])
    profile, [post] = account.profile, account.posts
    body = apify.sent("start")[0].get_json()
    assert body["startUrls"] == [{"url": "https://www.youtube.com/@creatorx"}]
    assert "maxResultStreams" in body
    assert profile.external_id == "UCAJFSpBRao51vF9M3FNqmQa"
    assert profile.followers == Count.rounded(120000)
    assert (profile.posts.value, profile.views.value) == (131, 1710167563)
    assert profile.verified is True
    assert (post.duration_seconds, post.likes.value, post.comments) == (197.0, 30, Count.unknown())


@pytest.mark.parametrize("told", [0.4579, 0, None])
def test_a_misread_number_of_subscribers_is_unknown_not_zero(
    told: Any, apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.items = [
        payload("youtube_video") | {"numberOfSubscribers": told, "date": "10 months ago"}
    ]
    account = good(scrape("creatorx", platform="YOUTUBE")["creatorx"])
    assert account.profile.followers == Count.unknown()
    assert account.posts[0].posted_at is None


@pytest.mark.parametrize("handle", ["UCAJFSpBRao51vF9M3FNqmQa", "creatorx", "user/olduser"])
def test_youtube_rows_find_their_handle_in_each_of_its_forms(
    handle: str, apify: ScriptedApify, scrape: Scrape
) -> None:
    url = {"user/olduser": "https://www.youtube.com/user/OldUser"}.get(handle, "https://x.test/")
    apify.items = [payload("youtube_video") | {"input": url}]
    good(scrape(handle, platform="YOUTUBE")[handle])


def test_a_listing_is_complete_only_where_the_source_gave_all_that_was_asked(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    old_but_pinned = video("ann", -5000, isPinned=True)
    apify.items = [old_but_pinned, video("ann", 3), video("ann", 2), video("ben", 1)]
    outcomes = scrape("ann", "ben", post_limit=3)
    oldest = good(outcomes["ann"]).posts[1].posted_at
    assert good(outcomes["ann"]).listed_since == oldest
    assert good(outcomes["ben"]).listed_since is None


# --- a provider that lies ---------------------------------------------------------------------------


def test_a_dataset_that_claims_items_without_end_is_read_until_pages_stay_empty(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    def page(request: Request) -> Response:
        items = [video("ann")] if request.args["offset"] == "0" else []
        return reply(items, headers={"X-Apify-Pagination-Total": "999999999999999"})

    apify.answers["items"] = page
    good(scrape("ann")["ann"])
    assert len(apify.sent("items")) == 4


def test_a_dataset_that_is_handed_out_too_slowly_is_left_and_what_came_is_kept(
    apify: ScriptedApify, scrape: Scrape
) -> None:
    def page(request: Request) -> Response:
        time.sleep(0.3)
        number = int(request.args["offset"])
        return reply([video("ann", number)], headers={"X-Apify-Pagination-Total": "99999"})

    apify.answers["items"] = page
    began = time.monotonic()
    outcomes = scrape("ann", "ben", post_limit=50, APIFY_RUN_SECONDS="1")
    assert time.monotonic() - began < 4
    assert isinstance(outcomes["ben"], PlatformUnavailable)


@pytest.mark.parametrize("cost", [1e300, 2**63, -1, "much", {"usd": 1}, True])
def test_a_cost_that_makes_no_sense_is_unknown_and_costs_no_reading(
    cost: Any, apify: ScriptedApify, scrape: Scrape
) -> None:
    apify.run["usageTotalUsd"] = cost
    apify.items = [video("ann")]
    good(scrape("ann")["ann"])
    assert [run.cost_usd for run in scrape.meter.runs] == [None]
