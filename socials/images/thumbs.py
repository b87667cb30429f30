"""Where posts' pictures are kept: one square WebP each, named by its content, written once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from socials.images.files import GRACE

FOLDER = "thumbs"
NAME = re.compile(r"^(?P<name>[0-9a-f]{40})\.webp$")


def path(name: str) -> str:
    return f"{FOLDER}/{name[:2]}/{name}.webp"


def url(name: str) -> str:
    """The address under which a browser finds it."""
    return default_storage.url(path(name))


def keep(name: str, content: bytes) -> None:
    where = path(name)
    if not default_storage.exists(where):
        default_storage.save(where, ContentFile(content))


def sweep(in_use: Iterable[str]) -> int:
    """Delete the files of names that nothing uses any more. Returns how many."""
    used, eldest, swept = set(in_use), timezone.now() - GRACE, 0
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
