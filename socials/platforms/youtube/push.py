"""YouTube's push (WebSub): asking the hub for a channel's news, and reading what it sends.

Reference: https://developers.google.com/youtube/v3/guides/push_notifications
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from scraping.errors import BadResponse, PlatformUnavailable, RateLimited
from scraping.handles import CHANNEL_ID
from socials.platforms.youtube.failures import PLATFORM
from socials.types import Context

SOURCE = "youtube_push"
TOPIC = "https://www.youtube.com/xml/feeds/videos.xml?channel_id="
LEASE = timedelta(days=9)
"""What we ask for; the hub gives ten days at the most, and five when it is not asked."""
MOST_NOTICES = 200

# Translations of the guide have the second form; notifications carry the first.
_TOPIC = re.compile(
    r"https?://www\.youtube\.com/(?:xml/)?feeds/videos\.xml\?channel_id=(UC[A-Za-z0-9_-]{22})"
)
_CHANNEL_URL = re.compile(r"https?://www\.youtube\.com/channel/(UC[A-Za-z0-9_-]{22})/?")
_VIDEO_REF = re.compile(r"yt:video:([A-Za-z0-9_-]{1,64})")
_METHODS = {"sha1", "sha256", "sha384", "sha512"}

_ATOM = "{http://www.w3.org/2005/Atom}"
_YT = "{http://www.youtube.com/xml/schemas/2015}"
_TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}"


@dataclass(frozen=True, slots=True)
class Question:
    """The hub asks whether a subscription (or its end) is wanted, or says that it is denied."""

    mode: str
    """``subscribe``, ``unsubscribe`` or ``denied``."""
    channel_id: str
    challenge: str = ""
    lease: timedelta | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A video of a channel came, changed, or went; a notification does not say which of the first."""

    channel_id: str
    video_id: str
    deleted: bool = False


def topic(channel_id: str) -> str:
    """What a channel's news are called at the hub."""
    return f"{TOPIC}{channel_id}"


def channel_of(topic: str) -> str:
    """The channel of a topic in either of its forms; "" for anything else."""
    found = _TOPIC.fullmatch(topic.strip())
    return found[1] if found else ""


def ask(
    context: Context, channel_id: str, *, callback: str, secret: str, mode: str = "subscribe"
) -> None:
    """Ask the hub to begin or end sending a channel's news; it will ask back at the callback.

    Raises RateLimited or PlatformUnavailable with the time to come again, or BadResponse when the
    hub does not take the request.
    """
    reply = context.http.post(
        context.settings["YOUTUBE_HUB_URL"],
        platform=PLATFORM,
        headers={"Accept": "*/*"},
        data={
            "hub.callback": callback,
            "hub.mode": mode,
            "hub.topic": topic(channel_id),
            "hub.verify": "async",
            "hub.secret": secret,
            "hub.lease_seconds": str(int(LEASE.total_seconds())),
        },
    )
    if reply.ok:
        return
    retry_at = reply.retry_at(context.clock())
    said = f"the push hub answered HTTP {reply.status}"
    if reply.status == 429:
        raise RateLimited(said, platform=PLATFORM, source=SOURCE, retry_at=retry_at)
    if reply.status >= 500:
        raise PlatformUnavailable(said, platform=PLATFORM, source=SOURCE, retry_at=retry_at)
    raise BadResponse(said, platform=PLATFORM, source=SOURCE, field="status")


def question(query: Mapping[str, str]) -> Question | None:
    """The hub's question in a callback's parameters; None when it is none."""
    mode, channel_id = query.get("hub.mode", ""), channel_of(query.get("hub.topic", ""))
    if not channel_id:
        return None
    if mode == "denied":
        return Question(mode, channel_id, reason=query.get("hub.reason", "")[:200])
    challenge = query.get("hub.challenge", "")
    if mode not in {"subscribe", "unsubscribe"} or not 0 < len(challenge) <= 1000:
        return None
    seconds = query.get("hub.lease_seconds", "")
    told = seconds.isascii() and seconds.isdigit() and len(seconds) < 9
    return Question(mode, channel_id, challenge, timedelta(seconds=int(seconds)) if told else None)


def is_genuine(body: bytes, header: str, secret: str) -> bool:
    """Whether ``X-Hub-Signature`` proves that the body comes from who knows the secret."""
    method, _, given = header.strip().partition("=")
    if method not in _METHODS or not secret:
        return False
    right = hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()
    return hmac.compare_digest(right.encode(), given.strip().lower().encode())


def notices(body: bytes) -> tuple[Notice, ...]:
    """What a notification tells, once for each video. Raises BadResponse when it is no Atom feed."""
    try:
        feed: Element = ElementTree.fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        feed = Element("")
    if feed.tag != f"{_ATOM}feed":
        raise BadResponse(
            "the notification is not an Atom feed", platform=PLATFORM, source=SOURCE, field="body"
        )
    found = dict.fromkeys([*_entries(feed), *_tombstones(feed)])
    return tuple(found)[:MOST_NOTICES]


def _entries(feed: Element) -> Iterator[Notice]:
    for entry in feed.findall(f"{_ATOM}entry"):
        channel_id = (entry.findtext(f"{_YT}channelId") or "").strip()
        video_id = (entry.findtext(f"{_YT}videoId") or "").strip()[:64]
        if CHANNEL_ID.fullmatch(channel_id) and video_id:
            yield Notice(channel_id, video_id)


def _tombstones(feed: Element) -> Iterator[Notice]:
    """Deleted, or made private. They name no channel but in the address of who did it."""
    for gone in feed.findall(f"{_TOMBSTONE}deleted-entry"):
        video = _VIDEO_REF.fullmatch(gone.get("ref", ""))
        owner = gone.findtext(f"{_TOMBSTONE}by/{_ATOM}uri") or ""
        channel = _CHANNEL_URL.fullmatch(owner.strip())
        if video and channel:
            yield Notice(channel[1], video[1], deleted=True)
