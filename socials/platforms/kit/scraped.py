"""Scraping providers as sources of a platform: one shared adapter, one line per platform."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from scraping.errors import Failure
from scraping.providers.apify.provider import PROVIDER as APIFY_PROVIDER
from scraping.providers.base import ScrapingProvider
from scraping.providers.public.provider import PROVIDER as PUBLIC_PROVIDER
from scraping.types import Profile, ScrapedAccount
from socials.platforms.kit.platform import Outcome
from socials.types import Ask, Context, Depth, Reading, StopReason

CHEAP_POSTS = 10
"""Posts that a scheduled reading buys: they are paid for one by one."""


class Scraped:
    """A source that reads public accounts through a scraping provider."""

    def __init__(self, provider: ScrapingProvider) -> None:
        self.provider = provider
        self.name = provider.name
        self.needs = provider.needs
        self.batch_size = provider.batch_size

    def can_read(self, ask: Ask) -> bool:
        return True

    def price(self, asks: Sequence[Ask]) -> Mapping[str, int]:
        return {}

    def read_many(self, asks: Sequence[Ask], context: Context) -> Iterator[Outcome]:
        """One scrape for all asks of a platform and depth; each ask gets its handle's outcome."""
        batches: dict[tuple[str, int], list[Ask]] = defaultdict(list)
        for ask in asks:
            batches[ask.platform, _posts_wanted(ask)].append(ask)
        for (platform, limit), batch in batches.items():
            yield from self._read_batch(platform, limit, batch, context)

    def _read_batch(
        self, platform: str, limit: int, batch: Sequence[Ask], context: Context
    ) -> Iterator[Outcome]:
        # Two talents may share an account, and a handle may differ in case alone.
        waiting: dict[str, list[Ask]] = defaultdict(list)
        for ask in batch:
            waiting[_asked_as(ask).lower()].append(ask)
        handles = [_asked_as(asks[0]) for asks in waiting.values()]
        for handle, outcome in self.provider.scrape(
            platform, handles, post_limit=limit, context=context
        ):
            for ask in waiting.pop(handle.lower(), ()):
                yield ask, self._answer(ask, outcome, limit)

    def _answer(self, ask: Ask, outcome: ScrapedAccount | Failure, limit: int) -> Reading | Failure:
        if isinstance(outcome, Failure):
            return outcome
        total = outcome.profile.posts.value
        return Reading(
            profile=_profile(ask, outcome.profile),
            posts=outcome.posts,
            source=self.name,
            fetched_at=outcome.fetched_at,
            partial=outcome.partial,
            posts_total=total,
            stop_reason=_stop_reason(outcome, limit),
            listed_since=outcome.listed_since,
        )


def _posts_wanted(ask: Ask) -> int:
    return ask.post_limit if ask.depth is Depth.FULL else min(ask.post_limit, CHEAP_POSTS)


def _asked_as(ask: Ask) -> str:
    """YouTube's channel id outlives its handle; elsewhere pages are found by handle alone."""
    by_id = ask.platform == "YOUTUBE" and ask.external_id.startswith("UC")
    return ask.external_id if by_id else ask.handle


def _profile(ask: Ask, profile: Profile) -> Profile:
    """An account that a source tells by two ids goes on by the one it is known by."""
    also_known = ask.external_id and ask.external_id in profile.extra.values()
    return replace(profile, external_id=ask.external_id) if also_known else profile


def _stop_reason(outcome: ScrapedAccount, limit: int) -> StopReason:
    if "posts" in outcome.partial:
        return StopReason.REFUSED
    total, got = outcome.profile.posts.value, len(outcome.posts)
    return StopReason.LIMIT if got >= limit or (total or 0) > got else StopReason.END


APIFY = Scraped(APIFY_PROVIDER)
PUBLIC = Scraped(PUBLIC_PROVIDER)
