"""The sandbox's people as Graph nodes: accounts, their media, their insights."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from socials.platforms.instagram.sandbox.fields import OMITTED, Node, Wanted, render
from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account, Item, Mood

LARGEST_PAGE = 100
DEFAULT_PAGE = 25
POSTED_BEFORE_CONVERSION = 5
"""The oldest so many posts are older than the account's conversion: no insights."""

_SHARED_METRICS = frozenset(
    {"comments", "likes", "reach", "saved", "shares", "total_interactions", "views"}
)
FEED_METRICS = _SHARED_METRICS | {"follows", "profile_activity", "profile_visits"}
REELS_METRICS = _SHARED_METRICS | {"ig_reels_avg_watch_time", "ig_reels_video_view_total_time"}


class BadCursor(Exception):
    """A cursor or page size that was not ours."""


@dataclass(frozen=True, slots=True)
class Person:
    """An Instagram account at a moment. ``own``: its owner is asking."""

    account: Account
    now: datetime
    origin: str
    own: bool

    @property
    def user_id(self) -> str:
        return f"1784{self.account.number % 10**13:013d}"

    @property
    def app_user_id(self) -> str:
        return f"27{self.account.number % 10**15:015d}"

    @property
    def web_id(self) -> int:
        """The number by which the website knows the account."""
        return self.account.number % 10**10

    @property
    def username(self) -> str:
        if self.account.mood is Mood.RENAMED:
            return f"{self.account.handle.lower()}.now"
        return self.account.handle.lower()

    @property
    def items(self) -> list[Item]:
        return [item for item in self.account.items(self.now) if item.posted_at <= self.now]

    @property
    def media_count(self) -> int:
        """All posts, though a listing reaches only the newest."""
        to_come = sum(item.posted_at > self.now for item in self.account.items(self.now)[:5])
        return self.account.total_posts(self.now) - to_come

    def node(self) -> Node:
        """The account; what only its owner may ask is there only for the owner."""
        picture = cdn.avatar(self.origin, self.account, self.now)
        values: dict[str, Any] = {
            "id": self.app_user_id if self.own else self.user_id,
            "username": self.username,
            "name": self.account.display_name,
            "biography": self.account.bio,
            "website": OMITTED,
            "profile_picture_url": OMITTED if picture is None else picture,
            "followers_count": self.account.followers(self.now),
            "follows_count": self.account.following(self.now),
            "media_count": self.media_count,
        }
        if self.own:
            values |= {"user_id": self.user_id, "account_type": "MEDIA_CREATOR"}
        else:
            values["ig_id"] = self.web_id
        node: dict[str, Any] = {name: _always(value) for name, value in values.items()}
        node["media"] = self.media
        return node

    def media(self, wanted: Wanted) -> dict[str, Any]:
        """The media edge inside ``fields``: cursors, never a ``next``."""
        items, more = self.page(wanted.arguments)
        answer: dict[str, Any] = {
            "data": [render(self.media_node(item), wanted.fields, "IGMedia") for item in items]
        }
        if items:
            cursors = {"before": _cursor(items[0])}
            if more:
                cursors["after"] = _cursor(items[-1])
            answer["paging"] = {"cursors": cursors}
        return answer

    def page(self, arguments: Mapping[str, str]) -> tuple[list[Item], bool]:
        """A page of posts, and whether more follow. Raises BadCursor."""
        limit = arguments.get("limit", str(DEFAULT_PAGE))
        if not limit.isdecimal() or not 1 <= int(limit) <= LARGEST_PAGE:
            raise BadCursor("limit must be a number from 1 to 100")
        items = self.items
        if arguments.get("after"):
            behind = _index(arguments["after"])
            items = [item for item in items if item.index < behind]
        return items[: int(limit)], len(items) > int(limit)

    def media_node(self, item: Item) -> Node:
        product, media_type = kind(item)
        picture = cdn.thumbnail(self.origin, item, self.now)
        permalink = "reel" if product == "REELS" else "p"
        values: dict[str, Any] = {
            "id": media_id(item),
            "caption": OMITTED if item.index % 11 == 5 else f"{self.account.bio} · {item.index}",
            "media_type": media_type,
            "media_product_type": product,
            "permalink": f"https://www.instagram.com/{permalink}/{shortcode(item)}/",
            "shortcode": shortcode(item),
            "timestamp": item.posted_at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "like_count": OMITTED if self.hides_likes(item) else self.likes(item),
            "comments_count": item.number("comments", 0.002, self.now),
            "thumbnail_url": picture if media_type == "VIDEO" else OMITTED,
            "media_url": OMITTED if media_type == "VIDEO" and item.index % 2 else picture,
            "username": self.username,
        }
        if not self.own:
            values["view_count"] = self.views(item) if product == "REELS" else OMITTED
        return {name: _always(value) for name, value in values.items()}

    def insight(self, item: Item, metric: str) -> int:
        match metric:
            case "views":
                return self.views(item)
            case "likes":
                return self.likes(item)
            case "comments":
                return item.number("comments", 0.002, self.now)
            case "reach":
                return int(self.views(item) * 0.8)
        return item.number(metric, 0.004, self.now)

    def likes(self, item: Item) -> int:
        return item.number("likes", 0.04, self.now)

    def views(self, item: Item) -> int:
        return item.number("views", 0.6, self.now)

    def hides_likes(self, item: Item) -> bool:
        return not self.own and item.index % 7 == 3


def media_id(item: Item) -> str:
    return f"18{item.account.number % 10**10:010d}{item.index:05d}"


def item_of(person: Person, identifier: str) -> Item | None:
    return next((item for item in person.items if media_id(item) == identifier), None)


def kind(item: Item) -> tuple[str, str]:
    """(media_product_type, media_type), by turns."""
    return (
        ("FEED", "IMAGE"),
        ("REELS", "VIDEO"),
        ("FEED", "CAROUSEL_ALBUM"),
        ("REELS", "VIDEO"),
    )[item.index % 4]


def metrics(item: Item) -> frozenset[str]:
    return REELS_METRICS if kind(item)[0] == "REELS" else FEED_METRICS


def cursors(items: list[Item]) -> dict[str, str]:
    return {"before": _cursor(items[0]), "after": _cursor(items[-1])}


def _cursor(item: Item) -> str:
    return "QVFI" + base64.urlsafe_b64encode(f"item:{item.index}".encode()).decode().rstrip("=")


def _index(cursor: str) -> int:
    text = cursor.removeprefix("QVFI")
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        return int(decoded.removeprefix("item:"))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise BadCursor("Invalid cursor") from None


def shortcode(item: Item) -> str:
    return base64.urlsafe_b64encode(media_id(item).encode()).decode()[-11:].rstrip("=")


def _always(value: Any) -> Any:
    return lambda _: value
