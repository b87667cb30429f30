"""A small platform of the tests' own, which speaks real HTTP to a server that the test steers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from scraping.errors import (
    Blocked,
    Failure,
    NotConfigured,
    NotFound,
    PermissionMissing,
    PlatformUnavailable,
    QuotaExhausted,
    RateLimited,
    ReauthRequired,
)
from scraping.wire import Fields
from socials.platforms.kit.platform import Bucket, Outcome, Platform, Window
from socials.types import Ask, Context, Count, Depth, Post, PostKind, Profile, Reading, StopReason

REFUSALS: dict[int, type[Failure]] = {
    401: ReauthRequired,
    403: Blocked,
    404: NotFound,
    424: NotConfigured,
    500: PlatformUnavailable,
    503: PlatformUnavailable,
    402: QuotaExhausted,
    429: RateLimited,
    451: PermissionMissing,
}


class StageSource:
    """Reads ``/<handle>`` of the test's server, one call an account."""

    def __init__(
        self,
        name: str = "youtube_data",
        *,
        batch_size: int = 1,
        needs: tuple[str, ...] = ("YOUTUBE_API_KEY",),
        by_grant: bool = False,
        token_will_do: bool = False,
        units: int = 0,
    ) -> None:
        self.name = name
        self.batch_size = batch_size
        self.needs = needs
        self.by_grant = by_grant
        self.token_will_do = token_will_do
        self.units = units

    def can_read(self, ask: Ask) -> bool:
        return not self.by_grant or ask.token is not None

    def price(self, asks: Sequence[Ask]) -> Mapping[str, int]:
        return {"stage.units": self.units * len(asks)}

    def read_many(self, asks: Sequence[Ask], context: Context) -> Iterator[Outcome]:
        yield from zip(
            asks, context.concurrently(lambda ask: self._read(ask, context), asks), strict=True
        )

    def _read(self, ask: Ask, context: Context) -> Reading | Failure:
        context.meter.call("stage.units", self.units)
        try:
            reply = context.http.get(
                f"{context.settings['YOUTUBE_API_URL']}/{self.name}/{ask.handle}",
                params={"depth": str(ask.depth), "id": ask.external_id},
            )
            if kind := REFUSALS.get(reply.status):
                end = reply.headers.get("x-until")
                return kind(
                    f"the stage answered {reply.status}",
                    retry_at=datetime.fromisoformat(end) if end else None,
                    bucket=reply.headers.get("x-bucket", ""),
                )
            if reply.status == 418:
                raise ZeroDivisionError("a defect of the adapter")
            return self._reading(ask, reply.json(), context)
        except Failure as failure:
            return failure

    def _reading(self, ask: Ask, body: Any, context: Context) -> Reading:
        told = Fields(body, platform="YOUTUBE")
        posts = tuple(_post(item) for item in told.children("items"))
        return Reading(
            profile=Profile(
                external_id=told.ident("id") or "",
                handle=told.text("handle") or ask.handle,
                display_name=told.text("name") or "",
                bio=told.text("bio"),
                avatar_url=told.text("avatar"),
                followers=_count(told, "followers"),
                posts=_count(told, "posts"),
            ),
            posts=posts,
            source=self.name,
            fetched_at=context.clock(),
            partial=tuple(str(name) for name in told.items("partial")),
            posts_total=told.count("posts"),
            stop_reason=StopReason.END if ask.depth is Depth.FULL else StopReason.UNCHANGED,
            listed_since=told.time("since"),
            gone_posts=tuple(str(name) for name in told.items("gone")),
        )


def _count(told: Fields, name: str) -> Count:
    value = told.count(name)
    return Count.unknown() if value is None else Count.exact(value)


def _post(item: Fields) -> Post:
    return Post(
        external_id=item.need("id"),
        shared_id=item.text("code") or "",
        kind=PostKind.VIDEO,
        posted_at=item.time("at"),
        caption=item.text("caption"),
        url=item.text("url"),
        likes=_count(item, "likes"),
        comments=_count(item, "comments"),
        views=_count(item, "views"),
    )


STAGE = Platform(
    id="YOUTUBE",
    name="YouTube",
    sources=(StageSource(),),
    buckets=(Bucket("stage.units", cap=1000, window=Window.PACIFIC_DAY),),
)


def staged(*sources: StageSource) -> Platform:
    return replace(STAGE, sources=sources)


def item(name: str, **told: Any) -> dict[str, Any]:
    """A post as the stage's platform tells it."""
    return {"id": name, "at": "2026-11-20T10:00:00Z", "likes": 10, "views": 100, **told}
