"""What a refusal means for us: Google's reasons, not its HTTP statuses, become our closed set.

Reference: https://developers.google.com/youtube/v3/docs/errors
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from scraping.errors import (
    BadResponse,
    Failure,
    Internal,
    NotConfigured,
    NotFound,
    PermissionMissing,
    PlatformUnavailable,
    PrivateAccount,
    QuotaExhausted,
    RateLimited,
    ReauthRequired,
)
from scraping.http import Reply
from scraping.wire import plain_word

PLATFORM = "YOUTUBE"
SOURCE = "youtube_data"
KEY, CLIENT = "YOUTUBE_API_KEY", "GOOGLE_CLIENT_ID"

UNITS, STATS = "youtube.units", "youtube.stats"
"""The buckets of Google's quota that we spend from."""

DAILY = frozenset({"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"})
PACED = frozenset(
    {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED",
     "servingLimitExceeded", "concurrentLimitExceeded", "limitExceeded"}
)  # fmt: skip
# 403 SERVICE_UNAVAILABLE is odd and real.
OUTAGE = frozenset(
    {"SERVICE_UNAVAILABLE", "UNAVAILABLE", "INTERNAL", "backendError", "internalError", "internal"}
)
BAD_KEY = frozenset({"API_KEY_INVALID", "keyInvalid", "keyExpired"})
NOT_ENABLED = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
BLOCKED_KEY = frozenset(
    {"ipRefererBlocked", "refererBlocked", "CONSUMER_SUSPENDED", "CONSUMER_INVALID", "USER_PROJECT_DENIED"}
)  # fmt: skip
DEAD_GRANT = frozenset({"authError", "required", "UNAUTHENTICATED", "invalidCredentials"})
NO_CHANNEL = frozenset({"youtubeSignupRequired"})
SCOPES = frozenset(
    {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "accountDelegationForbidden"}
)
GONE = frozenset(
    {"channelClosed", "channelSuspended", "channelNotFound", "authenticatedUserAccountClosed",
     "authenticatedUserAccountSuspended", "playlistNotFound", "videoNotFound"}
)  # fmt: skip
CLOSED_OFF = frozenset(
    {"channelForbidden", "playlistItemsNotAccessible", "playlistForbidden", "videoForbidden"}
)
OUR_QUESTION = frozenset(
    {"missingRequiredParameter", "invalidPageToken", "incompatibleParameters", "invalidFilters",
     "unexpectedParameter", "invalidParameter", "unknownPart", "invalidValue", "unsupportedParameter"}
)  # fmt: skip

_PACIFIC = "America/Los_Angeles"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Google's error envelope, as far as it could be read."""

    status: int
    reasons: tuple[str, ...] = ()
    """Every reason and status it names, the most telling first."""
    quota_unit: str = ""
    """``1/d/{project}``, ``1/min/{project}/{user}`` …"""
    location: str = ""
    unregistered: bool = False
    """It saw no key at all."""

    @classmethod
    def of(cls, reply: Reply) -> Refusal:
        try:
            body = reply.json()
        except BadResponse:
            body = None
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return cls(reply.status)
        listed = [*_objects(error, "errors")]
        details = [*_objects(error, "details")]
        named = [
            *(detail.get("reason") for detail in details),
            *(one.get("reason") for one in listed),
            error.get("status"),
        ]
        metadata: dict[str, Any] = next(
            (d["metadata"] for d in details if isinstance(d.get("metadata"), dict)), {}
        )
        return cls(
            reply.status,
            tuple(
                dict.fromkeys(plain_word(name) for name in named if isinstance(name, str) and name)
            ),
            quota_unit=str(metadata.get("quota_unit") or ""),
            location=plain_word(str(listed[0].get("location") or "")) if listed else "",
            unregistered="unregistered callers" in str(error.get("message")),
        )

    def says(self, *sets: frozenset[str]) -> bool:
        return any(reason in each for reason in self.reasons for each in sets)

    @property
    def told(self) -> str:
        """What staff may read of it: status and reason, never Google's own sentence (which may
        quote the key)."""
        reason = next((r for r in self.reasons if r != "forbidden"), "")
        return f"HTTP {self.status}, {reason}" if reason else f"HTTP {self.status}"


def failure(reply: Reply, *, bucket: str, now: datetime, granted: bool) -> Failure:
    """The typed failure of a refusal. ``granted``: it was asked with a talent's token."""
    refusal = Refusal.of(reply)
    kind, words, more = _meaning(refusal, granted=granted)
    if issubclass(kind, (RateLimited, QuotaExhausted)):
        more |= _end(refusal, reply, bucket, now)
    elif kind is PlatformUnavailable:
        more["retry_at"] = reply.retry_at(now)
    return kind(f"{words} ({refusal.told})", platform=PLATFORM, source=SOURCE, **more)


def next_reset(now: datetime) -> datetime:
    """The next midnight in California, when Google's daily quotas begin anew (aware UTC)."""
    local = now.astimezone(ZoneInfo(_PACIFIC))
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(now.tzinfo)


def _meaning(refusal: Refusal, *, granted: bool) -> tuple[type[Failure], str, dict[str, Any]]:
    """Kind, words and what else is known. The order matters: a limit may be a 403, an outage too."""
    says = refusal.says
    if says(DAILY) or (refusal.status in {403, 429} and refusal.quota_unit.startswith("1/d")):
        return QuotaExhausted, "Google's daily quota for this is used up", {}
    if refusal.status == 429 or says(PACED):
        return RateLimited, "Google asked us to slow down", {}
    if refusal.status >= 500 or says(OUTAGE):
        return PlatformUnavailable, "YouTube has a passing fault", {}
    if set_up := _set_up(refusal, granted=granted):
        return NotConfigured, set_up[1], {"setting": set_up[0]}
    if says(NO_CHANNEL):
        return NotFound, "This Google account has no YouTube channel", {}
    if granted and (refusal.status == 401 or says(DEAD_GRANT)):
        return ReauthRequired, "The talent's permission has ended", {}
    if says(SCOPES):
        return PermissionMissing, "A permission was not granted", {}
    if says(GONE):
        return NotFound, "YouTube shows no such channel", {}
    if says(CLOSED_OFF):
        return PrivateAccount, "YouTube does not show this to the public", {}
    if says(OUR_QUESTION):
        return Internal, "YouTube does not understand our question", {"field": refusal.location}
    return BadResponse, "YouTube refused in a way that we don't know", {"field": "error"}


def _set_up(refusal: Refusal, *, granted: bool) -> tuple[str, str] | None:
    """The setting that must be mended, and how; None when the set-up is not to blame."""
    setting = CLIENT if granted else KEY
    if refusal.says(NOT_ENABLED):
        return (
            setting,
            f"Switch on the YouTube Data API v3 in the Google Cloud project of {setting}",
        )
    if refusal.says(BLOCKED_KEY) or any(
        reason.startswith("API_KEY_") and reason.endswith("_BLOCKED") for reason in refusal.reasons
    ):
        return setting, f"Google does not accept {setting} from this server or for this API; check its restrictions"  # fmt: skip
    if refusal.says(BAD_KEY):
        return KEY, f"Google does not know the key in {KEY}; check it"
    if not granted and (refusal.status == 401 or refusal.unregistered):
        return KEY, f"Google wants a key; check {KEY}"
    return None


def _end(refusal: Refusal, reply: Reply, bucket: str, now: datetime) -> dict[str, Any]:
    """When a limit ends, if that is known, and the bucket where all readings share the limit."""
    if refusal.says(DAILY) or refusal.quota_unit.startswith("1/d"):
        return {"retry_at": next_reset(now), "bucket": bucket}
    told = reply.retry_at(now)
    if told is None and refusal.quota_unit.startswith("1/min"):
        told = now + timedelta(minutes=1)
    shared = refusal.quota_unit.endswith("{project}")
    return {"retry_at": told, "bucket": bucket if shared else ""}


def _objects(error: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    value = error.get(key)
    yield from (one for one in (value if isinstance(value, list) else []) if isinstance(one, dict))
