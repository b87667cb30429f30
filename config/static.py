"""Static files as production serves them: collected, compressed, under hashed names."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect() -> bool:
    """Collect them, unless what is there is newer than every source. Whether it had to be done.

    An image has them built in and may be read-only.
    """
    if settings.DEBUG or not _stale():
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    return True


def _stale() -> bool:
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.exists():
        return True
    collected = manifest.stat().st_mtime
    return any(
        Path(storage.path(name)).stat().st_mtime > collected
        for finder in get_finders()
        for name, storage in finder.list([])
    )
