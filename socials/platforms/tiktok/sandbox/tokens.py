"""Who the sandbox knows: its client, scopes, codes and tokens, which carry all that they say."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from datetime import UTC, datetime

from socials.platforms.kit.sandbox import memory

CLIENT_KEY = "sandbox-tiktok-client"
CLIENT_SECRET = "sandbox-tiktok-secret"  # noqa: S105  the sandbox's own
ACCESS_SECONDS, REFRESH_SECONDS = 7_200, 15_552_000
CLASSIC_SECONDS = (86_400, 31_536_000)
"""The lifetimes of the older documentation: for handles that begin with ``classic``."""

SCOPES = {
    "b": "user.info.basic", "p": "user.info.profile", "s": "user.info.stats", "v": "video.list",
}  # fmt: skip


def access_token(handle: str, *, scopes: str = "bpsv", seconds: int = ACCESS_SECONDS) -> str:
    """A good token. ``scopes``: b, p, s, v for basic, profile, stats and video.list."""
    # To the nanosecond: no two are alike, so that one may be revoked and the other not.
    return f"act.sandbox~{scopes}~{time.time_ns() + seconds * 10**9}~{handle}"


def refresh_token(handle: str, *, scopes: str = "bpsv") -> str:
    return f"rft.sandbox~{scopes}~{time.time_ns()}~{handle}"


def open_id(handle: str) -> str:
    digest = hashlib.sha256(f"tiktok|{handle.lower()}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def read(token: str, kind: str) -> tuple[str, int, str] | None:
    """(scopes, number, handle) of one of our tokens."""
    parts = token.split("~")
    if len(parts) != 4 or parts[0] != f"{kind}.sandbox" or not parts[2].isdecimal():
        return None
    return parts[1], int(parts[2]), parts[3]


def new_code(handle: str, scopes: str, redirect_uri: str) -> str:
    """With a ``*`` and a ``!``, as TikTok's own."""
    held = json.dumps([handle, scopes, _digest(redirect_uri), time.time_ns()])
    return base64.urlsafe_b64encode(held.encode()).decode().rstrip("=") + "*0!6410"


def of_code(code: str, redirect_uri: str) -> tuple[str, str] | str:
    """(handle, scopes) of a code, or what is wrong with it."""
    text, _, tail = code.partition("*")
    try:
        name, scopes, digest, _ = json.loads(
            base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        )
    except (ValueError, TypeError):
        return "Authorization code is expired."
    if tail != "0!6410" or memory.times(f"tiktok|code|{code}"):
        return "Authorization code is expired."
    if digest != _digest(redirect_uri):
        return "Redirect_uri is not matched with the uri when requesting code."
    return str(name), str(scopes)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def log_id() -> str:
    return (
        datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        + "0101300620725"
        + f"{time.time_ns() % 10**5:05d}"
    )
