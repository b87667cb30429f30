"""The environment: one reader for every setting, .env included."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def stop(message: str) -> NoReturn:
    """End the start with one clear line."""
    sys.stderr.write(f"greenroom: {message}\n")
    raise SystemExit(2)


LEAST: dict[str, float] = {
    "SYNC_FRESHNESS_MINUTES": 1,
    "SYNC_POST_LIMIT": 1,
    "SYNC_LEASE_SECONDS": 1,
    "SYNC_CONCURRENCY": 1,
    "CIRCUIT_FAILURES": 1,
    "CIRCUIT_OPEN_SECONDS": 1,
    "HTTP_TIMEOUT_SECONDS": 0.1,
    "YOUTUBE_DAILY_QUOTA": 0,
    "PROFILE_IMAGE_DAILY_LIMIT": 0,
    "PROFILE_IMAGE_MIN_HOURS": 0,
    "PROFILE_SCRAPE_MIN_HOURS": 0,
    "API_REQUESTS_PER_MINUTE": 1,
    "API_ANONYMOUS_REQUESTS_PER_MINUTE": 1,
    "PROXY_COUNT": 0,
    "WORKERS": 1,
}
"""Settings with which nothing works below this number."""

CHOICES = {
    "LOG_FORMAT": ("console", "json"),
    "LOG_LEVEL": ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"),
}
DELAYS = "SYNC_RETRY_DELAYS"


class Env(environ.Env):  # type: ignore[misc]
    """Says which setting is wrong instead of showing where it was read."""

    def get_value(self, var: str, cast: Any = None, *args: Any, **options: Any) -> Any:
        try:
            value = super().get_value(var, cast, *args, **options)
        except ValueError:
            kind = {int: "a whole number", float: "a number"}.get(cast, "of the right kind")
            stop(f"{var} must be {kind}. See .env.example.")
        if fault := _fault(var, value):
            stop(f"{var} must be {fault}. See .env.example.")
        return value

    def email_url(self, var: str, *args: Any, **options: Any) -> Any:
        try:
            return super().email_url(var, *args, **options)
        except (ImproperlyConfigured, KeyError, ValueError):
            stop(f"{var} must be like smtp://user:password@host:587. See .env.example.")

    def cache_url(self, var: str, *args: Any, **options: Any) -> Any:
        try:
            return super().cache_url(var, *args, **options)
        except (ImproperlyConfigured, KeyError, ValueError):
            stop(f"{var} must be like redis://host:6379/0. See .env.example.")


def _fault(var: str, value: Any) -> str:
    """What the value should be; empty when it is."""
    if var in LEAST and not _number(value, least=LEAST[var]):
        return f"a number of {LEAST[var]:g} or more"
    if var in CHOICES and value not in CHOICES[var]:
        return f"one of {', '.join(CHOICES[var])}"
    if var == DELAYS and not (value and all(_number(item, least=0) for item in value)):
        return "a comma list of seconds, like 0,2,4"
    return ""


def _number(value: Any, *, least: float) -> bool:
    try:
        return least <= float(value) < float("inf")
    except (TypeError, ValueError):
        return False


env = Env()
env.read_env(BASE_DIR / ".env")

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).expanduser().resolve()
