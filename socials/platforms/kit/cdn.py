"""The sandbox's image CDN: portraits and thumbnails under signed addresses that expire.

An address is ``/cdn/<platform>/<kind>/<name>.jpg`` with a size, an expiry and a signature, in the
spelling of its platform (Instagram ``oe`` and ``oh``, TikTok ``x-expires`` and ``x-signature``;
YouTube's neither expire nor are signed). A late or altered one is refused as the real ones are.
"""

from __future__ import annotations

import hashlib
import io
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image, ImageOps

from socials.platforms.kit.sandbox import Account, Item, Mood, Request, Response, seed

ARTWORK = Path(__file__).parent / "artwork"
LIFE = timedelta(days=4)
LARGEST = 1280

# Platform → names of its expiry and signature parameters. Absent: its addresses never expire.
SIGNED = {"instagram": ("oe", "oh"), "tiktok": ("x-expires", "x-signature")}

# Instagram's own stand-in has had this name for years; the others are told by theirs.
DEFAULT_AVATAR = {
    "instagram": "44884218_345707102882519_2446069589734326272_n",
    "tiktok": "default-avatar",
    "youtube": "default-avatar",
}

_PATH = re.compile(
    r"^/(?P<platform>instagram|tiktok|youtube)/(?P<kind>avatar|post|default)/(?P<name>[^/]{1,160})"
    r"\.(?P<type>jpg|jpeg|webp)$"
)


def avatar(origin: str, account: Account, now: datetime, *, size: int = 320) -> str | None:
    """The address of an account's photo; None for one that has none (``noimage…``)."""
    platform = account.platform.lower()
    match account.mood:
        case Mood.NOIMAGE:
            return None
        case Mood.PLACEHOLDER:
            return _address(origin, platform, "default", DEFAULT_AVATAR[platform], size, now)
    return _address(origin, platform, "avatar", account.handle.lower(), size, now)


def thumbnail(origin: str, item: Item, now: datetime, *, width: int = 640) -> str:
    """The address of a post's picture."""
    name = f"{item.account.handle.lower()}-{item.index}"
    return _address(origin, item.account.platform.lower(), "post", name, width, now)


def handle(request: Request) -> Response:
    """GET an image; 404 for an unknown address, 403 for a late or altered one."""
    found = _PATH.match(request.path)
    if found is None or request.method not in {"GET", "HEAD"}:
        return Response(404, b"Not Found", {"Content-Type": "text/plain"})
    refusal = _refusal(found["platform"], request)
    if refusal:
        return Response(403, refusal.encode(), {"Content-Type": "text/plain"})
    size = request.query.get("s", "320")
    if not size.isdecimal() or not 16 <= int(size) <= LARGEST:
        return Response(400, b"Bad Size", {"Content-Type": "text/plain"})
    wants_webp = found["type"] == "webp"
    return Response(
        200,
        _picture(found["kind"], found["name"], int(size), "WEBP" if wants_webp else "JPEG"),
        {
            "Content-Type": "image/webp" if wants_webp else "image/jpeg",
            "Cache-Control": "max-age=1209600, no-transform",
            # Browsers may not show them on other sites, as on the real CDNs.
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


def _address(origin: str, platform: str, kind: str, name: str, size: int, now: datetime) -> str:
    path = f"/{platform}/{kind}/{name}.jpg"
    query = {"s": str(size)}
    if platform in SIGNED:
        # Whole days, so that an address stays the same for a while, as the real ones do.
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        expires = int((today + LIFE).timestamp())
        expiry, signature = SIGNED[platform]
        query[expiry] = f"{expires:X}" if expiry == "oe" else str(expires)
        query[signature] = _signature(path, query["s"], expires)
    return f"{origin}/cdn{path}?{urlencode(query)}"


def _signature(path: str, size: str, expires: int) -> str:
    return hashlib.sha256(f"sandbox|{path}|{size}|{expires}".encode()).hexdigest()[:32]


def _refusal(platform: str, request: Request) -> str:
    if platform not in SIGNED:
        return ""
    expiry, signature = SIGNED[platform]
    try:
        expires = int(request.query.get(expiry, ""), 16 if expiry == "oe" else 10)
    except ValueError:
        return "Bad URL timestamp"
    if request.query.get(signature) != _signature(
        request.path, request.query.get("s", ""), expires
    ):
        return "Bad URL hash"
    if expires < datetime.now(UTC).timestamp():
        return "URL signature expired"
    return ""


@lru_cache(maxsize=512)
def _picture(kind: str, name: str, size: int, encoding: str) -> bytes:
    image = _silhouette() if kind == "default" else _artwork(kind, name)
    buffer = io.BytesIO()
    ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS).save(buffer, encoding, quality=85)
    return buffer.getvalue()


def _artwork(kind: str, name: str) -> Image.Image:
    """The cast by first name; anybody else gets one of their pictures, perhaps mirrored."""
    first_name = re.split(r"[^a-z]", name, maxsplit=1)[0]
    own = ARTWORK / f"p-{first_name}.jpg"
    number = seed(kind, name)
    mirrored = False
    if kind == "avatar" and own.exists():
        path = own
    else:
        choices = sorted(ARTWORK.glob("p-*.jpg" if kind == "avatar" else "t-*.jpg"))
        path = choices[number % len(choices)]
        mirrored = bool(number // len(choices) % 2)
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    return ImageOps.mirror(image) if mirrored else image


def _silhouette() -> Image.Image:
    """The grey head and shoulders of somebody without a photo."""
    image = Image.new("RGB", (320, 320), (219, 219, 219))
    ink = Image.new("RGB", (320, 320), (255, 255, 255))
    mask = Image.radial_gradient("L").point(lambda level: 255 if level < 90 else 0)
    image.paste(ink.resize((110, 110)), (105, 70), mask.resize((110, 110)))
    image.paste(ink.resize((220, 220)), (50, 200), mask.resize((220, 220)))
    return image
