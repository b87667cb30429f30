"""Untrusted bytes become small square WebP files, or a refusal that says why."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from socials.images.pixels import Focus, render
from socials.images.refusals import (
    Animated,
    Broken,
    ImageRefused,
    NotAnImage,
    TooLarge,
    TooManyPixels,
    TooNarrow,
    TooSmall,
)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def png_of(width: int, height: int) -> bytes:
    """A PNG of one colour that claims any size in a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def test_a_photo_becomes_three_webp_squares_and_an_uncropped_master() -> None:
    picture = render(encoded(Image.new("RGB", (1600, 900), "teal")))
    assert {size: opened(content).size for size, content in picture.squares.items()} == {
        64: (64, 64),
        128: (128, 128),
        512: (512, 512),
    }
    assert opened(picture.master).size == (1024, 576)
    assert opened(picture.squares[64]).format == "WEBP"


def test_the_crop_keeps_the_focus_point() -> None:
    image = Image.new("RGB", (900, 300), "red")
    image.paste("blue", (600, 0, 900, 300))
    content = encoded(image, "PNG")
    left = opened(render(content, Focus(0.0, 0.5)).squares[64]).getpixel((32, 32))
    right = opened(render(content, Focus(1.0, 0.5)).squares[64]).getpixel((32, 32))
    assert left[0] > 200 > left[2]
    assert right[2] > 200 > right[0]


def test_the_same_picture_has_the_same_name_and_another_focus_another() -> None:
    image = Image.linear_gradient("L").rotate(90).resize((600, 300)).convert("RGB")
    content = encoded(image, "PNG")
    assert render(content).name == render(content).name
    assert render(content).name != render(content, Focus(0.0, 0.5)).name


TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera that was held so stored what should be seen upright."""


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_applied_and_metadata_dropped(orientation: int, kind: str) -> None:
    upright = Image.new("RGB", (200, 100), "white")
    for colour, corner in (("red", (0, 0)), ("lime", (100, 0)), ("blue", (0, 50))):
        upright.paste(colour, (*corner, corner[0] + 100, corner[1] + 50))
    turn = TURNS[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of Jane"
    stored = upright if turn is None else upright.transpose(turn)
    picture = render(encoded(stored, kind, exif=exif))
    master = opened(picture.master)
    assert master.size == (200, 100)
    for point in ((50, 25), (150, 25), (50, 75), (150, 75)):
        seen, meant = master.getpixel(point), upright.getpixel(point)
        assert max(abs(a - b) for a, b in zip(seen, meant, strict=True)) < 60
    assert b"Jane" not in picture.master
    assert not opened(picture.squares[512]).getexif()


def palette() -> Image.Image:
    image = Image.new("P", (100, 100), 1)
    image.putpalette([0, 0, 0, 0, 128, 0])
    return image


@pytest.mark.parametrize(
    ("content", "colour"),
    [
        pytest.param(
            encoded(Image.new("CMYK", (90, 90), (0, 255, 255, 0))), (255, 0, 0), id="cmyk"
        ),
        pytest.param(encoded(Image.new("L", (90, 90), 128)), (128, 128, 128), id="grey jpeg"),
        pytest.param(
            encoded(Image.new("I;16", (90, 90), 0x8000), "PNG"),
            (128, 128, 128),
            id="16 bits of grey",
        ),
        pytest.param(encoded(palette(), "PNG"), (0, 128, 0), id="palette"),
        pytest.param(
            encoded(palette(), "PNG", transparency=1), (255, 255, 255), id="transparent palette"
        ),
        pytest.param(
            encoded(Image.new("LA", (90, 90), (9, 0)), "PNG"),
            (255, 255, 255),
            id="transparent grey",
        ),
    ],
)
def test_every_kind_of_colour_is_seen_as_it_is_meant(
    content: bytes, colour: tuple[int, int, int]
) -> None:
    seen = opened(render(content).squares[64]).convert("RGB").getpixel((32, 32))
    assert max(abs(a - b) for a, b in zip(seen, colour, strict=True)) <= 3


def test_a_wide_picture_keeps_enough_pixels_for_its_square() -> None:
    picture = render(encoded(Image.new("RGB", (4000, 600), "teal")))
    assert opened(picture.master).size == (3413, 512)


def test_transparent_parts_turn_white() -> None:
    picture = render(encoded(Image.new("RGBA", (100, 100), (0, 0, 0, 0)), "PNG"))
    assert min(opened(picture.squares[64]).convert("RGB").getpixel((30, 30))) > 250


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
GOOD = encoded(Image.effect_noise((600, 600), 60).convert("RGB"))


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        pytest.param(SVG, NotAnImage, id="svg"),
        pytest.param(b"<!doctype html><title>Log in</title>", NotAnImage, id="html"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n", NotAnImage, id="eps"),
        pytest.param(b"", NotAnImage, id="empty"),
        pytest.param(encoded(Image.new("RGB", (90, 90)), "BMP"), NotAnImage, id="bmp"),
        pytest.param(GOOD[: len(GOOD) // 2], Broken, id="truncated"),
        pytest.param(GOOD[:400], ImageRefused, id="head only"),
        pytest.param(png_of(60_000, 60_000), TooManyPixels, id="bomb"),
        pytest.param(png_of(5_000, 5_000), TooManyPixels, id="too many pixels"),
        pytest.param(GOOD + b"\0" * 9_000_000, TooLarge, id="too many bytes"),
        pytest.param(encoded(Image.new("RGB", (40, 400))), TooSmall, id="too small"),
        pytest.param(encoded(Image.new("RGB", (1, 1))), TooSmall, id="one pixel"),
        pytest.param(encoded(Image.new("RGB", (20_000, 50))), TooNarrow, id="extremely wide"),
        pytest.param(
            encoded(
                Image.new("P", (90, 90), 1),
                "GIF",
                save_all=True,
                append_images=[Image.new("P", (90, 90), 2)],
            ),
            NotAnImage,
            id="animated gif",
        ),
        pytest.param(
            encoded(
                Image.new("RGB", (90, 90), "red"),
                "WEBP",
                save_all=True,
                append_images=[Image.new("RGB", (90, 90), "blue")],
            ),
            Animated,
            id="animated webp",
        ),
        pytest.param(
            encoded(
                Image.new("RGB", (90, 90), "red"),
                "PNG",
                save_all=True,
                append_images=[Image.new("RGB", (90, 90), "blue")],
            ),
            Animated,
            id="animated png",
        ),
    ],
)
def test_what_is_not_a_still_photo_is_refused_with_its_cause(
    content: bytes, refusal: type[ImageRefused]
) -> None:
    with pytest.raises(refusal) as caught:
        render(content)
    assert str(caught.value).endswith(".")
