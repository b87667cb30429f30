"""The sandbox's channels and videos as resources."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account, Item, Mood, seed, three_figures
from socials.platforms.youtube.sandbox.ids import (
    VIDEO_BITS,
    channel_id,
    handle_of,
    names,
    video_id,
    video_number,
)

NO_CHANNEL = {Mood.NONEXISTENT, Mood.PRIVATE}
DELETED_AT = 7
"""The place in every list of uploads where a deleted video stands."""


@dataclass(frozen=True)
class Channel:
    """A channel at a moment."""

    account: Account
    now: datetime
    origin: str

    @property
    def id(self) -> str:
        return channel_id(self.account.handle)

    @cached_property
    def number(self) -> int:
        """What the ids of its videos begin with, 48 bits: whoever is told it finds the channel by it."""
        number = seed("video", self.account.handle.lower()) >> 16
        names.keep(number, self.account.handle)
        return number

    @property
    def uploads(self) -> str:
        return f"UU{self.id[2:]}"

    @property
    def never_uploaded(self) -> bool:
        return self.account.handle.startswith("empty")

    @cached_property
    def items(self) -> list[Item]:
        """Newest first."""
        if self.never_uploaded:
            return []
        return [item for item in self.account.items(self.now) if item.posted_at <= self.now]

    @cached_property
    def slots(self) -> list[Item | None]:
        """The list of uploads: its videos, and one that was deleted."""
        gone: list[Item | None] = [None] if len(self.items) > DELETED_AT else []
        return [*self.items[:DELETED_AT], *gone, *self.items[DELETED_AT:]]

    @property
    def video_count(self) -> int:
        if self.never_uploaded:
            return 0
        to_come = sum(item.posted_at > self.now for item in self.account.items(self.now)[:5])
        return self.account.total_posts(self.now) - to_come

    @property
    def custom_url(self) -> str:
        name = self.account.handle.rpartition("/")[2]
        return f"@{name}.now" if self.account.mood is Mood.RENAMED else f"@{name}"

    def resource(self, parts: frozenset[str]) -> dict[str, Any]:
        everything = {
            "snippet": self._snippet(),
            "contentDetails": {"relatedPlaylists": {"likes": "", "uploads": self.uploads}},
            "statistics": self._statistics(),
            "status": {
                "privacyStatus": "public", "isLinked": True, "longUploadsStatus": "longUploadsUnspecified",
            },
            "brandingSettings": {"channel": {"title": self.account.display_name}},
            "topicDetails": {"topicIds": []},
            "localizations": {},
        }  # fmt: skip
        return _resource("youtube#channel", self.id, everything, parts)

    def _snippet(self) -> dict[str, Any]:
        about = {"title": self.account.display_name, "description": self.account.bio}
        snippet: dict[str, Any] = {
            **about,
            "customUrl": self.custom_url,
            "publishedAt": f"20{10 + self.account.number % 10}-03-14T15:09:26.535897Z",
            "thumbnails": {
                name: {"url": url, "width": size, "height": size}
                for name, size in (("default", 88), ("medium", 240), ("high", 800))
                if (url := cdn.avatar(self.origin, self.account, self.now, size=size))
            },
            "localized": about,
        }
        if self.account.number % 3:
            snippet["country"] = "GB"
        return snippet

    def _statistics(self) -> dict[str, Any]:
        numbers: dict[str, Any] = {
            "viewCount": str(self.account.followers(self.now) * 210),
            "hiddenSubscriberCount": False,
            "videoCount": str(self.video_count),
        }
        if self.account.handle.startswith("hidden"):
            numbers["hiddenSubscriberCount"] = True
            if self.account.number % 2:
                numbers["subscriberCount"] = "0"
        else:
            numbers["subscriberCount"] = str(three_figures(self.account.followers(self.now)))
        return numbers

    def entry(self, place: int) -> dict[str, Any]:
        """What stands at a place of the list of uploads."""
        item = self.slots[place]
        if item is None:
            return self._deleted_entry(place)
        video = Video(item, self)
        about = video.snippet()
        return _resource(
            "youtube#playlistItem",
            base64.urlsafe_b64encode(f"{self.uploads}.{video.id}".encode()).decode(),
            {
                "snippet": {
                    "publishedAt": about["publishedAt"],
                    "channelId": self.id,
                    "title": about["title"],
                    "description": about["description"],
                    "thumbnails": about["thumbnails"],
                    "channelTitle": self.account.display_name,
                    "playlistId": self.uploads,
                    "position": place,
                    "resourceId": {"kind": "youtube#video", "videoId": video.id},
                    "videoOwnerChannelTitle": self.account.display_name,
                    "videoOwnerChannelId": self.id,
                },
                "contentDetails": {
                    "videoId": video.id, "videoPublishedAt": about["publishedAt"],
                },
                "status": {"privacyStatus": "public"},
            },
            frozenset({"snippet", "contentDetails", "status", "id"}),
        )  # fmt: skip

    def _deleted_entry(self, place: int) -> dict[str, Any]:
        gone = video_id((self.account.number << 16 | 0xFFFF) & (2**VIDEO_BITS - 1))
        return _resource(
            "youtube#playlistItem",
            base64.urlsafe_b64encode(f"{self.uploads}.{gone}".encode()).decode(),
            {
                "snippet": {
                    "publishedAt": time(self.items[place - 1].posted_at),
                    "channelId": self.id,
                    "title": "Deleted video",
                    "description": "This video is unavailable.",
                    "thumbnails": {},
                    "channelTitle": self.account.display_name,
                    "playlistId": self.uploads,
                    "position": place,
                    "resourceId": {"kind": "youtube#video", "videoId": gone},
                },
                "contentDetails": {"videoId": gone},
                "status": {},
            },
            frozenset({"snippet", "contentDetails", "status", "id"}),
        )


@dataclass(frozen=True)
class Video:
    """A video at a moment."""

    item: Item
    channel: Channel

    @property
    def id(self) -> str:
        return video_id(self.channel.number << 16 | self.item.index)

    @property
    def seconds(self) -> int:
        """0 for a broadcast that is still to come; every fourth video is a Short."""
        if self.is_broadcast:
            return 0
        spread = seed(self.item.key, "seconds")
        return 12 + spread % 48 if self.item.index % 4 == 0 else 190 + spread % 4000

    @property
    def is_broadcast(self) -> bool:
        """The newest video of some channels."""
        newest = self.channel.items[0].index
        return self.channel.account.handle.startswith("live") and self.item.index == newest

    def resource(self, parts: frozenset[str]) -> dict[str, Any]:
        everything = {
            "snippet": self.snippet(),
            "contentDetails": {
                "duration": iso_duration(self.seconds),
                "dimension": "2d",
                "definition": "hd",
                "caption": "false",
                "licensedContent": True,
                "contentRating": {},
                "projection": "rectangular",
            },
            "statistics": {**self.statistics(), "favoriteCount": "0"},
            "status": {
                "uploadStatus": "processed", "privacyStatus": "public", "license": "youtube",
                "embeddable": True, "publicStatsViewable": True, "madeForKids": False,
            },
            "player": {"embedHtml": f'<iframe src="//www.youtube.com/embed/{self.id}"></iframe>'},
        }  # fmt: skip
        return _resource("youtube#video", self.id, everything, parts)

    def stat(self, parts: frozenset[str]) -> dict[str, Any]:
        everything = {
            "snippet": {"publishTime": time(self.item.posted_at)},
            "statistics": self.statistics(),
            "contentDetails": {"duration": f"{self.seconds}s"},
        }
        return _resource("youtube#videoStats", self.id, everything, parts)

    def snippet(self) -> dict[str, Any]:
        about = {
            "title": f"{self.channel.account.display_name}, no. {self.item.index}",
            "description": self.channel.account.bio,
        }
        picture = cdn.thumbnail(self.channel.origin, self.item, self.channel.now)
        sizes = [("default", 120, 90), ("medium", 320, 180), ("high", 480, 360)]
        if self.item.index % 3:
            sizes += [("standard", 640, 480), ("maxres", 1280, 720)]
        return {
            "publishedAt": time(self.item.posted_at),
            "channelId": self.channel.id,
            **about,
            "thumbnails": {
                name: {"url": picture, "width": width, "height": height}
                for name, width, height in sizes
            },
            "channelTitle": self.channel.account.display_name,
            "categoryId": "22",
            "liveBroadcastContent": "upcoming" if self.is_broadcast else "none",
            "localized": about,
        }

    def statistics(self) -> dict[str, str]:
        """Without likes or comments where their owner keeps them to herself."""
        now, item = self.channel.now, self.item
        views = item.number("views", 0.6, now)
        numbers = {"viewCount": str(views)}
        if item.index % 13 != 6:
            numbers["likeCount"] = str(views * (20 + item.index % 40) // 1000)
        if item.index % 11 != 3 and not self.channel.account.handle.startswith("quiet"):
            numbers["commentCount"] = str(views * (1 + item.index % 5) // 1000)
        return numbers


# --- finding them --------------------------------------------------------------------------------


def channel_by_handle(handle: str, now: datetime, origin: str) -> Channel | None:
    account = Account("YOUTUBE", handle.lower())
    return None if account.mood in NO_CHANNEL else Channel(account, now, origin)


def channel_by_id(wanted: str, now: datetime, origin: str) -> Channel | None:
    handle = handle_of(wanted)
    return channel_by_handle(handle, now, origin) if handle else None


def videos_by_id(ids: Iterable[str], now: datetime, origin: str) -> list[Video]:
    """Public videos. Those of a channel that was not told of yet can't be found."""
    channels: dict[str, Channel | None] = {}
    found = []
    for wanted in ids:
        number = video_number(wanted)
        handle = names.find(number >> 16) if number is not None else None
        if handle is None or number is None:
            continue
        if handle not in channels:
            channels[handle] = channel_by_handle(handle, now, origin)
        channel = channels[handle]
        if channel:
            found += [Video(i, channel) for i in channel.items if i.index == number & 0xFFFF]
    return found


# --- pieces --------------------------------------------------------------------------------------


def etag(*parts: str) -> str:
    return (
        base64.urlsafe_b64encode(hashlib.sha256("|".join(parts).encode()).digest()[:20])
        .decode()
        .rstrip("=")
    )


def time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_duration(seconds: int) -> str:
    """``PT1H2M3S``; ``P0D`` for what has not ended."""
    if not seconds:
        return "P0D"
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    return "PT" + "".join(f"{number}{sign}" for number, sign in parts if number)


def _resource(
    kind: str, own_id: str, everything: dict[str, Any], parts: frozenset[str]
) -> dict[str, Any]:
    told = {name: value for name, value in everything.items() if name in parts}
    return {"kind": kind, "etag": etag(own_id, str(told)), "id": own_id, **told}
