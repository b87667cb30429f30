"""Why an image was not taken: facts with a code and plain words."""

from __future__ import annotations

from typing import ClassVar


class ImageRefused(Exception):
    """An image that we don't take. ``str()`` is fit for people: no URL, no secret."""

    code: ClassVar[str] = "IMAGE_REFUSED"
    words: ClassVar[str] = "This image can't be used."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.words)


class NotAnImage(ImageRefused):
    code = "NOT_AN_IMAGE"
    words = "This file isn't a JPEG, PNG or WebP image."


class Animated(ImageRefused):
    code = "ANIMATED"
    words = "This image is animated. Use a still JPEG, PNG or WebP."


class Broken(ImageRefused):
    code = "BROKEN"
    words = "This image is damaged or incomplete."


class TooLarge(ImageRefused):
    code = "TOO_LARGE"
    words = "This image is larger than 8 MB. Use a smaller one."


class TooManyPixels(ImageRefused):
    code = "TOO_MANY_PIXELS"
    words = "This image has too many pixels (the limit is 16 to 25 megapixels). Use a smaller one."


class TooSmall(ImageRefused):
    code = "TOO_SMALL"
    words = "This image is smaller than 48 by 48 pixels. Use a larger one."


class TooNarrow(ImageRefused):
    code = "TOO_NARROW"
    words = "One side of this image is over eight times the other. Use one that is nearer a square."


class NoImage(ImageRefused):
    code = "NO_IMAGE"
    words = "The account has no picture."


class Placeholder(ImageRefused):
    code = "PLACEHOLDER"
    words = "The account shows the platform's default picture."


class HostRefused(ImageRefused):
    code = "HOST_REFUSED"
    words = "The picture is on a server that isn't the platform's."


class Expired(ImageRefused):
    code = "EXPIRED"
    words = "The picture's link has expired. The next sync brings a new one."


class Unreachable(ImageRefused):
    code = "UNREACHABLE"
    words = "The picture's server isn't answering."


class NotKept(ImageRefused):
    code = "NOT_KEPT"
    words = "The picture storage isn't working. Try again in a moment."
