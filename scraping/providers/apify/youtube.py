"""streamers/youtube-scraper and youtube-channel-scraper: one row per video, channel repeated.

Reference: https://apify.com/streamers/youtube-scraper
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from scraping.errors import BadResponse
from scraping.handles import CHANNEL_ID
from scraping.providers.apify.actor import Gathered
from scraping.providers.apify.rows import failure_told, texts
from scraping.providers.posts import YOUTUBE_VIEWS, Listed, salvage
from scraping.types import Count, Post, PostKind, Profile
from scraping.wire import Fields

VIDEO_FIELDS = (
    "id", "title", "url", "type", "duration", "date", "viewCount", "likes", "commentsCount",
    "thumbnailUrl", "order", "text", "descriptionLinks", "subtitles", "hashtags", "fromYTUrl",
    "input", "error", "note", "errorDescription", "aboutChannelInfo", "commentsTurnedOff",
    "location", "isMembersOnly", "isPaidContent", "translatedTitle", "translatedText",
)  # fmt: skip
CHANNEL_FIELDS = (
    "channelName", "channelUsername", "channelId", "channelUrl", "channelDescription",
    "channelDescriptionLinks", "channelJoinedDate", "channelLocation", "channelAvatarUrl",
    "channelBannerUrl", "channelTotalVideos", "channelTotalViews", "numberOfSubscribers",
    "isChannelVerified", "isMonetized", "isAgeRestricted", "inputChannelUrl",
)  # fmt: skip
KINDS = {"video": PostKind.VIDEO, "shorts": PostKind.SHORT, "stream": PostKind.LIVE}


class YouTubeActor:
    platform = "YOUTUBE"
    name = "streamers~youtube-scraper"
    page = 100

    def rows(self, handles: int, post_limit: int) -> int:
        return 2 * handles * max(post_limit, 1)

    def body(self, handles: Sequence[str], post_limit: int) -> dict[str, Any]:
        """``maxResultStreams`` is spelt so by the actor."""
        return {
            "startUrls": [{"url": _url(handle)} for handle in handles],
            "maxResults": max(post_limit, 1),
            "maxResultsShorts": max(post_limit, 1),
            "maxResultStreams": 0,
            "sortVideosBy": "NEWEST",
        }

    def key(self, handle: str) -> str:
        """``UC…`` as it is (case counts); ``@name`` and ``user/name`` in lower case."""
        path = unquote(urlsplit(handle).path if "://" in handle else handle).strip("/ ")
        parts = path.split("/")
        if parts[0] == "channel" and len(parts) > 1:
            return parts[1]
        if CHANNEL_ID.fullmatch(parts[0]):
            return parts[0]
        if parts[0] in {"user", "c"} and len(parts) > 1:
            return f"user/{parts[1]}".lower() if parts[0] == "user" else f"@{parts[1]}".lower()
        return "@" + parts[0].lstrip("@").lower()

    def names(self, row: Fields) -> list[str]:
        about = row.value.get("aboutChannelInfo")
        nested = Fields(about, platform=self.platform) if isinstance(about, dict) else None
        keys = ("input", "inputChannelUrl", "fromYTUrl", "channelId", "channelUsername", "channelUrl")  # fmt: skip
        return [*texts(row, *keys), *texts(nested, *keys), *texts(row, "url")]

    def read(self, row: Fields, into: Gathered, now: datetime) -> None:
        failure = failure_told(row)
        row.known(*VIDEO_FIELDS, *CHANNEL_FIELDS)
        told = _Channel(row)
        if into.profile is None and told("channelId"):
            into.profile = _profile(row, told, into.handle)
        if failure and into.profile is None and not _only_empty(row):
            raise failure
        if "id" in row and failure is None and row.text("note") is None:
            post = salvage(row, _post, PostKind.VIDEO)
            if post:
                into.posts.append(Listed(post))


class _Channel:
    """A channel's field, at top level or nested in ``aboutChannelInfo``: both builds are about."""

    def __init__(self, row: Fields) -> None:
        about = row.child("aboutChannelInfo")
        self.rows = [about.known(*CHANNEL_FIELDS), row] if about else [row]

    def __call__(self, key: str) -> str | None:
        return next((value for row in self.rows if (value := row.ident(key))), None)

    def text(self, key: str) -> str | None:
        return next((value for row in self.rows if (value := row.text(key))), None)

    def count(self, key: str) -> int | None:
        return next((value for row in self.rows if (value := _digits(row, key)) is not None), None)

    def flag(self, key: str) -> bool | None:
        return next((value for row in self.rows if (value := row.flag(key)) is not None), None)


def _only_empty(row: Fields) -> bool:
    """Whether the row says merely that there are no such videos."""
    words = f"{row.text('error') or ''} {row.text('note') or ''}".lower()
    return any(
        sign in words for sign in ("no_videos", "has_no_", "channel is empty", "has no shorts")
    )


def _profile(row: Fields, told: _Channel, asked: str) -> Profile:
    subscribers = told.count("numberOfSubscribers")
    name = (told.text("channelUsername") or "").lstrip("@")
    external_id = told("channelId") or row.need("channelId")
    handle = name[:100] or asked
    posts, views = told.count("channelTotalVideos"), told.count("channelTotalViews")
    return Profile(
        external_id=external_id,
        handle=handle,
        display_name=(told.text("channelName") or "")[:300],
        bio=told.text("channelDescription"),
        avatar_url=told.text("channelAvatarUrl"),
        profile_url=_url(handle),
        # The page shows three figures; 0 is what a misread page gives.
        followers=Count.rounded(subscribers) if subscribers else Count.unknown(),
        posts=Count.of(posts),
        views=Count.of(views),
        verified=told.flag("isChannelVerified"),
    )


def _post(row: Fields, external_id: str) -> Post:
    views = _count(row, "viewCount")
    return Post(
        external_id=external_id,
        kind=KINDS.get(row.text("type") or "", PostKind.VIDEO),
        posted_at=_date(row),
        caption=row.text("title"),
        url=row.text("url"),
        thumbnail_url=row.text("thumbnailUrl"),
        duration_seconds=_duration(row.value.get("duration")),
        likes=_count(row, "likes"),
        comments=_count(row, "commentsCount"),
        views=views,
        view_definition=YOUTUBE_VIEWS if views.value is not None else "",
        kind_confidence="declared" if row.text("type") in KINDS else "",
    )


def _count(row: Fields, key: str) -> Count:
    return Count.of(_digits(row, key))


def _digits(row: Fields, key: str) -> int | None:
    """A count that may be written with commas. A fraction (0.4579 was seen) is no count."""
    value = row.value.get(key)
    if isinstance(value, float) and not value.is_integer():
        if row.meter is not None:
            row.meter.unknown(row.source, f"{key} with a fraction")
        return None
    if isinstance(value, str):
        plain = Fields({key: value.replace(",", "").strip()}, platform=row.platform, source=row.source, path=row.path)  # fmt: skip
        return plain.count(key)
    return row.count(key)


def _date(row: Fields) -> datetime | None:
    """ISO times; a relative one ("10 months ago", the channel scraper) is no time."""
    try:
        return row.time("date")
    except BadResponse:
        return None


def _duration(value: Any) -> float | None:
    """Seconds of ``29:54`` or ``00:03:17``."""
    parts = value.split(":") if isinstance(value, str) else []
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part[:6])
    return float(seconds)


def _url(handle: str) -> str:
    if CHANNEL_ID.fullmatch(handle):
        return f"https://www.youtube.com/channel/{handle}"
    path = handle if handle.startswith("user/") else f"@{handle}"
    return f"https://www.youtube.com/{quote(path, safe='/@')}"


ACTOR = YouTubeActor()
