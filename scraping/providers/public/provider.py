"""Reading public profile pages with no account: one try each, and an honest end at a login wall.

Platforms' terms may forbid it and they block it often, so it is off unless it is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from scraping.errors import Blocked, Failure, RateLimited
from scraping.providers.base import Outcome, Outside
from scraping.providers.public import instagram, tiktok, youtube
from scraping.types import ScrapedAccount

Reader = Callable[[str, int, Outside], ScrapedAccount]

READERS: dict[str, Reader] = {
    "INSTAGRAM": instagram.read,
    "TIKTOK": tiktok.read,
    "YOUTUBE": youtube.read,
}


class PublicProvider:
    name = "public"
    needs: tuple[str, ...] = ()
    batch_size = 5

    def scrape(
        self, platform: str, handles: Sequence[str], *, post_limit: int, context: Outside
    ) -> Iterator[Outcome]:
        """One after the other. At a wall nothing more is asked: the others get the same answer."""
        wall: Failure | None = None
        for handle in dict.fromkeys(handles):
            if wall is not None:
                yield handle, wall
                continue
            try:
                yield handle, READERS[platform](handle, post_limit, context)
            except Failure as failure:
                if isinstance(failure, (Blocked, RateLimited)):
                    wall = failure
                yield handle, failure

    def cost(self, platform: str, run_id: str, context: Outside) -> Decimal | None:
        return None


PROVIDER = PublicProvider()
