"""Posts' pictures in storage: one square WebP each, named by its content."""

from __future__ import annotations

import re
from collections.abc import Callable

from socials.images.storage import address, keeper
from socials.images.storage import sweep as sweep_folder

FOLDER = "thumbs"
NAME = re.compile(r"^(?P<name>[0-9a-f]{40})\.webp\Z")


def path(name: str) -> str:
    return f"{FOLDER}/{name[:2]}/{name}.webp"


def url(name: str) -> str:
    """The address under which a browser finds it."""
    return address(path(name))


def keep(name: str, content: bytes) -> None:
    """Write it; one that is there becomes young again. Raises OSError."""
    keeper.put(path(name), content)


def sweep(used: Callable[[list[str]], set[str]]) -> int:
    """Delete the files of names that nothing uses any more. How many."""
    return sweep_folder(FOLDER, name_of=_name, used=used)


def _name(file: str) -> str:
    match = NAME.match(file)
    return match["name"] if match else ""
