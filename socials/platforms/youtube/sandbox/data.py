"""The sandbox's Data API v3: four methods, each with the parameters that Google gives it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from socials.platforms.kit.sandbox import Account, Mood, Request, Response, memory
from socials.platforms.youtube.sandbox import refusals
from socials.platforms.youtube.sandbox.people import (
    Channel,
    Video,
    channel_by_handle,
    channel_by_id,
    etag,
    videos_by_id,
)

API_KEY = "sandbox-youtube-key"
TOKEN = "ya29.sandbox-"  # noqa: S105  the sandbox's own
"""An access token is this and the handle of its owner."""
MOST = 50
DEFAULT_PAGE = 5
SLOW_SECONDS = 3.0
FAILURES_BEFORE_FINE = 2

COMMON = frozenset(
    {"key", "access_token", "alt", "fields", "prettyPrint", "quotaUser", "userIp", "callback",
     "oauth_token", "uploadType", "upload_protocol", "$.xgafv"}
)  # fmt: skip

_PAGE_TOKEN = re.compile(r"CAUQ(\d{1,4})AA")


class Refused(Exception):
    """A request that Google would not answer."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Method:
    """What a method accepts."""

    answer: Callable[[Request, frozenset[str], datetime], Response]
    parts: frozenset[str]
    filters: tuple[str, ...]
    """Exactly one of them."""
    others: frozenset[str] = frozenset()


def handle(request: Request) -> Response:
    """A request below ``/youtube``."""
    method = METHODS.get(request.path.removeprefix("/youtube/v3/"))
    if method is None or request.method != "GET" or not request.path.startswith("/youtube/v3/"):
        return refusals.no_such_page(request.path)
    try:
        _check_credentials(request)
        _check_parameters(request.query, method)
        parts = _parts(request.query, method)
        return method.answer(request, parts, datetime.now(UTC))
    except Refused as refused:
        return refused.answer


def token_of(handle: str) -> str:
    """A good access token of this handle's owner."""
    return f"{TOKEN}{handle}"


# --- who asks, and what --------------------------------------------------------------------------


def _check_credentials(request: Request) -> None:
    token = request.bearer or request.query.get("access_token", "")
    if token:
        _owner(token)
        return
    if not request.query.get("key"):
        raise Refused(refusals.no_key())
    if request.query["key"] != API_KEY:
        raise Refused(refusals.invalid_key())


def _owner(token: str) -> str:
    """The handle that a token speaks for."""
    handle = token.removeprefix(TOKEN)
    if not token.startswith(TOKEN) or Account("YOUTUBE", handle).mood is Mood.EXPIRED:
        raise Refused(refusals.invalid_token())
    return handle


def _check_parameters(query: Mapping[str, str], method: Method) -> None:
    for name in query:
        if name not in {"part", *method.filters, *method.others, *COMMON}:
            raise Refused(refusals.unknown_parameter(name))
    given = [name for name in method.filters if name in query]
    if not given:
        raise Refused(refusals.no_filter(", ".join(method.filters)))
    if len(given) > 1:
        raise Refused(refusals.incompatible(", ".join(given)))
    if "maxResults" in query and "maxResults" in method.others:
        value = query["maxResults"]
        if not value.isdecimal() or int(value) > MOST:
            raise Refused(refusals.out_of_range("maxResults", value, 0, MOST))


def _parts(query: Mapping[str, str], method: Method) -> frozenset[str]:
    if not query.get("part"):
        raise Refused(refusals.missing("part"))
    parts = frozenset(query["part"].split(","))
    for name in parts - method.parts:
        raise Refused(refusals.unknown_part(name))
    return parts


def _ids(query: Mapping[str, str]) -> list[str]:
    ids = list(dict.fromkeys(query.get("id", "").split(",")))
    if len(ids) > MOST:
        raise Refused(refusals.too_many_ids())
    return ids


# --- methods -------------------------------------------------------------------------------------


def _channels(request: Request, parts: frozenset[str], now: datetime) -> Response:
    query, origin = request.query, request.origin
    if "id" in query:
        found = [channel_by_id(wanted, now, origin) for wanted in _ids(query)]
    elif "mine" in query:
        if not (request.bearer or "access_token" in query):
            raise Refused(refusals.login_required())
        owner = _owner(request.bearer or query["access_token"])
        found = [channel_by_handle(owner, now, origin)]
    elif "forHandle" in query:
        found = [channel_by_handle(query["forHandle"].removeprefix("@"), now, origin)]
    else:
        found = [channel_by_handle(f"user/{query['forUsername']}", now, origin)]
    channels = list({channel.id: channel for channel in found if channel}.values())
    size = int(query.get("maxResults", DEFAULT_PAGE))
    first = _first(query)
    page = channels[first : first + size]
    body = _listing(
        "channelListResponse", [c.resource(parts) for c in page], total=len(channels), size=size
    )
    if not page:
        # A list of channels without any has no items at all; other lists have an empty one.
        del body["items"]
    if first + size < len(channels):
        body["nextPageToken"] = _page_token(first + size)
    return _answer(channels, body)


def _uploads(request: Request, parts: frozenset[str], now: datetime) -> Response:
    query = request.query
    wanted = query.get("playlistId", "")
    channel = channel_by_id(f"UC{wanted[2:]}", now, request.origin) if wanted[:2] == "UU" else None
    if channel is None or channel.never_uploaded:
        raise Refused(refusals.playlist_not_found())
    size, first = int(query.get("maxResults", DEFAULT_PAGE)), _first(query)
    last = min(first + size, len(channel.slots))
    entries = [channel.entry(place) for place in range(first, last)]
    told = [
        {name: value for name, value in entry.items() if name in parts | {"kind", "etag", "id"}}
        for entry in entries
    ]
    body = _listing("playlistItemListResponse", told, total=len(channel.slots), size=size)
    if last < len(channel.slots):
        body["nextPageToken"] = _page_token(last)
    if first:
        body["prevPageToken"] = _page_token(max(first - size, 0))
    return _answer([channel], body)


def _videos(request: Request, parts: frozenset[str], now: datetime) -> Response:
    if "maxResults" in request.query or "pageToken" in request.query:
        raise Refused(refusals.incompatible("id, maxResults, pageToken"))
    videos = _found(request, now)
    body = _listing(
        "videoListResponse",
        [v.resource(parts) for v in videos],
        total=len(videos),
        size=len(videos),
    )
    return _answer([video.channel for video in videos], body)


def _stats(request: Request, parts: frozenset[str], now: datetime) -> Response:
    videos = _found(request, now)
    items = [video.stat(parts) for video in videos]
    body = {
        "kind": "youtube#batchGetStatsResponse",
        "etag": etag(str(items)),
        "items": items,
    }
    return _answer([video.channel for video in videos], body)


def _found(request: Request, now: datetime) -> list[Video]:
    return videos_by_id(_ids(request.query), now, request.origin)


METHODS: dict[str, Method] = {
    "channels": Method(
        _channels,
        frozenset(
            {"id", "snippet", "contentDetails", "statistics", "status", "brandingSettings",
             "topicDetails", "localizations"}
        ),
        ("id", "forHandle", "forUsername", "mine"),
        frozenset({"maxResults", "pageToken", "hl"}),
    ),
    "playlistItems": Method(
        _uploads,
        frozenset({"id", "snippet", "contentDetails", "status"}),
        ("playlistId",),
        frozenset({"maxResults", "pageToken", "videoId"}),
    ),
    "videos": Method(
        _videos,
        frozenset({"id", "snippet", "contentDetails", "statistics", "status", "player"}),
        ("id",),
        frozenset({"maxResults", "pageToken", "hl", "maxHeight", "maxWidth"}),
    ),
    "videos:batchGetStats": Method(
        _stats,
        frozenset({"id", "snippet", "statistics", "contentDetails"}),
        ("id",),
        frozenset({"onBehalfOfContentOwner"}),
    ),
}  # fmt: skip


# --- answers -------------------------------------------------------------------------------------


def _listing(kind: str, items: list[dict[str, Any]], *, total: int, size: int) -> dict[str, Any]:
    return {
        "kind": f"youtube#{kind}",
        "etag": etag(kind, str(items)),
        "items": items,
        "pageInfo": {"totalResults": total, "resultsPerPage": size},
    }


def _answer(channels: Iterable[Channel], body: dict[str, Any]) -> Response:
    """The answer in the mood of a channel that is asked about alone.

    A moody one among others spoils nothing: it would be the whole of YouTube that misbehaves.
    """
    accounts = {channel.account for channel in channels}
    account = accounts.pop() if len(accounts) == 1 else Account("YOUTUBE", "")
    match account.mood:
        case Mood.DOWN:
            return refusals.down()
        case Mood.RATELIMITED:
            return refusals.too_fast()
        case Mood.GARBLED:
            return refusals.garbled()
        case Mood.FLAKY:
            if memory.times(f"youtube|flaky|{account.handle}") < FAILURES_BEFORE_FINE:
                return refusals.down()
    delay = SLOW_SECONDS if account.mood is Mood.SLOW and "hannelList" in body["kind"] else 0.0
    return replace(Response.of(body), delay_seconds=delay)


def _first(query: Mapping[str, str]) -> int:
    """The place that a page begins at."""
    token = query.get("pageToken")
    if token is None:
        return 0
    found = _PAGE_TOKEN.fullmatch(token)
    if found is None:
        raise Refused(refusals.invalid_page_token())
    return int(found[1])


def _page_token(place: int) -> str:
    return f"CAUQ{place}AA"
