"""``python -m bench [NAME …]``: measure, print a table, keep JSON in var/bench.

At the end ``bench.report`` puts all figures of that folder side by side, as table, JSON and picture.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

if TYPE_CHECKING:
    from bench.figures import Figure

FOLDER = Path(
    os.environ.get("BENCH_DIR") or Path(__file__).resolve().parent.parent / "var" / "bench"
)
NAMES = (
    "storing",
    "scale",
    "day",
    "pages",
    "throughput",
    "memory",
    "load",
    "photos",
    "intelligence",
    "history",
    "webhooks",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    names = parser.parse_args().names or NAMES
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(NAMES)}")
    set_up()
    figures: list[Figure] = []
    for name in names:
        figures += _measure(name)
    import_module("bench.report").write(FOLDER)
    sys.stdout.write(f"All figures side by side: {FOLDER / 'report'}.txt, .json, .svg\n")
    return int(any(figure.met is False for figure in figures))


def set_up() -> None:
    """A database server of our own; nothing here touches the one of ``make run``."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("DATABASE_URL", "SANDBOX_HOSTS"):
        os.environ.pop(name, None)
    os.environ |= {
        "VAR_DIR": str(FOLDER),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "ERROR"),
    }
    django.setup()
    call_command("migrate", verbosity=0)


def _measure(name: str) -> list[Figure]:
    # Models can be imported only once Django is set up.
    figures = import_module("bench.figures")
    found: list[Figure] = import_module(f"bench.{name}").measure()
    figures.keep(FOLDER, name, found)
    figures.show(found)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
