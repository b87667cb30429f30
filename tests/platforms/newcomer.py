"""A platform that Greenroom does not know, made by the recipe of docs/adding-a-platform.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scraping.errors import NotFound, PlatformUnavailable
from scraping.types import Count, Post, PostKind, Profile
from scraping.wire import Fields
from socials.platforms.kit.platform import Outcome, Platform, each_in_turn
from socials.types import Ask, Context, Reading


class LoopReel:
    """``GET /accounts/<name>``: profile and posts in one answer."""

    name = "loopreel_api"
    needs = ("LOOPREEL_API_URL",)
    batch_size = 1

    def can_read(self, ask: Ask) -> bool:
        return True

    def price(self, asks: Sequence[Ask]) -> Mapping[str, int]:
        return {}

    def read_many(self, asks: Sequence[Ask], context: Context) -> Iterator[Outcome]:
        return each_in_turn(
            asks, lambda ask: self._read(ask, context), platform="LOOPREEL", source=self.name
        )

    def _read(self, ask: Ask, context: Context) -> Reading:
        context.meter.call()
        url = f"{context.settings['LOOPREEL_API_URL']}/accounts/{ask.handle}"
        reply = context.http.get(url, platform="LOOPREEL")
        if reply.status == 404:
            raise NotFound("LoopReel has no such account.", platform="LOOPREEL")
        if not reply.ok:
            raise PlatformUnavailable(f"HTTP {reply.status}", platform="LOOPREEL")
        told = Fields(reply.json(), platform="LOOPREEL", source=self.name, meter=context.meter)
        return Reading(
            profile=Profile(
                external_id=told.need("id"),
                handle=told.text("name") or ask.handle,
                followers=Count.exact(told.count("fans") or 0),
            ),
            posts=tuple(
                Post(item.need("id"), PostKind.VIDEO, posted_at=item.time("at"))
                for item in told.children("loops")
            ),
            source=self.name,
            fetched_at=context.clock(),
        )


PLATFORM = Platform(id="LOOPREEL", name="LoopReel", sources=(LoopReel(),))
