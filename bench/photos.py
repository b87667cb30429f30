"""Photos: the daily job beside a plain loop over the same pictures, and memory under attack."""

from __future__ import annotations

import io
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.utils import timezone
from PIL import Image, ImageOps

from bench import hostile_images
from bench.figures import Figure, median
from bench.stage import empty, multiply
from socials.images import look
from socials.images.due import due
from socials.images.pick import refresh_many
from socials.models import Connection, Photo, Profile
from talent.models import Talent

PICTURES = 200
SIDE = 320
"""Of an avatar, as Instagram gives it."""
LATENCY = 0.05
TIMES = 3
SIZES = (64, 128, 512)


def measure() -> list[Figure]:
    hostile = hostile_images.run(list(hostile_images.answers()))
    with _server(_pictures()) as origin, tempfile.TemporaryDirectory() as folder:
        settings.SANDBOX_HOSTS = [origin.removeprefix("http://")]
        settings.MEDIA_ROOT = folder
        urls = [f"{origin}/{number}.jpg" for number in range(PICTURES)]
        pairs = [(_job(urls), _plain(urls, Path(folder))) for _ in range(TIMES)]
        again, _ = median(TIMES, _again)
    job, plain = (sorted(side)[TIMES // 2] for side in zip(*pairs, strict=True))
    return [
        Figure("daily job, pictures/s ÷ a plain loop", job / plain, 1.5,
               made_of={"pictures/s": [job], "plain": [plain], "unchanged/s": again,
                        "ms a picture's server takes": LATENCY * 1000}),
        Figure("memory of all hostile pictures at once", hostile["peak_mb"], None, 600,
               unit="MB", made_of={"before": hostile["before_mb"]}),
    ]  # fmt: skip


def _job(urls: list[str]) -> float:
    """Pictures a second of the daily job, none of which it has seen."""
    empty()
    _accounts(urls)
    began = time.monotonic()
    picked = list(refresh_many(due(limit=PICTURES)))
    took = time.monotonic() - began
    assert [one.outcome for one in picked] == ["successful"] * PICTURES
    return PICTURES / took


def _again() -> float:
    """The same where no picture is another one: what most days bring."""
    Photo.objects.update(checked_at=timezone.now() - look.FRESH * 2)
    began = time.monotonic()
    picked = list(refresh_many(due(limit=PICTURES, force=True)))
    took = time.monotonic() - began
    assert not any(one.updated for one in picked)
    return PICTURES / took


def _plain(urls: list[str], folder: Path) -> float:
    """The same files by requests and Pillow, one after the other, without checks or a database."""
    began = time.monotonic()
    for number, url in enumerate(urls):
        content = requests.get(url, timeout=10).content
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
        image.save(folder / f"{number}-master.webp", quality=82, method=4)
        for size in SIZES:
            square = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
            square.save(folder / f"{number}-{size}.webp", quality=82, method=4)
    return len(urls) / (time.monotonic() - began)


def _accounts(urls: list[str]) -> None:
    talent = Talent.objects.create(name="Talent", slug="template")
    multiply(talent, len(urls), name="'Talent ' || n", slug="'talent-' || n")
    talents = Talent.objects.exclude(pk=talent.pk).order_by("pk")
    rows = Connection.objects.bulk_create(
        Connection(
            talent=one, platform="INSTAGRAM", handle=one.slug, handle_key=one.slug,
            profile_url=f"https://www.instagram.com/{one.slug}/", sync_status="READY",
        )
        for one in talents
    )  # fmt: skip
    now = timezone.now()
    Profile.objects.bulk_create(
        Profile(connection=row, source="bench", fetched_at=now, avatar_url=url)
        for row, url in zip(rows, urls, strict=True)
    )
    talent.delete()


def _pictures() -> list[bytes]:
    """Faces of the sandbox's cast, each a little different, as JPEG."""
    artwork = sorted((Path(look.__file__).parent.parent / "platforms/kit/artwork").glob("p-*.jpg"))
    dice = random.Random(1)  # noqa: S311  pictures, not secrets
    found = []
    for number in range(PICTURES):
        image = Image.open(artwork[number % len(artwork)]).convert("RGB")
        image = ImageOps.fit(image, (SIDE, SIDE)).rotate(dice.uniform(-9, 9))
        out = io.BytesIO()
        image.save(out, "JPEG", quality=85)
        found.append(out.getvalue())
    return found


@contextmanager
def _server(pictures: list[bytes]) -> Iterator[str]:
    """A picture server that answers after ``LATENCY``: its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(LATENCY)
            body = pictures[int(self.path[1:-4])]
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name upstream
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
