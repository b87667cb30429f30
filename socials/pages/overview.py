"""What the overview shows: followers by platform with a month's growth, and the newest posts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from socials import platforms, queries, thumbnails
from socials.intelligence import history
from socials.intelligence.types import Growth, GrowthBySpan
from socials.queries import ConnectionCard, PostLine, TalentHeader

SPAN = "d30"
POSTS = 4


@dataclass(frozen=True, slots=True)
class Total:
    """Followers on one platform: how many accounts they are the sum of."""

    platform: str
    followers: int | None
    accounts: int
    growth: Growth | None
    """Over 30 days; None unless it is known of every account."""


def audience(header: TalentHeader) -> dict[str, Any]:
    """What the tiles show. One query."""
    spans = history.growth(
        {
            card.id: (card.last_synced_at.date(), card.followers)
            for card in header.cards
            if card.last_synced_at and card.followers is not None
        }
    )
    totals = [
        _total(platform, cards, spans)
        for platform in platforms.synced()
        if (cards := [card for card in header.cards if card.platform == platform])
    ]
    return {"totals": totals, "growth": _sum(header.cards, spans)}


def _total(platform: str, cards: Sequence[ConnectionCard], spans: dict[int, GrowthBySpan]) -> Total:
    known = [card.followers for card in cards if card.followers is not None]
    return Total(platform, sum(known) if known else None, len(cards), _sum(cards, spans))


def _sum(cards: Iterable[ConnectionCard], spans: dict[int, GrowthBySpan]) -> Growth | None:
    """The growth of all that have followers together; None when one's is unknown."""
    read = [card for card in cards if card.followers is not None]
    grown = [spans[card.id][SPAN] if card.id in spans else None for card in read]
    known = [one for one in grown if one is not None]
    if not known or len(known) < len(read):
        return None
    now = sum(card.followers or 0 for card in read)
    return Growth.between(now - sum(one.absolute for one in known), now)


@dataclass(frozen=True, slots=True)
class PostCard:
    """A post with the picture that is kept of it; empty when there is none yet."""

    post: PostLine
    image_url: str


def latest_posts(talent_id: int) -> list[PostCard]:
    """The newest posts; pictures that were never looked at are fetched in the background."""
    posts = queries.latest_posts(talent_id, most=POSTS)
    ids = [post.id for post in posts]
    images = thumbnails.urls(ids)
    thumbnails.ask_for(talent_id, [pk for pk in ids if pk not in images])
    return [PostCard(post, images.get(post.id, "")) for post in posts]
