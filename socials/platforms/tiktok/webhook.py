"""TikTok's webhook: its signature, its age, and the one event that concerns us.

Reference: https://developers.tiktok.com/doc/webhooks-verification
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from socials.platforms.kit.callbacks import Forged

LONGEST_AGE = timedelta(minutes=5)
RETRIED_FOR = timedelta(hours=73)
"""TikTok repeats a message for 72 hours."""
CLOCKS_DIFFER = timedelta(seconds=5)
REMOVED = "authorization.removed"
REASONS = {
    0: "for a reason that TikTok does not tell",
    1: "because the talent disconnected us there",
    2: "because the account was deleted",
    3: "because the talent's age changed",
    4: "because the account was banned",
    5: "because we gave the permission back",
}


@dataclass(frozen=True, slots=True)
class Event:
    """A message that is TikTok's own."""

    name: str
    open_id: str
    reason: str
    at: datetime | None
    """When it happened, where that can be told apart from an example's date."""


def read(header: str, body: bytes, *, client_key: str, secret: str, now: datetime) -> Event:
    """The message of a request. Raises Forged."""
    _verify(header, body, secret, now)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Forged("the body is not JSON") from None
    if not isinstance(told, dict) or not isinstance(told.get("event"), str):
        raise Forged("the body names no event")
    if told.get("client_key") not in (None, client_key):
        raise Forged("the message is for another app")
    open_id = told.get("user_openid")
    return Event(
        told["event"],
        open_id[:120] if isinstance(open_id, str) else "",
        _reason(told.get("content")),
        _moment(told.get("create_time"), now),
    )


def _verify(header: str, body: bytes, secret: str, now: datetime) -> None:
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    stamp, given = parts.get("t", ""), parts.get("s", "")
    if not (secret and stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise Forged("TikTok-Signature is not t=…,s=…")
    right = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right.encode(), given.encode()):
        raise Forged("the signature is not TikTok's")
    if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > LONGEST_AGE:
        raise Forged("the message is older than five minutes")


def _reason(content: Any) -> str:
    """``content`` is JSON within JSON."""
    try:
        told = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        told = None
    number = told.get("reason") if isinstance(told, dict) else None
    return REASONS.get(number if isinstance(number, int) else 0, REASONS[0])


def _moment(seconds: Any, now: datetime) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        return None
    if not (now - RETRIED_FOR).timestamp() < seconds < (now + LONGEST_AGE).timestamp():
        return None
    return datetime.fromtimestamp(seconds, UTC) + CLOCKS_DIFFER
