"""YouTube channels that the default quotas keep under one hour, over a simulated day.

The adapter, the prices and the reservations are the product's own; YouTube and the clock are
simulated. Each channel publishes a video every three days and has thirty already.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings

from bench.figures import Figure
from bench.stage import empty
from scraping.http import Http, Reply
from scraping.meter import Meter
from socials import platforms, quota
from socials.platforms.youtube.data import LISTED
from socials.sync import planner
from socials.types import Ask, Context, Depth, Reading

CHANNELS = 10_000
EVERY = timedelta(days=3)
VIDEOS = 30
DAY = timedelta(days=1)
CALL = 50


@dataclass(slots=True)
class Channel:
    """One channel as it is, and what we know of it."""

    name: str
    videos: list[tuple[str, datetime]]
    known: int = 0
    listed: str = ""
    due: dict[str, datetime] = field(default_factory=dict)
    late: int = 0
    read_at: datetime | None = None


class YouTube:
    """Answers every method that the adapter asks, as of ``now``."""

    def __init__(self, channels: Sequence[Channel], now: datetime) -> None:
        self.now = now
        self.channels = {channel.name: channel for channel in channels}
        self.posted_at = {name: at for channel in channels for name, at in channel.videos}

    def get(self, url: str, *, params: Mapping[str, str], **_: Any) -> Reply:
        method = url.rpartition("/")[2]
        if method == "channels":
            items = [self._channel(self.channels[name]) for name in params["id"].split(",")]
        elif method == "playlistItems":
            items = self._uploads(self.channels[f"UC{params['playlistId'][2:]}"])
        else:
            items = [self._video(method, name) for name in params["id"].split(",")]
        return Reply(200, {}, json.dumps({"items": items}).encode(), "YOUTUBE")

    def public(self, channel: Channel) -> list[tuple[str, datetime]]:
        return [(name, at) for name, at in channel.videos if at <= self.now]

    def _channel(self, channel: Channel) -> dict[str, Any]:
        numbers = {"subscriberCount": "45600", "videoCount": str(len(self.public(channel)))}
        return {"id": channel.name, "snippet": {"title": channel.name}, "statistics": numbers}

    def _uploads(self, channel: Channel) -> list[dict[str, Any]]:
        newest = sorted(self.public(channel), key=lambda video: video[1], reverse=True)[:CALL]
        return [
            {
                "snippet": {"title": name},
                "contentDetails": {"videoId": name, "videoPublishedAt": at.isoformat()},
            }
            for name, at in newest
        ]

    def _video(self, method: str, name: str) -> dict[str, Any]:
        when = "publishTime" if "Stats" in method else "publishedAt"
        numbers = {"viewCount": "1200", "likeCount": "73"}
        snippet = {when: self.posted_at[name].isoformat()}
        return {"id": name, "snippet": snippet, "statistics": numbers}


def measure() -> list[Figure]:
    empty()
    kept, rounds = simulate(CHANNELS, units=10_000)
    used = {level.bucket: level.used for level in quota.levels("YOUTUBE")}
    made_of = {"of": CHANNELS, "rounds": rounds, **used, "at three calls a sync": 10_000 // 72}
    return [
        Figure("YouTube channels kept under one hour", kept, 3_000, unit="", made_of=made_of),
    ]


def simulate(number: int, *, units: int) -> tuple[int, int]:
    """A day of so many channels on so many units. How many were never late, and the rounds."""
    settings.PLATFORM_SETTINGS |= {
        "YOUTUBE_API_KEY": "bench-key", "YOUTUBE_DAILY_QUOTA": str(units),
    }  # fmt: skip
    began = datetime(2026, 11, 20, 8, tzinfo=UTC)
    channels = _channels(number, began)
    youtube = YouTube(channels, began)
    # The planner queues a refresh when 85 to 95 of 100 parts of its time are over.
    step = timedelta(hours=1) * (sum(planner.EARLY) / 2)
    rounds = math.ceil(DAY / step)
    for _ in range(rounds):
        for start in range(0, len(channels), CALL):
            _refresh(channels[start : start + CALL], youtube)
        youtube.now += step
    return sum(1 for channel in channels if channel.late == 0), rounds


def _channels(wanted: int, began: datetime) -> list[Channel]:
    chance = random.Random(7)  # noqa: S311  no secret
    found = []
    for number in range(wanted):
        name = f"UC{number:0>22}"
        newest = began + EVERY * chance.random() + DAY
        videos = [(f"{number}-{n}", newest - EVERY * n) for n in range(VIDEOS + 1)]
        channel = Channel(name, videos)
        # What a first, full reading has left behind some time ago.
        read_at = began - timedelta(minutes=54)
        seen = [(video, at) for video, at in videos if at <= read_at]
        channel.known, channel.listed = len(seen), " ".join(video for video, _ in seen)
        for video, at in seen:
            wait = planner.metrics_due_at(at, read_at)
            if wait is not None:
                # Anywhere on its way: they were not all read at the same moment.
                channel.due[video] = read_at + (wait - read_at) * chance.random()
        found.append(channel)
    return found


def _refresh(channels: Sequence[Channel], youtube: YouTube) -> None:
    source = platforms.get("YOUTUBE").sources[0]
    asks = [_ask(number, channel, youtube.now) for number, channel in enumerate(channels)]
    reservation = quota.reserve("YOUTUBE", source.price(asks), interactive=False)
    if isinstance(reservation, quota.Refusal):
        for channel in channels:
            channel.late += 1
        return
    meter = Meter()
    http = cast("Http", youtube)
    context = Context(http, settings.PLATFORM_SETTINGS, meter, clock=lambda: youtube.now)
    for ask, outcome in source.read_many(asks, context):
        assert isinstance(outcome, Reading), outcome
        _remember(channels[ask.connection_id], outcome, youtube.now)
    quota.settle(reservation, meter.units)


def _ask(number: int, channel: Channel, now: datetime) -> Ask:
    due = [video for video, at in channel.due.items() if at <= now]
    return Ask(
        connection_id=number, platform="YOUTUBE", handle="bench", external_id=channel.name,
        depth=Depth.CHEAP, known_posts=channel.known, due_posts=tuple(due[:CALL]),
        extra={LISTED: channel.listed},
    )  # fmt: skip


def _remember(channel: Channel, reading: Reading, now: datetime) -> None:
    channel.known = reading.posts_total or 0
    channel.listed = reading.profile.extra[LISTED]
    for post in reading.posts:
        at = planner.metrics_due_at(post.posted_at, now)
        channel.due.pop(post.external_id, None)
        if at is not None:
            channel.due[post.external_id] = at
