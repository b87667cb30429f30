"""The environment: one reader for every setting, .env included."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import environ

BASE_DIR = Path(__file__).resolve().parent.parent


def stop(message: str) -> NoReturn:
    """End the start with one clear line."""
    sys.stderr.write(f"greenroom: {message}\n")
    raise SystemExit(2)


class Env(environ.Env):  # type: ignore[misc]
    """Says which setting is wrong instead of showing where it was read."""

    def get_value(self, var: str, cast: Any = None, *args: Any, **options: Any) -> Any:
        try:
            return super().get_value(var, cast, *args, **options)
        except ValueError:
            kind = {int: "a whole number", float: "a number"}.get(cast, "of the right kind")
            stop(f"{var} must be {kind}. See .env.example.")


env = Env()
env.read_env(BASE_DIR / ".env")

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).expanduser().resolve()
