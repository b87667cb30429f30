"""Where pictures are kept: content-hashed names, written once, never changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from socials.images.pixels import SIZES, Picture

FOLDER = "photos"
NAME = re.compile(r"^(?P<name>[0-9a-f]{40})-(?P<size>64|128|512|master)\.webp$")
GRACE = timedelta(hours=1)
"""A file may be written a moment before the row that names it."""


def path(name: str, size: int | str) -> str:
    return f"{FOLDER}/{name[:2]}/{name}-{size}.webp"


def url(name: str, size: int | str = 512) -> str:
    """The address under which a browser finds it."""
    return default_storage.url(path(name, size))


def keep(picture: Picture) -> None:
    """Write the files that are not there yet."""
    contents = {path(picture.name, size): content for size, content in picture.squares.items()}
    contents[path(picture.name, "master")] = picture.master
    for where, content in contents.items():
        if not default_storage.exists(where):
            default_storage.save(where, ContentFile(content))


def master(name: str) -> bytes:
    """The uncropped picture. Raises FileNotFoundError."""
    with default_storage.open(path(name, "master")) as file:
        content: bytes = file.read()
        return content


def sweep(in_use: Iterable[str]) -> int:
    """Delete the files of names that nothing uses any more. Returns how many."""
    used = set(in_use)
    eldest = timezone.now() - GRACE
    swept = 0
    for folder in _folders():
        for file in default_storage.listdir(f"{FOLDER}/{folder}")[1]:
            match = NAME.match(file)
            where = f"{FOLDER}/{folder}/{file}"
            if match is None or match["name"] in used:
                continue
            if default_storage.get_modified_time(where) < eldest:
                default_storage.delete(where)
                swept += 1
    return swept


def _folders() -> list[str]:
    try:
        return default_storage.listdir(FOLDER)[0]
    except FileNotFoundError:
        return []


def all_sizes(name: str) -> dict[str, str]:
    return {str(size): url(name, size) for size in SIZES}
