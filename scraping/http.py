"""One careful way out: every call to a platform or provider is bounded in time and in bytes.

No redirect is followed, nothing is sent twice, no cookie is kept, and no error, repr or log line
carries a URL's query, a header or a body, because these hold tokens.
"""

from __future__ import annotations

import json as jsonlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, Self, cast
from urllib.parse import urlencode, urlsplit

import certifi
import structlog
import urllib3
from urllib3.exceptions import HTTPError

from scraping import deadline
from scraping.deadline import CHUNK
from scraping.errors import BadResponse, Failure, PlatformUnavailable
from scraping.stopwatch import outcome_of, stopwatch

LONGEST_WAIT = timedelta(days=1)
"""The longest Retry-After that is believed."""

log = structlog.get_logger(__name__)

# Its lines tell whole URLs, queries and tokens included.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and (decoded) bytes that one call may take."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 30.0
    max_bytes: int = 4 * 1024 * 1024

    @classmethod
    def within(cls, seconds: float) -> Self:
        """Limits under which no call outlives ``seconds`` (HTTP_TIMEOUT_SECONDS)."""
        return cls(min(5.0, seconds), seconds, seconds)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers (lower-case names) and body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    platform: str = ""

    def json(self) -> Any:
        """The body as JSON; NaN and Infinity, which JSON does not know, read as null.

        Raises BadResponse when the body is not JSON.
        """
        try:
            return jsonlib.loads(self.body, parse_constant=_nothing)
        except (ValueError, RecursionError):
            pass
        raise BadResponse(
            f"the answer (HTTP {self.status}) is not JSON", platform=self.platform, field="body"
        )

    def text(self) -> str:
        """The body as text (UTF-8, whatever does not fit replaced)."""
        return self.body.decode("utf-8", "replace")

    def retry_at(self, now: datetime) -> datetime | None:
        """When Retry-After (seconds or an HTTP date) lets us come again, a day away at most."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return now + timedelta(seconds=min(int(value[:12]), LONGEST_WAIT.total_seconds()))
        moment = _moment(value)
        return None if moment is None else min(max(moment, now), now + LONGEST_WAIT)

    @property
    def date(self) -> datetime | None:
        """The other side's clock, as its Date header tells it."""
        return _moment(self.headers.get("date", ""))

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Unsent(PlatformUnavailable):
    """No connection came about: the request certainly did not arrive."""


class Http:
    """Keep-alive connections, shared by all threads."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        user_agent: str = "Greenroom/1.0",
        public_only: bool = False,
        kept: int = 64,
    ) -> None:
        """``public_only`` refuses to connect to private addresses: for URLs that others gave.

        ``kept``: connections to one host that are kept for the next call.
        """
        self.limits = limits or Limits()
        self.user_agent = user_agent
        self._pools = urllib3.PoolManager(
            num_pools=20, maxsize=kept, cert_reqs="CERT_REQUIRED", ca_certs=certifi.where()
        )
        self._pools.pool_classes_by_scheme = (
            deadline.PUBLIC_POOLS if public_only else deadline.POOLS
        )

    def get(self, url: str, **options: Any) -> Reply:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Reply:
        return self.request("POST", url, **options)

    def request(
        self,
        method: str,
        url: str,
        *,
        platform: str = "",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: Mapping[str, str] | None = None,
        content: bytes | None = None,
        limits: Limits | None = None,
    ) -> Reply:
        """Send one request; 5xx answers are returned, for the adapter knows their meaning.

        The body is ``json``, form ``data``, or ``content`` as it is, whose type ``headers`` name.

        Raises PlatformUnavailable (time-out, DNS, connection cut; ``Unsent`` when nothing was
        sent) or BadResponse (not HTTP, not decodable, too large). Both name the platform.
        """
        limits = limits or self.limits
        sent = {"User-Agent": self.user_agent, "Accept": "application/json"}
        body = content
        if json is not None:
            body = jsonlib.dumps(json, separators=(",", ":")).encode()
            sent["Content-Type"] = "application/json"
        elif data is not None:
            body = urlencode(data).encode()
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        sent |= {"Accept-Encoding": "gzip", **(headers or {})}
        if params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        began_at = time.monotonic()
        failure: Failure
        try:
            reply = self._send(method, url, sent, body, limits, platform)
            _note(method, url, platform, began_at, status=reply.status)
            return reply
        except Failure as refused:
            failure = refused
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            failure = _failure(error, url, platform)
        _note(method, url, platform, began_at, code=failure.code, detail=failure.detail)
        # Raised out here, so that it does not carry the library's error, which holds the request.
        raise failure

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        limits: Limits,
        platform: str,
    ) -> Reply:
        if not url.startswith(("https://", "http://")):
            raise ValueError("not an address")
        deadline.begin(limits.total_seconds)
        response = self._pools.urlopen(
            method,
            url,
            headers=headers,
            body=body,
            timeout=urllib3.Timeout(connect=limits.connect_seconds, read=limits.read_seconds),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            content = _body(response, limits.max_bytes, platform)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        names = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, names, content, platform)


def _body(response: urllib3.BaseHTTPResponse, max_bytes: int, platform: str) -> bytes:
    """The decoded body, read piece by piece; raises BadResponse beyond ``max_bytes``."""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(CHUNK, decode_content=True):
        size += len(chunk)
        if size > max_bytes:
            raise BadResponse(
                f"the answer is larger than {max_bytes} bytes", platform=platform, field="body"
            )
        if deadline.remaining() <= 0:
            raise TimeoutError
        chunks.append(chunk)
    return b"".join(chunks)


def _moment(value: str) -> datetime | None:
    """An HTTP date, None for what is none; a year may be beyond any number of the machine's."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _nothing(_: str) -> None:
    return None


def _note(method: str, url: str, platform: str, began_at: float, **outcome: object) -> None:
    """One line for each call, without its query, which may hold what nobody should read."""
    seconds = time.monotonic() - began_at
    status = cast("int", outcome.get("status", 0))
    stopwatch.note("call", platform.lower() or "other", outcome_of(status), seconds)
    try:
        parts = urlsplit(url)
        host, path = parts.netloc.rpartition("@")[2], parts.path
    except ValueError:
        host = path = ""
    log.info(
        "call.answered" if "status" in outcome else "call.failed",
        method=method, host=host, path=path[:200], platform=platform,
        ms=round(seconds * 1000), **outcome,
    )  # fmt: skip


def _failure(error: Exception, url: str, platform: str) -> Failure:
    """Our word for a library's error, without anything of the request but the host."""
    try:
        host = urlsplit(url).hostname or "the platform"
    except ValueError:
        host = "the platform"
    exceptions = urllib3.exceptions
    match error:
        case exceptions.NewConnectionError() | exceptions.SSLError():
            return Unsent(f"{host} can't be reached", platform=platform)
        case exceptions.ConnectTimeoutError():
            return Unsent(f"{host} did not answer in time", platform=platform)
        case exceptions.TimeoutError() | TimeoutError():
            return PlatformUnavailable(
                f"{host} did not answer in time", platform=platform, field="body"
            )
        case exceptions.DecodeError() | exceptions.InvalidHeader():
            return BadResponse(
                f"the answer of {host} can't be decoded", platform=platform, field="body"
            )
        case exceptions.LocationValueError() | UnicodeError() | ValueError():
            return Unsent(f"the request to {host} can't be sent", platform=platform)
    return PlatformUnavailable(f"{host} broke the connection off", platform=platform, field="body")
