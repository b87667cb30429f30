"""One Graph host as one token sees it: requests that tell no secret, refusals as they were worded.

Reference: https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from scraping.errors import BadResponse, PlatformUnavailable, RateLimited
from scraping.http import Reply
from scraping.wire import storable
from socials.platforms.instagram import usage
from socials.types import Context

PLATFORM = "INSTAGRAM"

# What Meta's tokens look like, and any parameter that holds a secret: messages may quote them.
_SECRETS = re.compile(
    r"(?:IG|EA)[A-Za-z0-9_-]{16,}"
    r"|(?P<name>access_token|client_secret|appsecret_proof|code)=[^&\s\"']+"
)


_RETIRED = re.compile(r"nonexisting field \((\w+)\)")


@dataclass(eq=False)
class Refusal(Exception):
    """An error envelope as the platform sent it, without the secrets that it may quote.

    ``retry_at`` is the end of a limit, where this answer's headers tell it.
    """

    code: int
    subcode: int = 0
    message: str = ""
    kind: str = ""
    transient: bool = False
    status: int = 400
    trace: str = ""
    retry_at: datetime | None = None

    @classmethod
    def of(cls, error: Mapping[str, Any], **facts: Any) -> Self:
        return cls(
            code=_integer(error.get("code")),
            subcode=_integer(error.get("error_subcode")),
            message=_text(error.get("message"))[:300],
            kind=_text(error.get("type")),
            transient=error.get("is_transient") is True,
            trace=_text(error.get("fbtrace_id"))[:60],
            **facts,
        )

    @property
    def retired_field(self) -> str:
        """The asked field that this version of the API does not know; "" for another refusal."""
        found = _RETIRED.search(self.message) if self.code == 100 else None
        return found[1] if found else ""

    @property
    def number(self) -> str:
        return f"{self.code}/{self.subcode}" if self.subcode else f"{self.code}"

    def __str__(self) -> str:
        trace = f", trace {self.trace}" if self.trace else ""
        return f"{self.message or 'no message'} (code {self.number}, HTTP {self.status}{trace})"


@dataclass(frozen=True, slots=True)
class Graph:
    """GET requests to one host with one token."""

    context: Context
    source: str
    base_url: str
    token: str
    app_secret: str = ""
    """Signs each call (``appsecret_proof``) where the app requires it; empty: unsigned."""
    shared: bool = False
    """Whether all readings of this source use this token, and so its limits."""
    _ends: list[datetime] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Graph({self.base_url}, {self.source})"

    @property
    def full_until(self) -> datetime | None:
        """The end of a limit that an answer called used up: asking on would only prolong it."""
        return max(self._ends, default=None)

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """The answer's object.

        Raises Refusal (the documented envelope), RateLimited or PlatformUnavailable (an answer
        without envelope) or BadResponse (neither JSON nor an object).
        """
        self.context.meter.call()
        reply = self.context.http.get(
            self._url(path), params={**params, **self._credentials()}, platform=PLATFORM
        )
        now = self.context.clock()
        told = usage.observe(reply, self.context.meter, self.source, now, shared=self.shared)
        if told is not None:
            self._ends.append(told)
        return answer(reply, self.source, reply.retry_at(now) or told, secret=self.token)

    def _url(self, path: str) -> str:
        version = self.context.settings.get("META_GRAPH_VERSION", "").removeprefix("v")
        return "/".join(filter(None, (self.base_url.rstrip("/"), version and f"v{version}", path)))

    def _credentials(self) -> dict[str, str]:
        # The documents' examples send the token as a parameter, on both hosts.
        if not self.app_secret:
            return {"access_token": self.token}
        proof = appsecret_proof(self.app_secret, self.token)
        return {"access_token": self.token, "appsecret_proof": proof}


def answer(
    reply: Reply, source: str, retry_at: datetime | None = None, *, secret: str = ""
) -> dict[str, Any]:
    """The object of a reply. Raises as ``Graph.get`` does; ``secret`` is blotted out."""
    value = _json(reply, source, retry_at)
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, dict):
        wiped = {
            name: scrub(text, secret) if isinstance(text, str) else text
            for name, text in error.items()
        }
        raise Refusal.of(wiped, status=reply.status, retry_at=retry_at)
    if not reply.ok:
        raise _bare(reply, source, retry_at)
    if not isinstance(value, dict):
        raise BadResponse(
            f"the answer should be an object, not {type(value).__name__}",
            platform=PLATFORM,
            source=source,
            field="body",
        )
    return value


def appsecret_proof(app_secret: str, token: str) -> str:
    """Hex HMAC-SHA256 of the token, keyed with the app's secret.

    Reference: https://developers.facebook.com/docs/graph-api/guides/secure-requests
    """
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def scrub(text: str, *secrets: str) -> str:
    """The text without these secrets and without whatever looks like one."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "[secret]")
    return _SECRETS.sub(
        lambda found: f"{found['name']}=[secret]" if found["name"] else "[secret]", text
    )


def _json(reply: Reply, source: str, retry_at: datetime | None) -> Any:
    try:
        return reply.json()
    except BadResponse as bad:
        if not reply.ok:
            raise _bare(reply, source, retry_at) from None
        bad.source = source
        raise


def _bare(
    reply: Reply, source: str, retry_at: datetime | None
) -> RateLimited | PlatformUnavailable | BadResponse:
    """An answer that says no and does not say why."""
    if reply.status == 429:
        return RateLimited(
            "Instagram asked us to slow down (HTTP 429)",
            platform=PLATFORM,
            source=source,
            retry_at=retry_at,
        )
    if reply.status >= 500:
        return PlatformUnavailable(
            f"Instagram answered HTTP {reply.status}", platform=PLATFORM, source=source
        )
    return BadResponse(
        f"Instagram answered HTTP {reply.status} without saying why",
        platform=PLATFORM,
        source=source,
        field="error",
    )


def _integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def _text(value: Any) -> str:
    return storable(value) if isinstance(value, str) else ""
