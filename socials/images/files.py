"""A talent's pictures in storage: an uncropped master and three squares, named by their content."""

from __future__ import annotations

import re
from collections.abc import Callable

from socials.images.pixels import SIZES, Picture
from socials.images.storage import address, keeper
from socials.images.storage import sweep as sweep_folder

FOLDER = "photos"
NAME = re.compile(r"^(?P<name>[0-9a-f]{40})-(?P<size>64|128|512|master)\.webp\Z")


def path(name: str, size: int | str) -> str:
    return f"{FOLDER}/{name[:2]}/{name}-{size}.webp"


def paths(name: str) -> list[str]:
    """All files of a picture."""
    return [path(name, size) for size in (*SIZES, "master")]


def url(name: str, size: int | str = 512) -> str:
    """The address under which a browser finds it."""
    return address(path(name, size))


def keep(picture: Picture) -> None:
    """Write its files; those that are there become young again. Raises OSError."""
    for size, content in picture.squares.items():
        keeper.put(path(picture.name, size), content)
    keeper.put(path(picture.name, "master"), picture.master)


def master(name: str) -> bytes:
    """The uncropped picture. Raises FileNotFoundError, OSError."""
    with keeper.open(path(name, "master")) as file:
        return file.read()


def sweep(used: Callable[[list[str]], set[str]]) -> int:
    """Delete the files of names that nothing uses any more. How many."""
    return sweep_folder(FOLDER, name_of=_name, used=used)


def name_of(address: str) -> str:
    """The picture's name in its address; empty where there is none."""
    return _name(address.rpartition("/")[2])


def _name(file: str) -> str:
    match = NAME.match(file)
    return match["name"] if match else ""
