"""The sandbox platforms: one server that speaks every platform's wire under a prefix."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from socials.platforms.kit.sandbox import Handler, Request, Response

logger = logging.getLogger(__name__)

PLATFORMS: dict[str, str] = {
    "instagram": "socials.platforms.instagram.sandbox.handle",
    "meta": "socials.platforms.instagram.sandbox.handle",
    "tiktok": "socials.platforms.tiktok.sandbox.handle",
    "youtube": "socials.platforms.youtube.sandbox.handle",
    "google": "socials.platforms.youtube.sandbox.handle",
    "hub": "socials.platforms.youtube.sandbox.handle",
    "apify": "socials.platforms.apify_sandbox.handle",
    "cdn": "socials.platforms.kit.cdn.handle",
}

LARGEST_BODY = 1024 * 1024
IDLE_SECONDS = 75.0

# The addresses and credentials under which the app meets the sandbox. It accepts exactly these
# credentials and refuses others as the real platform does.
CREDENTIALS: dict[str, str] = {
    "INSTAGRAM_CLIENT_ID": "sandbox-instagram-client",
    "INSTAGRAM_CLIENT_SECRET": "sandbox-instagram-secret",
    "META_ACCESS_TOKEN": "sandbox-meta-token",
    "META_IG_USER_ID": "17841400000000001",
    "META_APP_SECRET": "sandbox-meta-secret",
    "TIKTOK_CLIENT_KEY": "sandbox-tiktok-client",
    "TIKTOK_CLIENT_SECRET": "sandbox-tiktok-secret",
    "YOUTUBE_API_KEY": "sandbox-youtube-key",
    "GOOGLE_CLIENT_ID": "sandbox-google-client",
    "GOOGLE_CLIENT_SECRET": "sandbox-google-secret",
    "APIFY_TOKEN": "sandbox-apify-token",
    "SCRAPING_PROVIDER": "apify",
}


def settings_for(origin: str) -> dict[str, str]:
    """Every platform setting that points the app at a sandbox served at ``origin``."""
    return {
        **CREDENTIALS,
        "INSTAGRAM_AUTHORIZE_URL": f"{origin}/instagram/oauth/authorize",
        "INSTAGRAM_TOKEN_URL": f"{origin}/instagram/oauth/access_token",
        "INSTAGRAM_GRAPH_URL": f"{origin}/instagram",
        "INSTAGRAM_WEB_URL": f"{origin}/instagram",
        "META_GRAPH_URL": f"{origin}/meta",
        "TIKTOK_AUTHORIZE_URL": f"{origin}/tiktok/v2/auth/authorize/",
        "TIKTOK_API_URL": f"{origin}/tiktok",
        "TIKTOK_WEB_URL": f"{origin}/tiktok",
        "YOUTUBE_API_URL": f"{origin}/youtube",
        "YOUTUBE_WEB_URL": f"{origin}/youtube",
        "YOUTUBE_HUB_URL": f"{origin}/hub/subscribe",
        "GOOGLE_AUTHORIZE_URL": f"{origin}/google/o/oauth2/v2/auth",
        "GOOGLE_TOKEN_URL": f"{origin}/google/token",
        "GOOGLE_REVOKE_URL": f"{origin}/google/revoke",
        "APIFY_API_URL": f"{origin}/apify",
    }


class Sandbox:
    """A running sandbox: ``with Sandbox() as sandbox: sandbox.origin``."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind to ``port`` (0: any free one). Raises OSError when it is taken."""
        self._server = _Server((host, port), _handlers())

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def origin(self) -> str:
        return self._server.origin

    def serve(self) -> None:
        """Answer until ``stop`` is called from another thread."""
        self._server.serve_forever(poll_interval=0.05)
        self._server.close_all()

    def start(self) -> Self:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self.serve, name="sandbox", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, cut what is open and wait for it to be over."""
        self._server.stopping.set()
        self._server.shutdown()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(timeout=10)


def _handlers() -> dict[str, Handler]:
    handlers: dict[str, Handler] = {}
    for prefix, dotted in PLATFORMS.items():
        module, _, name = dotted.rpartition(".")
        handlers[prefix] = getattr(import_module(module), name)
    return handlers


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handlers: Mapping[str, Handler]) -> None:
        self.handlers = handlers
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Conversation)
        host = address[0] if address[0] not in {"", "0.0.0.0"} else "127.0.0.1"  # noqa: S104
        self.origin = f"http://{host}:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not self.stopping.is_set():
            logger.debug("a sandbox conversation was cut")

    def close_all(self) -> None:
        self.server_close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 5
        while self._open and time.monotonic() < deadline:
            time.sleep(0.01)


class _Conversation(BaseHTTPRequestHandler):
    """One keep-alive connection."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "GreenroomSandbox/1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1
    known_methods: ClassVar[tuple[str, ...]] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_") and name[3:] in self.known_methods:
            return self.answer
        raise AttributeError(name)

    def answer(self) -> None:
        body = self._body()
        if body is None:
            return
        target = urlsplit(self.path)
        prefix, _, rest = unquote(target.path).lstrip("/").partition("/")
        origin = f"http://{self.headers['Host']}" if self.headers["Host"] else self.server.origin
        handler = self.server.handlers.get(prefix)
        if handler is None:
            self._send(_refused(404, f"The sandbox serves {', '.join(self.server.handlers)}."))
            return
        request = Request(
            self.command,
            f"/{rest}",
            dict(parse_qsl(target.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            body,
            base_url=f"{origin}/{prefix}",
            origin=origin,
        )
        try:
            response = handler(request)
        except Exception:
            logger.exception("the %s sandbox failed on %s", prefix, request.path)
            response = _refused(500, "The sandbox itself failed; its log says why.")
        if response.delay_seconds and self.server.stopping.wait(response.delay_seconds):
            self.close_connection = True
            return
        self._send(response)

    def _body(self) -> bytes | None:
        length = self.headers["Content-Length"] or "0"
        if self.headers["Transfer-Encoding"] or not length.isdecimal():
            self.close_connection = True
            self._send(_refused(411, "Send a Content-Length."))
            return None
        if int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(_refused(413, "The body is too large."))
            return None
        return self.rfile.read(int(length))

    def _send(self, response: Response) -> None:
        status = response.status
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
        self.send_response(status, phrase)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and status not in {204, 304}:
            self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it
        """Addresses hold tokens: only method, path and status are logged."""
        path = urlsplit(getattr(self, "path", "")).path
        logger.debug("%s %s %s", getattr(self, "command", "-"), path, args[1:2])


def _refused(status: int, message: str) -> Response:
    return Response(
        status, json.dumps({"sandbox": message}).encode(), {"Content-Type": "application/json"}
    )
