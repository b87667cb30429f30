"""Exactly one outcome for each handle of a run: what its rows say, or that they say nothing.

An absent handle is never "not found": Apify merely drops some.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scraping.errors import Failure, PlatformUnavailable
from scraping.providers.apify.actor import Actor, Gathered
from scraping.providers.apify.client import SOURCE
from scraping.providers.base import Outcome, Outside
from scraping.providers.posts import listed
from scraping.types import ScrapedAccount
from scraping.wire import Fields


class Reconciliation:
    def __init__(
        self, actor: Actor, handles: Sequence[str], post_limit: int, context: Outside
    ) -> None:
        self.actor = actor
        self.post_limit = post_limit
        self.context = context
        self.items = 0
        self._by_key: dict[str, Gathered] = {}
        for handle in handles:
            self._by_key.setdefault(actor.key(handle), Gathered(handle))
        self.handles = [gathered.handle for gathered in self._by_key.values()]

    def add(self, item: Any) -> None:
        """Take in one row. A row that can't be read spoils its own handle at most."""
        self.items += 1
        if not isinstance(item, dict):
            self._of_nobody()
            return
        row = Fields(item, platform=self.actor.platform, source=SOURCE, meter=self.context.meter)
        gathered = self._whose(row)
        if gathered is None:
            self._of_nobody()
            return
        try:
            self.actor.read(row, gathered, self.context.clock())
        except Failure as failure:
            gathered.failure = gathered.failure or failure

    def _of_nobody(self) -> None:
        self.context.meter.unknown(SOURCE, f"{self.actor.platform.lower()} row of nobody")

    def outcomes(self, why_absent: Failure | None) -> Iterator[Outcome]:
        """One for each handle; ``why_absent`` explains those of which no row tells."""
        for gathered in self._by_key.values():
            yield gathered.handle, self._outcome(gathered, why_absent)

    def _whose(self, row: Fields) -> Gathered | None:
        found = (self._by_key.get(self.actor.key(name)) for name in self.actor.names(row))
        return next((gathered for gathered in found if gathered), None)

    def _outcome(self, gathered: Gathered, why_absent: Failure | None) -> ScrapedAccount | Failure:
        profile = gathered.profile
        if profile is None:
            return (
                gathered.failure
                or why_absent
                or PlatformUnavailable(
                    "the scraping run brought nothing for this account",
                    platform=self.actor.platform,
                    source=SOURCE,
                )
            )
        posts, since = listed(gathered.posts, limit=self.post_limit, total=profile.posts.value)
        there_are = min(self.post_limit, profile.posts.value or 0)
        if there_are and (not posts or (why_absent and len(posts) < there_are)):
            gathered.partial.add("posts")
        return ScrapedAccount(
            profile=profile,
            posts=posts,
            source=SOURCE,
            fetched_at=self.context.clock(),
            partial=tuple(sorted(gathered.partial)),
            listed_since=since,
        )
