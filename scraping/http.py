"""One careful way out: every call to a platform or provider is bounded in time and in bytes.

No redirects are followed, nothing is retried, and no error or repr carries a URL's query, a header
or a body, because these hold tokens.
"""

from __future__ import annotations

import json as jsonlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from scraping.errors import BadResponse, PlatformUnavailable

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes that one call may take."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 30.0
    max_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers (lower-case names) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    platform: str = ""

    def json(self) -> Any:
        """The body as JSON. Raises BadResponse when it is not."""
        try:
            return jsonlib.loads(self.body)
        except (ValueError, RecursionError):
            raise BadResponse(
                f"the answer (HTTP {self.status}) is not JSON",
                platform=self.platform,
                field="body",
            ) from None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Http:
    """Keep-alive sessions, one a thread; safe to share between threads."""

    def __init__(self, limits: Limits | None = None, *, user_agent: str = "Greenroom/1.0") -> None:
        self.limits = limits or Limits()
        self.user_agent = user_agent
        self._local = threading.local()

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
        limits: Limits | None = None,
    ) -> Reply:
        """Send one request; 5xx answers are returned, for the adapter knows their meaning.

        Raises PlatformUnavailable (time-out, DNS, connection) or BadResponse (too large).
        """
        limits = limits or self.limits
        deadline = time.monotonic() + limits.total_seconds
        try:
            with self._session().request(
                method,
                url,
                params=params,
                headers=headers,
                json=json,
                data=data,
                timeout=(limits.connect_seconds, limits.read_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._body(response, deadline, limits.max_bytes, platform)
                names = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status_code, names, body, platform)
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
        ) as error:
            raise _unavailable(error, url, platform) from None

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.headers["User-Agent"] = self.user_agent
            session.headers["Accept"] = "application/json"
            self._local.session = session
        return session

    def _body(
        self,
        response: requests.Response,
        deadline: float,
        max_bytes: int,
        platform: str,
    ) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            size += len(chunk)
            if size > max_bytes:
                raise BadResponse(
                    f"the answer is larger than {max_bytes} bytes",
                    platform=platform,
                    field="body",
                )
            if time.monotonic() > deadline:
                raise PlatformUnavailable("the answer came too slowly", platform=platform)
            chunks.append(chunk)
        return b"".join(chunks)


def _unavailable(error: Exception, url: str, platform: str) -> PlatformUnavailable:
    host = urlsplit(url).hostname or "the platform"
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)):
        return PlatformUnavailable(f"{host} did not answer in time", platform=platform)
    return PlatformUnavailable(f"{host} can't be reached", platform=platform)
