"""Why an image was not taken: facts with a code and plain words."""

from __future__ import annotations

from typing import ClassVar


class ImageRefused(Exception):
    """An image that we don't take. ``str()`` is fit for people: no URL, no secret."""

    code: ClassVar[str] = "IMAGE_REFUSED"
    title: ClassVar[str] = "Not usable"
    words: ClassVar[str] = "This image can't be used."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.words)


class NotAnImage(ImageRefused):
    code = "NOT_AN_IMAGE"
    title = "Not an image"
    words = "This file isn't a JPEG, PNG or WebP image."


class Animated(ImageRefused):
    code = "ANIMATED"
    title = "Animated"
    words = "This image is animated. Use a still JPEG, PNG or WebP."


class Broken(ImageRefused):
    code = "BROKEN"
    title = "Damaged"
    words = "This image is damaged or incomplete."


class TooLarge(ImageRefused):
    code = "TOO_LARGE"
    title = "Over 8 MB"
    words = "This image is larger than 8 MB. Use a smaller one."


class TooManyPixels(ImageRefused):
    code = "TOO_MANY_PIXELS"
    title = "Too many pixels"
    words = "This image has too many pixels (the limit is 10 to 25 megapixels, by its kind). Use a smaller one."


class TooSmall(ImageRefused):
    code = "TOO_SMALL"
    title = "Too small"
    words = "This image is smaller than 48 by 48 pixels. Use a larger one."


class TooNarrow(ImageRefused):
    code = "TOO_NARROW"
    title = "Too narrow"
    words = "One side of this image is over eight times the other. Use one that is nearer a square."


class NoImage(ImageRefused):
    code = "NO_IMAGE"
    title = "No picture"
    words = "The account has no picture."


class Placeholder(ImageRefused):
    code = "PLACEHOLDER"
    title = "Default picture"
    words = "The account shows the platform's default picture."


class HostRefused(ImageRefused):
    code = "HOST_REFUSED"
    title = "Foreign server"
    words = "The picture is on a server that isn't the platform's."


class Expired(ImageRefused):
    code = "EXPIRED"
    title = "Link expired"
    words = "The picture's link has expired. The next sync brings a new one."


class Unreachable(ImageRefused):
    code = "UNREACHABLE"
    title = "Not answering"
    words = "The picture's server isn't answering."


class NotKept(ImageRefused):
    code = "NOT_KEPT"
    title = "Storage not working"
    words = "The picture storage isn't working. Try again in a moment."


TITLES = {kind.code: kind.title for kind in (ImageRefused, *ImageRefused.__subclasses__())}
"""Code → the cause in two or three words, for a list."""
