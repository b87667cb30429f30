"""Image servers at their worst, and what becomes of each answer: outcome, time, memory.

``python -m bench.hostile_images [NAME …]`` serves them to a fresh process that fetches all at once,
as a worker does, and prints JSON: ``{outcomes: {name: [code, seconds]}, before_mb, peak_mb}``.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from PIL import Image, ImageChops

MEGABYTE = 1024 * 1024
KEPT = "kept"
Handler = BaseHTTPRequestHandler
Answer = Callable[[Handler], None]


def picture(
    width: int, height: int, kind: str = "JPEG", mode: str = "RGB", **options: object
) -> bytes:
    out = io.BytesIO()
    _ramp(width, height).convert(mode).save(out, kind, **options)
    return out.getvalue()


def _ramp(width: int, height: int) -> Image.Image:
    grey = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (grey, ImageChops.invert(grey), grey.point(lambda level: level // 2)))


def moving(kind: str) -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (90, 90), colour) for colour in ("red", "blue")]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, before: bytes = b"") -> bytes:
    """One colour, which claims any size in a few bytes; ``before``: chunks ahead of the pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + head + before + data + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    zeros = zlib.compress(bytes(64 * MEGABYTE), 9)
    return png(100, 100, before=chunk(b"zTXt", b"Comment\0\0" + zeros) * 8)


def scan_bomb() -> bytes:
    """A progressive JPEG whose last scan comes again and again: seconds of work for each kilobyte."""
    whole = picture(2000, 2000, progressive=True)
    start = whole.rindex(b"\xff\xda")
    scan = whole[start:-2]
    times = 4 * MEGABYTE // len(scan)
    return whole[:start] + scan * times + b"\xff\xd9"


def send(
    body: bytes,
    kind: str = "image/jpeg",
    *,
    status: int = 200,
    length: int | None = None,
    **headers: str,
) -> Answer:
    """``length``: what Content-Length says, whatever is true; the connection ends afterwards."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def away(to: str) -> Answer:
    return send(b"", status=302, Location=to)


def endless(handler: Handler) -> None:
    """Sixty megabytes in chunks, of a length that nobody told."""
    handler.send_response(200)
    handler.send_header("Content-Type", "image/jpeg")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    part = b"\xff\xd8" + bytes(MEGABYTE - 2)
    for _ in range(60):
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))


def drip(handler: Handler) -> None:
    """A byte every fifth of a second, for as long as somebody listens."""
    handler.send_response(200)
    handler.send_header("Content-Type", "image/jpeg")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while True:
        handler.wfile.write(b"\xff")
        time.sleep(0.2)


def silent(handler: Handler) -> None:
    time.sleep(30)


@cache
def answers() -> dict[str, tuple[str, Answer]]:
    """Name → what should become of it, and the answer."""
    good = picture(600, 600)
    bomb = gzip.compress(bytes(128 * MEGABYTE), 6)
    return {
        "svg": ("NOT_AN_IMAGE", send(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")),
        "html": ("NOT_AN_IMAGE", send(b"<!doctype html><title>Log in</title>", "text/html")),
        "html that says jpeg": ("NOT_AN_IMAGE", send(b"<!doctype html><title>Log in</title>")),
        "pdf": ("NOT_AN_IMAGE", send(b"%PDF-1.7\n", "application/pdf")),
        "eps": ("NOT_AN_IMAGE", send(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")),
        "bmp": ("NOT_AN_IMAGE", send(picture(300, 300, "BMP"))),
        "tiff": ("NOT_AN_IMAGE", send(picture(300, 300, "TIFF"), "image/tiff")),
        "video": ("NOT_AN_IMAGE", send(b"\0\0\0\x20ftypisom" + bytes(900), "image/jpeg")),
        "truncated": ("BROKEN", send(good[: len(good) // 2])),
        "rubbish behind the head": ("BROKEN", send(good[:700] + bytes(range(256)) * 20)),
        "empty": ("NO_IMAGE", send(b"")),
        "pixel bomb": ("TOO_MANY_PIXELS", send(png(60_000, 60_000), "image/png")),
        "webp bomb": ("TOO_MANY_PIXELS", send(_webp_bomb(), "image/webp")),
        "text bomb": ("BROKEN", send(text_bomb(), "image/png")),
        "scan bomb": ("BROKEN", send(scan_bomb())),
        "gzip bomb": ("TOO_LARGE", send(bomb, Content_Encoding="gzip")),
        "60 MB": ("TOO_LARGE", send(good + bytes(60 * MEGABYTE))),
        "60 MB in chunks": ("TOO_LARGE", endless),
        "longer than it says": ("BROKEN", send(good, length=len(good) // 2)),
        "shorter than it says": ("UNREACHABLE", send(good, length=len(good) * 2)),
        "animated gif": ("NOT_AN_IMAGE", send(moving("GIF"), "image/gif")),
        "animated webp": ("ANIMATED", send(moving("WEBP"), "image/webp")),
        "animated png": ("ANIMATED", send(moving("PNG"), "image/png")),
        "1 by 1": ("TOO_SMALL", send(picture(1, 1, "PNG"), "image/png")),
        "20,000 by 50": ("TOO_NARROW", send(picture(20_000, 50))),
        "forbidden": ("EXPIRED", send(b"URL signature expired", "text/plain", status=403)),
        "not found": ("EXPIRED", send(b"", status=404)),
        "server error": ("UNREACHABLE", send(b"", status=503)),
        "to a private address": ("HOST_REFUSED", away("http://169.254.169.254/latest/meta-data")),
        "to this machine": ("HOST_REFUSED", away("https://127.0.0.1/a.jpg")),
        "to plain http": ("HOST_REFUSED", away("http://scontent.cdninstagram.com/a.jpg")),
        "to another host": ("HOST_REFUSED", away("https://images.example/a.jpg")),
        "to a file": ("HOST_REFUSED", away("file:///etc/passwd")),
        "in circles": ("UNREACHABLE", away("/in%20circles")),
        "drips": ("UNREACHABLE", drip),
        "says nothing": ("UNREACHABLE", silent),
        "cmyk": (KEPT, send(picture(400, 400, mode="CMYK"))),
        "grey of 16 bits": (KEPT, send(_grey16(), "image/png")),
        "palette": (KEPT, send(picture(400, 400, "PNG", "P"), "image/png")),
        "jpeg of 25 megapixels": (KEPT, send(picture(5000, 5000))),
        "progressive of 25 megapixels": (KEPT, send(picture(5000, 5000, progressive=True))),
        "png of 16 megapixels": (KEPT, send(picture(3990, 3990, "PNG", "RGBA"), "image/png")),
        "webp of 10 megapixels": (KEPT, send(picture(3160, 3160, "WEBP"), "image/webp")),
    }  # fmt: skip


def _grey16() -> bytes:
    out = io.BytesIO()
    Image.new("I;16", (400, 400), 0x8000).save(out, "PNG")
    return out.getvalue()


def _webp_bomb() -> bytes:
    """An extended WebP that claims 16,384 by 16,384 pixels."""
    still = picture(64, 64, "WEBP")[12:]
    side = (16_383).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + bytes(4) + side + side + still
    return b"RIFF" + struct.pack("<I", len(body)) + body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what we want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = unquote(self.path.strip("/"))
        with suppress(OSError):
            answers()[name][1](self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name upstream
        pass


def run(names: list[str]) -> dict[str, Any]:
    """Serve them, and have a fresh process fetch all of them at once."""
    answers()
    server = _Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        told = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "bench.hostile_images", "--fetch", str(server.server_port), *names],
            capture_output=True, text=True, check=True,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        ).stdout  # fmt: skip
    finally:
        server.shutdown()
        server.server_close()
    found: dict[str, Any] = json.loads(told)
    return found


def fetch_all(port: int, names: list[str]) -> dict[str, Any]:
    """In the process whose memory is measured: each answer once, eight at a time."""
    import django  # noqa: PLC0415  only in the child

    django.setup()
    from django.conf import settings  # noqa: PLC0415

    settings.SANDBOX_HOSTS = [f"127.0.0.1:{port}"]
    from socials.images import look  # noqa: PLC0415
    from socials.images.pick import THREADS  # noqa: PLC0415
    from socials.images.refusals import ImageRefused  # noqa: PLC0415

    def one(name: str) -> tuple[str, float]:
        began = time.monotonic()
        url = f"http://127.0.0.1:{port}/{quote(name)}"
        answer = look.fetch(look.Account(1, 1, "INSTAGRAM", url, (".cdninstagram.com",)))
        code = answer.code if isinstance(answer, ImageRefused) else KEPT
        return code, round(time.monotonic() - began, 2)

    before = _peak()
    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = dict(zip(names, threads.map(one, names), strict=True))
    return {"outcomes": outcomes, "before_mb": before, "peak_mb": _peak()}


def _peak() -> float:
    """Megabytes. The kernel's own mark: getrusage() begins with what the parent had."""
    status = Path("/proc/self/status").read_text()
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)


if __name__ == "__main__":
    given = sys.argv[1:]
    result = fetch_all(int(given[1]), given[2:]) if given[:1] == ["--fetch"] else run(
        given or list(answers())
    )  # fmt: skip
    sys.stdout.write(json.dumps(result) + "\n")
