"""Fetching an avatar from a platform's image servers, and from nowhere else.

Every hop must be https on an allow-listed host and connect to a public address; time, bytes and
redirects are bounded. Sandbox hosts (development only) may be plain http on this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
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
REDIRECTS = frozenset({301, 302, 303, 307, 308})
GONE = frozenset({401, 403, 404, 410})

PLACEHOLDERS = (
    "/44884218_345707102882519_2446069589734326272_n",  # Instagram's anonymous figure
    "static.cdninstagram.com/",
    "/1594805258216454~",  # TikTok's default
    "/musically-maliva-obj/1594805258216454",
    "/default-avatar",
    "/default_avatar",
    "via.placeholder.com/",
    "ui-avatars.com/",
    "lh3.googleusercontent.com/a/default-user",
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
        for _ in range(MAX_REDIRECTS + 1):
            reply = self._get(url)
            if reply.status not in REDIRECTS:
                return _content(reply)
            url = urljoin(url, reply.headers.get("location", ""))
            check(url, hosts, self._sandbox_hosts)
        raise Unreachable("The picture's server redirects in circles.")

    def _get(self, url: str) -> Reply:
        http = self._sandbox if urlsplit(url).netloc in self._sandbox_hosts else self._public
        try:
            return http.get(url, headers={"Accept": "image/webp,image/jpeg,image/png"})
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
