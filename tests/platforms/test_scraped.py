"""Scraping providers as sources of a platform, and a TikTok account synced through one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from scraping.errors import Failure, NotFound
from scraping.http import Http
from scraping.meter import Meter
from scraping.models import ScrapeRun
from scraping.providers.base import Outcome, Outside
from scraping.types import Count, Post, PostKind, Profile, ScrapedAccount
from socials import connections
from socials.models import Connection
from socials.platforms.kit.scraped import CHEAP_POSTS, Scraped
from socials.sync.engine import Loop
from socials.types import Ask, Context, Depth, Reading, StopReason
from talent.models import Talent

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Provider:
    """A provider that keeps what it was asked for."""

    name = "apify"
    needs: tuple[str, ...] = ("APIFY_TOKEN",)
    batch_size = 25

    def __init__(self, total: int | None = 3, given: int = 3, **facts: Any) -> None:
        self.asked: list[tuple[str, list[str], int]] = []
        self.total, self.given, self.facts = total, given, facts

    def scrape(
        self, platform: str, handles: Sequence[str], *, post_limit: int, context: Outside
    ) -> Iterator[Outcome]:
        self.asked.append((platform, list(handles), post_limit))
        for handle in handles:
            yield handle, self._outcome(handle, post_limit)

    def cost(self, platform: str, run_id: str, context: Outside) -> Decimal | None:
        return None

    def _outcome(self, handle: str, limit: int) -> ScrapedAccount | Failure:
        if handle == "nobody":
            return NotFound("not there")
        total = Count.unknown() if self.total is None else Count.exact(self.total)
        posts = [Post(str(n), PostKind.VIDEO, NOW) for n in range(min(self.given, limit))]
        profile = Profile("17841400000000007", handle, posts=total, extra={"web_id": "25"})
        return ScrapedAccount(profile, tuple(posts), "apify", NOW, **self.facts)


def read(provider: Provider, *asks: Ask) -> dict[int, Reading | Failure]:
    outcomes = list(Scraped(provider).read_many(asks, Context(Http(), {}, Meter())))
    assert len(outcomes) == len(asks)
    return {ask.connection_id: outcome for ask, outcome in outcomes}


def reading(outcome: Reading | Failure) -> Reading:
    assert isinstance(outcome, Reading)
    return outcome


def test_all_asks_are_one_scrape_and_an_account_of_two_talents_is_asked_once() -> None:
    provider = Provider()
    outcomes = read(
        provider,
        Ask(1, "TIKTOK", "ann"), Ask(2, "TIKTOK", "ben"), Ask(3, "TIKTOK", "ANN"), Ask(4, "TIKTOK", "nobody"),
    )  # fmt: skip
    assert provider.asked == [("TIKTOK", ["ann", "ben", "nobody"], 50)]
    assert reading(outcomes[1]).profile == reading(outcomes[3]).profile
    assert isinstance(outcomes[4], NotFound)


def test_a_scheduled_reading_buys_few_posts_in_a_scrape_of_its_own() -> None:
    provider = Provider()
    read(provider, Ask(1, "TIKTOK", "ann"), Ask(2, "TIKTOK", "ben", depth=Depth.CHEAP))
    assert [(handles, limit) for _, handles, limit in provider.asked] == [(["ann"], 50), (["ben"], CHEAP_POSTS)]  # fmt: skip


@pytest.mark.parametrize(
    ("total", "given", "limit", "facts", "stop"),
    [
        (3, 3, 50, {}, StopReason.END), (80, 50, 50, {}, StopReason.LIMIT),
        (842, 12, 50, {}, StopReason.LIMIT), (None, 3, 50, {}, StopReason.END),
        (9, 0, 50, {"partial": ("posts",)}, StopReason.REFUSED),
    ],
)  # fmt: skip
def test_why_a_listing_ended_is_told(
    total: int | None, given: int, limit: int, facts: Any, stop: StopReason
) -> None:
    outcome = read(Provider(total, given, **facts), Ask(1, "INSTAGRAM", "ann", post_limit=limit))[1]
    assert (reading(outcome).stop_reason, reading(outcome).posts_total) == (stop, total)


@pytest.mark.parametrize("known", ["", "25", "17841400000000007", "999"])
def test_an_account_goes_on_by_the_id_it_is_known_by(known: str) -> None:
    outcome = read(Provider(), Ask(1, "INSTAGRAM", "ann", external_id=known))[1]
    expected = "25" if known == "25" else "17841400000000007"
    assert reading(outcome).profile.external_id == expected


def test_a_youtube_channel_is_asked_by_its_id_which_outlives_its_handle() -> None:
    provider = Provider()
    channel = "UCAJFSpBRao51vF9M3FNqmQa"
    read(provider, Ask(1, "YOUTUBE", "ann", external_id=channel), Ask(2, "YOUTUBE", "ben"))
    assert provider.asked[0][1] == [channel, "ben"]


@pytest.mark.django_db
def test_tiktok_accounts_are_synced_in_one_paid_run_which_the_ledger_keeps(
    make_talent: Any, platform_settings: dict[str, str]
) -> None:
    talents: list[Talent] = [make_talent(f"Talent {n}") for n in range(3)]
    for talent, handle in zip(talents, ["jane.smith", "sam.jones", "nonexistent1"], strict=True):
        connections.connect(talent, "TIKTOK", handle=handle)
    Loop().run()
    rows = {row.handle: row for row in Connection.objects.select_related("profile")}
    assert [rows[h].sync_status for h in ("jane.smith", "sam.jones")] == ["READY", "READY"]
    assert (rows["nonexistent1"].sync_status, rows["nonexistent1"].error_code) == ("ERROR", "NOT_FOUND")  # fmt: skip
    assert rows["jane.smith"].profile.provenance["followers"]["source"] == "apify"
    assert rows["jane.smith"].posts.count() == 50
    run = ScrapeRun.objects.get()
    assert (run.handles_asked, run.handles_delivered) == (3, 2)
    assert run.cost_usd
