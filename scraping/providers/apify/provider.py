"""Many handles in one paid run: start it, follow it, read its items, account for every handle."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal

from scraping.errors import Failure, PlatformUnavailable
from scraping.meter import RunReport
from scraping.providers.apify import instagram, tiktok, youtube
from scraping.providers.apify.actor import Actor
from scraping.providers.apify.client import SOURCE, Apify, Run
from scraping.providers.apify.reconcile import Reconciliation
from scraping.providers.base import Outcome, Outside
from scraping.types import ScrapedAccount

ACTORS: dict[str, Actor] = {
    "INSTAGRAM": instagram.ACTOR,
    "TIKTOK": tiktok.ACTOR,
    "YOUTUBE": youtube.ACTOR,
}
RUN_SECONDS = 60.0
"""What a run may take, unless APIFY_RUN_SECONDS says otherwise."""
TIDY_SECONDS = 5.0
"""What is kept of the deadline for reading the items of a run that we had to stop."""


class ApifyProvider:
    name = SOURCE
    needs: tuple[str, ...] = ("APIFY_TOKEN",)
    batch_size = 25

    def scrape(
        self, platform: str, handles: Sequence[str], *, post_limit: int, context: Outside
    ) -> Iterator[Outcome]:
        return _Scrape(platform, handles, post_limit, context).outcomes()

    def cost(self, platform: str, run_id: str, context: Outside) -> Decimal | None:
        """What a run that has ended has cost, in US dollars. Raises Failure."""
        api = Apify(platform, context, time.monotonic() + context.http.limits.total_seconds)
        return api.run(run_id).cost_usd


class _Scrape:
    """One run for some handles. Bounded by APIFY_RUN_SECONDS, whatever Apify does."""

    def __init__(
        self, platform: str, handles: Sequence[str], post_limit: int, context: Outside
    ) -> None:
        self.actor = ACTORS[platform]
        self.name = context.settings.get(f"APIFY_{platform}_ACTOR") or self.actor.name
        self.context = context
        self.post_limit = post_limit
        self.started_at = context.clock()
        seconds = float(context.settings.get("APIFY_RUN_SECONDS") or RUN_SECONDS)
        self.tidy_seconds = min(TIDY_SECONDS, seconds / 4)
        self.api = Apify(platform, context, time.monotonic() + seconds - self.tidy_seconds)
        self.found = Reconciliation(self.actor, handles, post_limit, context)
        self.run: Run | None = None

    def outcomes(self) -> Iterator[Outcome]:
        failure: Failure | None = None
        try:
            self._perform()
        except Failure as error:
            failure = error
        outcomes = list(self.found.outcomes(failure or self._ended_badly()))
        self.context.meter.report(self._report(outcomes, failure))
        yield from outcomes

    def _perform(self) -> None:
        rows = self.actor.rows(len(self.found.handles), self.post_limit)
        self.run = self.api.start(
            self.name, self.actor.body(self.found.handles, self.post_limit), most_items=rows
        )
        try:
            self.run = self.api.wait(self.run)
        finally:
            self.api.until += self.tidy_seconds
            if not self.run.ended:
                self.run = self.api.abort(self.run)
        # A run that failed or was stopped may hold good items all the same: they are paid for.
        for item in self.api.items(self.run.dataset_id, page=self.actor.page, most=2 * rows + 100):
            self.found.add(item)

    def _ended_badly(self) -> Failure | None:
        """Why handles may be absent, when the run itself is the reason."""
        if self.run is None or self.run.status == "SUCCEEDED":
            return None
        took = "was stopped: it took too long" if self.run.status in STOPPED else "failed"
        return PlatformUnavailable(
            f"the Apify run {took} (status {self.run.status}) before this account was read",
            platform=self.actor.platform,
            source=SOURCE,
        )

    def _report(self, outcomes: Sequence[Outcome], failure: Failure | None) -> RunReport:
        good = sum(isinstance(outcome, ScrapedAccount) for _, outcome in outcomes)
        worst = failure or self._ended_badly()
        answered = len(outcomes) - sum(
            isinstance(outcome, Failure) and outcome.later for _, outcome in outcomes
        )
        whole = worst is None and answered == len(outcomes)
        return RunReport(
            provider=SOURCE,
            platform=self.actor.platform,
            actor=self.name,
            provider_run_id=self.run.id if self.run else "",
            started_at=self.started_at,
            finished_at=max(self.context.clock(), self.started_at),
            handles_asked=len(outcomes),
            handles_delivered=good,
            items=self.found.items,
            cost_usd=self.run.cost_usd if self.run else None,
            outcome="succeeded" if whole else "partial" if good else "failed",
            error_code=worst.code if worst else "",
            message=worst.detail if worst else self.run.message if self.run else "",
        )


STOPPED = frozenset({"READY", "RUNNING", "TIMING-OUT", "TIMED-OUT", "ABORTING", "ABORTED"})

PROVIDER = ApifyProvider()
