"""Where pictures lie: a folder of this machine here, or a bucket (``socials.images.bucket``).

Files are named by their content, written whole or not at all, and never changed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, cast

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils import timezone

GRACE = timedelta(hours=1)
"""A file may be written a moment before the row that names it."""
UNFINISHED = ".part"
AT_ONCE = 1000
IMMUTABLE = "public, max-age=31536000, immutable"
"""How long a picture may be cached: for ever, it is never another one."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The address at which a browser itself can get a file, and for how many seconds."""

    url: str
    seconds: int


class Keeper(Protocol):
    """What is asked of the place. Each raises OSError when it does not answer or is full."""

    def put(self, path: str, content: bytes) -> None: ...

    def open(self, name: str, mode: str = "rb") -> BinaryIO:
        """Raises FileNotFoundError."""

    def exists(self, name: str) -> bool: ...

    def remove(self, paths: Iterable[str]) -> None:
        """What is not there is no fault."""

    def walk(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """Every file under a folder with the time of its last writing."""

    def elsewhere(self, path: str) -> Elsewhere | None:
        """None: Greenroom serves it itself."""


keeper = cast("Keeper", default_storage)


def address(path: str) -> str:
    """Under which a browser finds it. It stays when the pictures move to another place."""
    return f"{settings.MEDIA_URL}{path}"


def sweep(
    folder: str, *, name_of: Callable[[str], str], used: Callable[[list[str]], set[str]]
) -> int:
    """Delete the files whose name nothing uses and that are older than ``GRACE``. How many.

    ``name_of`` tells the name in a file's name, empty for a foreign file, which stays. ``used`` is
    asked after the files were listed, so that what is just coming into use is not taken.
    """
    swept = 0
    eldest = timezone.now() - GRACE
    old = (path for path, at in keeper.walk(folder) if at < eldest)
    while part := list(islice(old, AT_ONCE)):
        names = {path: _name(path, name_of) for path in part}
        kept = used(sorted({name for name in names.values() if name}))
        gone = [path for path, name in names.items() if name is not None and name not in kept]
        keeper.remove(gone)
        swept += len(gone)
    return swept


def _name(path: str, name_of: Callable[[str], str]) -> str | None:
    """The name that may be in use; empty for what a lost worker left, None for a foreign file."""
    file = PurePosixPath(path).name
    return "" if file.endswith(UNFINISHED) else name_of(file) or None


class Disk(FileSystemStorage):
    """A folder. A file appears under its name only when all of it is on the disk."""

    def put(self, path: str, content: bytes) -> None:
        where = Path(self.path(path))
        where.parent.mkdir(parents=True, exist_ok=True)
        unfinished = where.with_name(f".{secrets.token_hex(8)}{UNFINISHED}")
        try:
            with unfinished.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(where)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            Path(self.path(path)).unlink(missing_ok=True)

    def walk(self, folder: str) -> Iterator[tuple[str, datetime]]:
        top = Path(self.path(folder))
        for file in top.rglob("*"):
            try:
                written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            except FileNotFoundError:
                continue
            if file.is_file():
                yield f"{folder}/{file.relative_to(top).as_posix()}", written

    def elsewhere(self, path: str) -> Elsewhere | None:
        return None
