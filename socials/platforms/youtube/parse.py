"""YouTube's resources as ours: counts come as strings, absent means hidden or untold, never zero."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from scraping.errors import BadResponse
from scraping.types import Count, Post, PostKind, Profile
from scraping.wire import Fields

VIEWS_BEFORE, VIEWS_SINCE = "youtube.views", "youtube.views.2026-08-27"
ONE_COUNTING = datetime(2026, 8, 27, tzinfo=UTC)
"""Since then a view counts when playing begins, for every format.

Reference: https://developers.google.com/youtube/v3/revision_history
"""

SHORT_SECONDS = 180
SHORT_SECONDS_BEFORE = 60
LONGER_SHORTS = datetime(2024, 10, 15, tzinfo=UTC)
"""Uploads since then may be Shorts of up to three minutes; older ones of up to one.

Reference: https://support.google.com/youtube/answer/15424877
"""

EXACT_BELOW = 1000
"""Subscribers are cut to three figures, so that smaller numbers are exact."""

_THUMBNAILS = ("maxres", "standard", "high", "medium", "default", "fhd", "qhd", "uhd")
_SHORT_THUMBNAIL = "shortsAspectRatio"
_UNSHOWN = {"Deleted video", "Private video"}

_ISO = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9}(?:\.\d+)?)S)?)?"
)
_PROTOBUF = re.compile(r"\d{1,9}(?:\.\d{1,9})?s")


# --- channels ------------------------------------------------------------------------------------


def channel(item: Fields, asked: str) -> Profile:
    """A channel as a profile. ``asked`` is the handle it was asked by. Raises BadResponse."""
    item.known(
        "kind", "etag", "id", "snippet", "statistics", "contentDetails", "brandingSettings",
        "status", "topicDetails", "localizations", "contentOwnerDetails", "auditDetails",
        "conversionPings",
    )  # fmt: skip
    channel_id = item.need("id")
    snippet = _part(item, "snippet").known(
        "title", "description", "customUrl", "publishedAt", "thumbnails", "localized", "country",
        "defaultLanguage",
    )  # fmt: skip
    numbers = _part(item, "statistics").known(
        "viewCount", "subscriberCount", "hiddenSubscriberCount", "videoCount", "commentCount"
    )
    handle = _handle(snippet, asked)
    return Profile(
        external_id=channel_id,
        handle=handle,
        display_name=(snippet.text("title") or "")[:300],
        bio=snippet.text("description"),
        avatar_url=_thumbnail(snippet),
        profile_url=f"https://www.youtube.com/channel/{channel_id}",
        followers=_subscribers(numbers),
        posts=_told(numbers, "videoCount"),
        views=_told(numbers, "viewCount"),
        extra={"uploads_playlist": _uploads(item, channel_id)},
    )


def _handle(snippet: Fields, asked: str) -> str:
    """The handle as the channel has it now; YouTube writes it in lower case."""
    told = (snippet.text("customUrl") or "").lstrip("@")
    return asked if told.lower() in {"", asked.lower()} else told[:120]


def _subscribers(numbers: Fields) -> Count:
    """Whatever stands beside ``hiddenSubscriberCount`` is stale or nothing."""
    if numbers.flag("hiddenSubscriberCount"):
        return Count.hidden()
    value = numbers.count("subscriberCount")
    if value is None:
        return Count.unknown()
    return Count.exact(value) if value < EXACT_BELOW else Count.rounded(value)


def _uploads(item: Fields, channel_id: str) -> str:
    """The playlist of uploads; its id is the channel's with UU for UC."""
    details = item.child("contentDetails")
    related = details.child("relatedPlaylists") if details else None
    told = related.ident("uploads") if related else None
    return told or f"UU{channel_id[2:]}"


# --- a playlist's entries ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A public video as the list of uploads shows it."""

    video_id: str
    published_at: datetime | None
    caption: str | None
    thumbnail_url: str | None


def entries(page: Fields) -> Iterator[Entry]:
    """The public videos of a page. Deleted and private ones are left out, odd ones are counted."""
    for index, value in enumerate(page.items("items")):
        try:
            item = Fields(
                value,
                platform=page.platform,
                source=page.source,
                path=f"items[{index}]",
                meter=page.meter,
            )
            entry = _entry(item)
        except BadResponse as bad:
            if page.meter is not None:
                page.meter.unknown(page.source, f"playlistItems {bad.field or 'item'}")
            continue
        if entry is not None:
            yield entry


def _entry(item: Fields) -> Entry | None:
    item.known("kind", "etag", "id", "snippet", "contentDetails", "status")
    snippet = _part(item, "snippet").known(
        "publishedAt", "channelId", "title", "description", "thumbnails", "channelTitle",
        "playlistId", "position", "resourceId", "videoOwnerChannelTitle", "videoOwnerChannelId",
    )  # fmt: skip
    details = _part(item, "contentDetails").known(
        "videoId", "videoPublishedAt", "startAt", "endAt", "note"
    )
    resource = snippet.child("resourceId")
    video_id = details.ident("videoId") or (resource.ident("videoId") if resource else None)
    published_at = details.time("videoPublishedAt")
    status = item.child("status")
    hidden = status is not None and status.text("privacyStatus") in {"private", "unlisted"}
    title = snippet.text("title")
    if video_id is None or hidden or (published_at is None and title in _UNSHOWN):
        return None
    return Entry(video_id, published_at, title, _thumbnail(snippet))


# --- videos --------------------------------------------------------------------------------------


def video(item: Fields, *, read_at: datetime) -> Post | None:
    """A ``youtube#video``. A field of a wrong type is named on the post and spoils nothing else."""
    item.known(
        "kind", "etag", "id", "snippet", "contentDetails", "status", "statistics", "player",
        "topicDetails", "recordingDetails", "fileDetails", "processingDetails", "suggestions",
        "liveStreamingDetails", "localizations", "ageGating", "monetizationDetails",
        "paidProductPlacementDetails", "projectDetails",
    )  # fmt: skip
    _declare(
        item, "snippet",
        "publishedAt", "channelId", "title", "description", "thumbnails", "channelTitle", "tags",
        "categoryId", "liveBroadcastContent", "localized", "defaultLanguage",
        "defaultAudioLanguage",
    )  # fmt: skip
    _declare(
        item, "statistics",
        "viewCount", "likeCount", "dislikeCount", "favoriteCount", "commentCount",
    )  # fmt: skip
    _declare(
        item, "contentDetails",
        "duration", "dimension", "definition", "caption", "licensedContent", "regionRestriction",
        "contentRating", "projection", "hasCustomThumbnail", "countryRestriction",
    )  # fmt: skip
    return _post(
        item,
        read_at,
        posted_at=lambda: _part(item, "snippet").time("publishedAt"),
        caption=lambda: _part(item, "snippet").text("title"),
        thumbnail_url=lambda: _thumbnail(_part(item, "snippet")),
        duration_seconds=lambda: _iso_seconds(_part(item, "contentDetails")),
    )


def stat(item: Fields, entry: Entry | None, *, read_at: datetime) -> Post | None:
    """A ``youtube#videoStats``, with what the list of uploads told of a new video."""
    item.known("kind", "etag", "id", "snippet", "statistics", "contentDetails")
    _declare(item, "snippet", "publishTime")
    _declare(item, "statistics", "viewCount", "likeCount", "commentCount")
    # The reference page has durationMillis, the discovery document has not.
    _declare(item, "contentDetails", "duration", "durationMillis")
    post = _post(
        item,
        read_at,
        posted_at=lambda: _part(item, "snippet").time("publishTime"),
        duration_seconds=lambda: _protobuf_seconds(_part(item, "contentDetails")),
    )
    if post is None or entry is None:
        return post
    listed = listed_only(entry)
    return replace(
        post,
        posted_at=post.posted_at or listed.posted_at,
        caption=listed.caption,
        thumbnail_url=listed.thumbnail_url,
    )


def listed_only(entry: Entry) -> Post:
    """A video whose numbers were not read yet."""
    return Post(
        external_id=entry.video_id,
        kind=PostKind.VIDEO,
        posted_at=entry.published_at,
        caption=entry.caption,
        url=_url(entry.video_id),
        thumbnail_url=entry.thumbnail_url,
        kind_confidence="guessed",
    )


def _post(item: Fields, read_at: datetime, **readers: Callable[[], Any]) -> Post | None:
    try:
        video_id = item.need("id")
    except BadResponse as bad:
        if item.meter is not None:
            item.meter.unknown(item.source, f"{bad.field.partition('.')[2] or 'item'} of a video")
        return None
    readers |= {
        "likes": lambda: _hideable(item, "likeCount"),
        "comments": lambda: _hideable(item, "commentCount"),
        "views": lambda: _told(_part(item, "statistics"), "viewCount"),
    }
    told: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for name, reader in readers.items():
        try:
            told[name] = reader()
        except BadResponse as bad:
            refused[name] = bad.detail[:300]
    seconds = told.pop("duration_seconds", None)
    kind, confidence = _kind(item, seconds, told.get("posted_at"))
    counted = VIEWS_SINCE if read_at >= ONE_COUNTING else VIEWS_BEFORE
    return Post(
        external_id=video_id,
        kind=kind,
        kind_confidence=confidence,
        duration_seconds=seconds or None,
        url=_url(video_id),
        view_definition=counted if "views" in told and told["views"].value is not None else "",
        partial=tuple(refused),
        note=next(reversed(refused.values()), ""),
        **told,
    )


def _kind(item: Fields, seconds: float | None, posted_at: datetime | None) -> tuple[PostKind, str]:
    """No field says "Short". The rule: a video that is short enough to be one is taken for one.

    What is longer can't be one, and a broadcast is declared. The numbers alone (videoStats) do not
    tell of broadcasts, except that one which has not ended has no duration.
    """
    snippet = item.value.get("snippet")
    told = snippet if isinstance(snippet, dict) else {}
    if told.get("liveBroadcastContent") in {"live", "upcoming"}:
        return PostKind.LIVE, "declared"
    thumbnails = told.get("thumbnails")
    if isinstance(thumbnails, dict) and _SHORT_THUMBNAIL in thumbnails:
        return PostKind.SHORT, "guessed"
    if seconds is None:
        return PostKind.VIDEO, "guessed"
    whole = "liveBroadcastContent" in told
    if not seconds:
        return (PostKind.VIDEO if whole else PostKind.LIVE), "guessed"
    older = posted_at is not None and posted_at < LONGER_SHORTS
    if seconds <= (SHORT_SECONDS_BEFORE if older else SHORT_SECONDS):
        return PostKind.SHORT, "guessed"
    return PostKind.VIDEO, "declared" if whole else "guessed"


def _url(video_id: str) -> str:
    """One that is right for Shorts too: what a guess made of it would change with the guess."""
    return f"https://www.youtube.com/watch?v={video_id}"


# --- pieces --------------------------------------------------------------------------------------


def _part(item: Fields, name: str) -> Fields:
    """A part of a resource; one that is not there is an empty one."""
    found = item.child(name)
    if found is not None:
        return found
    return Fields({}, platform=item.platform, source=item.source, path=f"{item.path}.{name}")


def _declare(item: Fields, name: str, *known: str) -> None:
    """Declare a part's fields, if it is an object; if it isn't, its readers will say so."""
    try:
        _part(item, name).known(*known)
    except BadResponse:
        pass


def _told(numbers: Fields, key: str) -> Count:
    return Count.of(numbers.count(key))


def _hideable(item: Fields, key: str) -> Count:
    """Left out of statistics that are there: the owner hides ratings, or has comments off."""
    numbers = item.child("statistics")
    if numbers is None:
        return Count.unknown()
    value = numbers.count(key)
    return Count.hidden() if value is None else Count.exact(value)


def _thumbnail(snippet: Fields) -> str | None:
    """The best picture of up to 1280 pixels. Channels of a day ago may have none."""
    pictures = snippet.child("thumbnails")
    if pictures is None:
        return None
    pictures.known(*_THUMBNAILS, _SHORT_THUMBNAIL)
    for name in _THUMBNAILS:
        picture = pictures.child(name)
        url = picture.text("url") if picture else None
        if url:
            return url
    return None


def _iso_seconds(details: Fields) -> float | None:
    """Seconds of ISO 8601 ``PT1H2M3S``; a broadcast that is to come has ``P0D``."""
    text = details.text("duration")
    if text is None:
        return None
    found = _ISO.fullmatch(text)
    if found is None:
        raise _odd_duration(details)
    part = {name: float(value or 0) for name, value in found.groupdict().items()}
    days = part["weeks"] * 7 + part["days"]
    return ((days * 24 + part["hours"]) * 60 + part["minutes"]) * 60 + part["seconds"]


def _protobuf_seconds(details: Fields) -> float | None:
    """Seconds of ``1267s``; the reference page also shows ISO 8601 there."""
    text = details.text("duration")
    if text is not None and _PROTOBUF.fullmatch(text):
        return float(text[:-1])
    return _iso_seconds(details)


def _odd_duration(details: Fields) -> BadResponse:
    path = f"{details.path}.duration"
    return BadResponse(
        f"{path} should be a duration",
        platform=details.platform,
        source=details.source,
        field=path,
    )
