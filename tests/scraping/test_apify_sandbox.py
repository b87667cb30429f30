"""Our sandbox's Apify, judged from outside by Apify's own client and by what it refuses."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from apify_client import ApifyClient
from apify_client.errors import ApifyApiError

from scraping.errors import Failure
from scraping.http import Http, Limits, Reply
from scraping.meter import Meter
from scraping.providers import get
from scraping.providers.base import ScrapeContext
from scraping.types import ScrapedAccount
from socials.platforms.apify_sandbox import TOKEN
from socials.sandbox import Sandbox


@pytest.fixture
def client(sandbox: Sandbox, platform_settings: dict[str, str]) -> ApifyClient:
    return ApifyClient(TOKEN, api_url=f"{sandbox.origin}/apify", max_retries=0)


@pytest.mark.parametrize(
    ("actor", "body", "platform"),
    [
        ("clockworks/tiktok-profile-scraper", {"profiles": ["jane", "sam"], "resultsPerPage": 7}, "tiktok"),
        ("apify/instagram-profile-scraper", {"usernames": ["jane", "sam"]}, "instagram"),
        ("streamers/youtube-scraper", {"startUrls": [{"url": "https://www.youtube.com/@jane"}], "maxResults": 9}, "youtube"),
    ],
)  # fmt: skip
def test_apifys_own_client_starts_waits_and_lists(
    actor: str, body: dict[str, Any], platform: str, client: ApifyClient
) -> None:
    started = client.actor(actor).start(run_input=body)
    assert started.status == "RUNNING"
    ended = client.run(started.id).wait_for_finish(wait_duration=timedelta(seconds=10))
    assert ended is not None
    assert (ended.status, ended.exit_code) == ("SUCCEEDED", 0)
    assert ended.usage_total_usd is not None
    dataset = client.dataset(ended.default_dataset_id)
    first = dataset.list_items(offset=0, limit=1, clean=True)
    assert (first.count, first.offset, first.limit) == (1, 0, 1)
    everything = dataset.list_items()
    assert everything.total == len(everything.items) >= 2
    assert all(platform in str(item) for item in everything.items)


def test_apifys_own_client_lists_the_newest_runs_and_aborts_one(client: ApifyClient) -> None:
    started = client.actor("clockworks/tiktok-scraper").start(run_input={"profiles": ["slow.one"]})
    listed = client.actor("clockworks/tiktok-scraper").runs().list(desc=True, limit=10)
    assert listed.items[0].id == started.id
    aborted = client.run(started.id).abort()
    assert aborted.status in {"ABORTING", "ABORTED"}


@pytest.mark.parametrize(
    ("token", "actor", "body", "status", "type_"),
    [
        ("wrong", "clockworks~tiktok-scraper", {"profiles": ["a"]}, 401, "user-or-token-not-found"),
        (TOKEN, "nobody~nothing", {"profiles": ["a"]}, 404, "actor-not-found"),
        (TOKEN, "clockworks~tiktok-scraper", {"profiles": "a"}, 400, "invalid-input"),
        (TOKEN, "clockworks~tiktok-scraper", ["a"], 400, "input-json-not-object"),
        (TOKEN, "streamers~youtube-scraper", {"startUrls": ["x"]}, 400, "invalid-input"),
        (TOKEN, "apify~instagram-profile-scraper", {"usernames": ["nomoney1"]}, 402, "not-enough-usage-to-run-paid-actor"),
    ],
)  # fmt: skip
def test_apifys_own_client_meets_the_documented_refusals(
    token: str, actor: str, body: Any, status: int, type_: str,
    sandbox: Sandbox, platform_settings: dict[str, str],
) -> None:  # fmt: skip
    client = ApifyClient(token, api_url=f"{sandbox.origin}/apify", max_retries=0)
    with pytest.raises(ApifyApiError) as caught:
        client.actor(actor).start(run_input=body)
    assert (caught.value.status_code, caught.value.type) == (status, type_)


Call = Callable[..., Reply]


@pytest.fixture
def call(sandbox: Sandbox, platform_settings: dict[str, str]) -> Call:
    http = Http(Limits.within(5))

    def send(method: str, path: str, **options: Any) -> Reply:
        headers = {"Authorization": f"Bearer {TOKEN}"} | options.pop("headers", {})
        return http.request(method, f"{sandbox.origin}/apify{path}", headers=headers, **options)

    return send


def test_both_names_of_the_path_are_one(call: Call) -> None:
    for name in ("acts", "actors"):
        reply = call("POST", f"/v2/{name}/clockworks~tiktok-scraper/runs", json={"profiles": ["jane"]})  # fmt: skip
        assert reply.status == 201


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/v2/acts/clockworks~tiktok-scraper/runs", {"data": {"profiles": "a"}}, 415),
        ("POST", "/v2/acts/clockworks~tiktok-scraper/runs", {"json": {"profiles": ["a"]}, "params": {"maxItems": "0"}}, 400),
        ("GET", "/v2/actor-runs/nothing", {}, 404),
        ("GET", "/v2/datasets/nothing/items", {}, 404),
        ("DELETE", "/v2/actor-runs/nothing", {}, 405),
        ("GET", "/v2/nothing", {}, 404),
        ("GET", "/v2/users/me", {"headers": {"Authorization": ""}}, 401),
    ],
)  # fmt: skip
def test_it_refuses_what_apify_refuses(
    method: str, path: str, options: dict[str, Any], status: int, call: Call
) -> None:
    reply = call(method, path, **options)
    assert reply.status == status
    assert reply.json()["error"]["type"]


def test_a_poll_is_held_until_the_run_has_ended(call: Call) -> None:
    started = call("POST", "/v2/acts/clockworks~tiktok-scraper/runs", json={"profiles": ["jane"]})
    run_id = started.json()["data"]["id"]
    at_once = call("GET", f"/v2/actor-runs/{run_id}", params={"waitForFinish": "0"})
    assert at_once.json()["data"]["status"] == "RUNNING"
    began = time.monotonic()
    later = call("GET", f"/v2/actor-runs/{run_id}", params={"waitForFinish": "60"})
    assert later.json()["data"]["status"] == "SUCCEEDED"
    assert 0.05 < time.monotonic() - began < 2


def test_every_mood_shows_as_its_cause_and_no_account_harms_another(
    platform_settings: dict[str, str],
) -> None:
    moods = {
        "jane.smith": "", "nonexistent1": "NOT_FOUND", "private1": "PRIVATE_ACCOUNT", "personal1": "",
        "flaky1": "PLATFORM_UNAVAILABLE", "down1": "PLATFORM_UNAVAILABLE", "expired1": "",
        "ratelimited1": "PLATFORM_UNAVAILABLE", "garbled1": "BAD_RESPONSE", "noimage1": "",
        "placeholder1": "", "renamed1": "",
    }  # fmt: skip
    outcomes = scraped(list(moods), platform_settings)
    assert {handle: cause(outcome) for handle, outcome in outcomes.items()} == moods
    assert account(outcomes["renamed1"]).profile.handle == "renamed1.now"
    assert account(outcomes["noimage1"]).profile.avatar_url is None


@pytest.mark.parametrize(
    ("handle", "code"),
    [
        ("down1", "PLATFORM_UNAVAILABLE"), ("ratelimited1", "RATE_LIMITED"),
        ("garbled1", "BAD_RESPONSE"), ("nomoney1", "QUOTA_EXHAUSTED"),
    ],
)  # fmt: skip
def test_a_mood_that_is_alone_in_its_run_is_apifys_own(
    handle: str, code: str, platform_settings: dict[str, str]
) -> None:
    assert cause(scraped([handle], platform_settings)[handle]) == code


def test_a_flaky_account_is_fine_at_the_third_run(platform_settings: dict[str, str]) -> None:
    causes = [cause(scraped(["flaky9"], platform_settings)["flaky9"]) for _ in range(3)]
    assert causes == ["PLATFORM_UNAVAILABLE", "PLATFORM_UNAVAILABLE", ""]


def scraped(handles: list[str], values: dict[str, str]) -> dict[str, ScrapedAccount | Failure]:
    context = ScrapeContext(Http(Limits.within(5)), values, Meter())
    return dict(get("apify").scrape("TIKTOK", handles, post_limit=5, context=context))


def cause(outcome: ScrapedAccount | Failure) -> str:
    return outcome.code if isinstance(outcome, Failure) else ""


def account(outcome: ScrapedAccount | Failure) -> ScrapedAccount:
    assert isinstance(outcome, ScrapedAccount)
    return outcome
