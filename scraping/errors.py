"""Why a reading failed: facts, each with a fixed code, and whether trying again can help.

Failure
├── later (trying again by itself can help)
│   ├── RateLimited · QuotaExhausted · PlatformUnavailable · Blocked · BadResponse · Internal
└── never (a person must act)
    └── InvalidHandle · NotFound · PrivateAccount · UnsupportedAccount · ReauthRequired ·
        PermissionMissing · NotConfigured · IdentityChanged

The words that people read for each code are in ``socials.errors``.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class Failure(Exception):
    """A reading that did not succeed.

    ``detail`` is for staff and logs: plain words, no secret, no raw payload.
    ``field`` names the offending input or payload field, dotted.
    ``retry_at`` is the end of a limit where the platform tells it (aware UTC).
    ``setting`` names the environment variable that mends a configuration fault.
    """

    code: ClassVar[str] = "INTERNAL"
    later: ClassVar[bool] = True
    usual: ClassVar[str] = ""
    """The detail where none is given."""

    def __init__(
        self,
        detail: str = "",
        *,
        platform: str = "",
        source: str = "",
        field: str = "",
        setting: str = "",
        retry_at: datetime | None = None,
        bucket: str = "",
    ) -> None:
        detail = detail or self.usual
        super().__init__(detail)
        self.detail = detail
        self.platform = platform
        self.source = source
        self.field = field
        self.setting = setting
        self.retry_at = retry_at
        self.bucket = bucket

    def __str__(self) -> str:
        where = " ".join(part for part in (self.platform, self.source, self.field) if part)
        return f"{self.code} ({where}): {self.detail}" if where else f"{self.code}: {self.detail}"


class InvalidHandle(Failure):
    code = "INVALID_HANDLE"
    later = False


class NotFound(Failure):
    code = "NOT_FOUND"
    later = False


class PrivateAccount(Failure):
    code = "PRIVATE_ACCOUNT"
    later = False
    usual = "The account is private."


class UnsupportedAccount(Failure):
    code = "UNSUPPORTED_ACCOUNT"
    later = False


class ReauthRequired(Failure):
    """The grant is dead: raised only for a classified authorisation error."""

    code = "REAUTH_REQUIRED"
    later = False


class PermissionMissing(Failure):
    code = "PERMISSION_MISSING"
    later = False


class RateLimited(Failure):
    code = "RATE_LIMITED"


class QuotaExhausted(Failure):
    code = "QUOTA_EXHAUSTED"


class PlatformUnavailable(Failure):
    """5xx, time-outs, DNS and connection failures."""

    code = "PLATFORM_UNAVAILABLE"


class Blocked(Failure):
    """A login wall or captcha: asking again soon makes it worse."""

    code = "BLOCKED"


class BadResponse(Failure):
    """Not the documented shape: not JSON, a wrong type, too large."""

    code = "BAD_RESPONSE"


class NotConfigured(Failure):
    """No credentials, or credentials that the platform refuses: an operator must act."""

    code = "NOT_CONFIGURED"
    later = False


class IdentityChanged(Failure):
    code = "IDENTITY_CHANGED"
    later = False


class Internal(Failure):
    code = "INTERNAL"
