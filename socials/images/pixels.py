"""From untrusted bytes to our own square WebP files, with bounded memory.

The format is decided by the bytes, never by a name or a header. Orientation is applied and every
other piece of metadata dropped, because only pixels are written again.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from threading import BoundedSemaphore

from PIL import Image, ImageOps, UnidentifiedImageError

from socials.images.refusals import (
    Animated,
    Broken,
    NotAnImage,
    TooLarge,
    TooManyPixels,
    TooNarrow,
    TooSmall,
)

SIZES = (64, 128, 512)
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = {"JPEG": 25_000_000, "PNG": 16_000_000, "WEBP": 10_000_000}
"""By format: what decoding costs differs. A JPEG is read at a fraction of its size; of a WebP the
library holds five copies."""
MAX_SCANS = 100
"""Of a progressive JPEG, which has about ten: each costs the work of a whole image."""
SCAN = b"\xff\xda"
"""What a scan begins with; nothing else of a JPEG's pixels looks so."""
MIN_SIDE = 48
MAX_RATIO = 8
"""Of the longer to the shorter side: what is left of a longer strip is no face."""
MASTER_SIDE = 1024
"""The longest side of the uncropped master that is kept for another focus point; longer where the
shorter side would fall below the largest square."""
THUMBNAIL_SIDE = 400
QUALITY = 82
DECODERS = BoundedSemaphore(2)
"""So many images are unpacked at a time in one process, whatever its threads: memory's bound."""
OPAQUE = (255, 255, 255)

# Damaged metadata, which we drop; and a size that _check refuses with its own words.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Focus:
    """The point that a square crop keeps, as shares of width and height (0 … 1)."""

    x: float = 0.5
    y: float = 0.5


MIDDLE = Focus()


@dataclass(frozen=True, slots=True)
class Picture:
    """What is kept of an image: the uncropped master and the square sizes, all WebP."""

    name: str
    """Content hash of all files: another picture or another focus has another name."""
    master: bytes
    squares: dict[int, bytes]
    width: int
    height: int


def render(content: bytes, focus: Focus = MIDDLE) -> Picture:
    """Decode, turn upright, crop and encode. Raises ImageRefused."""
    with DECODERS:
        return _encode(_decode(content), focus)


def thumbnail(content: bytes) -> tuple[str, bytes]:
    """One square of 400 pixels and the name of its content. Raises ImageRefused."""
    side = THUMBNAIL_SIDE
    with DECODERS:
        image = _decode(content)
        _shrink(image, side / min(image.size))
        small = _webp(_crop(image, MIDDLE).resize((side, side), Image.Resampling.LANCZOS))
    return hashlib.sha256(small).hexdigest()[:40], small


def fingerprint(content: bytes) -> str:
    """The identity of an image by its bytes (SHA-256, hex)."""
    return hashlib.sha256(content).hexdigest()


def _decode(content: bytes) -> Image.Image:
    if len(content) > MAX_BYTES:
        raise TooLarge
    if content.startswith(b"\xff\xd8") and content.count(SCAN) > MAX_SCANS:
        raise Broken
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise NotAnImage from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise TooManyPixels from None
    except (OSError, ValueError, SyntaxError, MemoryError):
        raise Broken from None
    _check(image)
    # JPEG alone can decode at a fraction of its size: an eighth of the memory for a large photo.
    image.draft("RGB", (MASTER_SIDE, MASTER_SIDE))
    try:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, ZeroDivisionError):
        raise Broken from None
    return _flat(image)


def _check(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS[str(image.format)]:
        raise TooManyPixels
    if min(width, height) < MIN_SIDE:
        raise TooSmall
    if max(width, height) > MAX_RATIO * min(width, height):
        raise TooNarrow
    if getattr(image, "n_frames", 1) > 1:
        raise Animated


def _flat(image: Image.Image) -> Image.Image:
    """RGB, transparent parts on white."""
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):  # 16 bits of grey, which convert() cuts off
        return image.convert("I").point(lambda level: level / 256).convert("L").convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        ground = Image.new("RGB", rgba.size, OPAQUE)
        ground.paste(rgba, mask=rgba.getchannel("A"))
        return ground
    return image if image.mode == "RGB" else image.convert("RGB")


def _encode(image: Image.Image, focus: Focus) -> Picture:
    _shrink(image, max(MASTER_SIDE / max(image.size), max(SIZES) / min(image.size)))
    square = _crop(image, focus)
    squares = {size: _webp(square.resize((size, size), Image.Resampling.LANCZOS)) for size in SIZES}
    master = _webp(image)
    name = hashlib.sha256(b"".join((master, *squares.values()))).hexdigest()[:40]
    return Picture(name, master, squares, *image.size)


def _shrink(image: Image.Image, share: float) -> None:
    """To that share of its sides, in place; never larger."""
    size = max(image.size) * min(share, 1.0)
    image.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _crop(image: Image.Image, focus: Focus) -> Image.Image:
    width, height = image.size
    side = min(width, height)
    left = min(max(round(focus.x * width - side / 2), 0), width - side)
    top = min(max(round(focus.y * height - side / 2), 0), height - side)
    return image.crop((left, top, left + side, top + side))


def _webp(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()
