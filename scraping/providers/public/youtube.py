"""YouTube's public feed: the newest uploads of a channel with their views; no subscribers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from scraping.errors import BadResponse, NotFound, PlatformUnavailable
from scraping.handles import CHANNEL_ID
from scraping.providers.base import Outside
from scraping.providers.posts import YOUTUBE_VIEWS, Listed, listed
from scraping.providers.public.pages import PAGE, SOURCE, fetch
from scraping.types import MAX_COUNT, Count, Post, PostKind, Profile, ScrapedAccount
from scraping.wire import storable

PLATFORM = "YOUTUBE"
ATOM = "{http://www.w3.org/2005/Atom}"
YT = "{http://www.youtube.com/xml/schemas/2015}"
MEDIA = "{http://search.yahoo.com/mrss/}"
OWN_ID = re.compile(
    r"<link rel=\"canonical\" href=\"https://www\.youtube\.com/channel/(UC[A-Za-z0-9_-]{22})\""
    r"|\"externalId\":\"(UC[A-Za-z0-9_-]{22})\""
    r"|<meta itemprop=\"identifier\" content=\"(UC[A-Za-z0-9_-]{22})\""
)


def read(handle: str, post_limit: int, context: Outside) -> ScrapedAccount:
    """The channel as its feed tells it. Raises Failure."""
    base = context.settings["YOUTUBE_WEB_URL"].rstrip("/")
    channel_id = handle if CHANNEL_ID.fullmatch(handle) else _channel_id(base, handle, context)
    try:
        reply = fetch(
            f"{base}/feeds/videos.xml", PLATFORM, context,
            headers={**PAGE, "Accept": "application/atom+xml,text/xml"},
            params={"channel_id": channel_id},
        )  # fmt: skip
    except NotFound:
        # The feeds have had days of 404 for channels that were there all the time.
        raise PlatformUnavailable(
            "YouTube's feed answered HTTP 404, which says nothing of the channel",
            platform=PLATFORM,
            source=SOURCE,
        ) from None
    return _account(_feed(reply.body), handle, channel_id, post_limit, context)


def _channel_id(base: str, handle: str, context: Outside) -> str:
    path = handle if handle.startswith("user/") else f"@{handle}"
    page = fetch(f"{base}/{quote(path, safe='/@')}", PLATFORM, context).text()
    found = OWN_ID.search(page)
    if found is None:
        raise BadResponse(
            "the page names no channel", platform=PLATFORM, source=SOURCE, field="body"
        )
    return next(group for group in found.groups() if group)


def _feed(body: bytes) -> Element:
    try:
        root: Element = ElementTree.fromstring(body)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        root = Element("")
    if root.tag != f"{ATOM}feed":
        raise BadResponse("the feed is not Atom", platform=PLATFORM, source=SOURCE, field="body")
    return root


def _account(
    feed: Element, asked: str, channel_id: str, post_limit: int, context: Outside
) -> ScrapedAccount:
    entries = feed.findall(f"{ATOM}entry")
    found = [Listed(post) for entry in entries if (post := _post(entry))]
    posts, since = listed(found, limit=post_limit, total=None)
    profile = Profile(
        external_id=channel_id,
        handle=asked,
        display_name=_text(feed, f"{ATOM}title")[:300],
        profile_url=f"https://www.youtube.com/channel/{channel_id}",
    )
    return ScrapedAccount(profile, posts, SOURCE, context.clock(), ("followers",), since)


def _post(entry: Element) -> Post | None:
    video_id = _text(entry, f"{YT}videoId")[:120]
    if not video_id:
        return None
    link = entry.find(f"{ATOM}link")
    url = storable(link.get("href", "")) if link is not None else ""
    group = entry.find(f"{MEDIA}group")
    community = group.find(f"{MEDIA}community") if group is not None else None
    thumbnail = group.find(f"{MEDIA}thumbnail") if group is not None else None
    views = _count(community, f"{MEDIA}statistics", "views")
    return Post(
        external_id=video_id,
        kind=PostKind.SHORT if "/shorts/" in url else PostKind.VIDEO,
        posted_at=_time(_text(entry, f"{ATOM}published")),
        caption=_text(entry, f"{ATOM}title") or None,
        url=url or f"https://www.youtube.com/watch?v={video_id}",
        thumbnail_url=storable(thumbnail.get("url", "")) or None if thumbnail is not None else None,
        likes=_count(community, f"{MEDIA}starRating", "count", rounded=True),
        views=views,
        view_definition=YOUTUBE_VIEWS if views.value is not None else "",
        kind_confidence="declared",
    )


def _text(element: Element, path: str) -> str:
    return storable((element.findtext(path) or "").strip())


def _count(community: Element | None, path: str, attribute: str, *, rounded: bool = False) -> Count:
    """Fresh uploads have none yet: that is unknown, not zero."""
    element = community.find(path) if community is not None else None
    text = element.get(attribute, "") if element is not None else ""
    if not (text.isascii() and text.isdigit() and len(text) < 19) or int(text) > MAX_COUNT:
        return Count.unknown()
    return Count.rounded(int(text)) if rounded else Count.exact(int(text))


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
