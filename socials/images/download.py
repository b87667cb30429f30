"""Fetching an avatar from a platform's image servers, and from nowhere else.

Every hop must be https on an allow-listed host and connect to a public address; redirects, bytes
and the time of all hops together are bounded. Sandbox hosts (development only) may be plain http on
this machine.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from scraping.errors import BadResponse, PlatformUnavailable
from scraping.http import Http, Limits, Reply
from socials.images.pixels import MAX_BYTES
from socials.images.refusals import (
    Expired,
    HostRefused,
    NoImage,
    NotAnImage,
    Placeholder,
    TooLarge,
    Unreachable,
)

MAX_REDIRECTS = 3
LIMITS = Limits(connect_seconds=3, read_seconds=5, total_seconds=8, max_bytes=MAX_BYTES)
ACCEPT = "image/webp,image/jpeg,image/png"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
GONE = frozenset({401, 403, 404, 410})

PLACEHOLDERS = (
    # Instagram: the anonymous figure, its successor of 2024, and the word for both in their queries
    "/44884218_345707102882519_2446069589734326272_n",
    "/464760996_1254146839119862_3605321457742435801_n",
    "ig_cache_key=YW5vbnltb3VzX3Byb2ZpbGVfcGlj",
    "/anonymousUser",
    "static.cdninstagram.com/",
    "-obj/1594805258216454",  # TikTok's figure, whatever its size
    "/1594805258216454~",
    "/a/default-user",  # YouTube's and Google's
    "/a-/default-user",
    "/default-avatar",
    "/default_avatar",
    "via.placeholder.com/",
    "ui-avatars.com/",
)


class Downloader:
    """Downloads images for one process. ``public`` refuses private addresses at connect time."""

    def __init__(self, *, sandbox_hosts: Sequence[str] = ()) -> None:
        self._sandbox_hosts = frozenset(sandbox_hosts)
        self._public = Http(LIMITS, public_only=True)
        self._sandbox = Http(LIMITS)

    def fetch(self, url: str, hosts: Sequence[str]) -> bytes:
        """The image's bytes, not decoded. ``hosts`` are suffixes with a leading dot.

        Raises ImageRefused.
        """
        check(url, hosts, self._sandbox_hosts)
        until = time.monotonic() + LIMITS.total_seconds
        for _ in range(MAX_REDIRECTS + 1):
            reply = self._get(url, seconds=until - time.monotonic())
            if reply.status not in REDIRECTS:
                return _content(reply)
            url = urljoin(url, reply.headers.get("location", ""))
            check(url, hosts, self._sandbox_hosts)
        raise Unreachable("The picture's server redirects in circles.")

    def _get(self, url: str, *, seconds: float) -> Reply:
        http = self._sandbox if urlsplit(url).netloc in self._sandbox_hosts else self._public
        limits = replace(LIMITS, total_seconds=seconds)
        try:
            return http.get(url, headers={"Accept": ACCEPT}, limits=limits)
        except BadResponse:
            raise TooLarge from None
        except PlatformUnavailable:
            raise Unreachable from None


def check(url: str, hosts: Sequence[str], sandbox_hosts: frozenset[str] = frozenset()) -> None:
    """Whether the URL may be asked at all. Raises NoImage, Placeholder or HostRefused."""
    if not url:
        raise NoImage
    if any(mark in url for mark in PLACEHOLDERS):
        raise Placeholder
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        raise HostRefused from None
    if parts.username or parts.password:
        raise HostRefused
    if parts.netloc in sandbox_hosts and parts.scheme in ("http", "https"):
        return
    allowed = any(host.endswith(suffix) for suffix in hosts)
    if parts.scheme != "https" or not allowed or port not in (None, 443):
        raise HostRefused


def _content(reply: Reply) -> bytes:
    if reply.status in GONE:
        raise Expired
    if not reply.ok:
        raise Unreachable
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and not kind.startswith("image/") and kind != "application/octet-stream":
        raise NotAnImage("The picture's server sent something that isn't an image.")
    if not reply.body:
        raise NoImage
    return reply.body
