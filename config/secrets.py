"""Settings that production must give: what is missing stops the start with one clear line."""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path
from typing import Any, NoReturn

import environ

from config import embedded_postgres
from config.env import env


def stop(message: str) -> NoReturn:
    sys.stderr.write(f"greenroom: {message}\n")
    raise SystemExit(2)


def required(name: str, *, local: str, debug: bool) -> str:
    """The setting, or ``local`` in DEBUG; with DEBUG off a missing one stops the start."""
    value: str = env.str(name, default="")
    if value:
        return value
    if not debug:
        stop(f"{name} is not set. With DEBUG off it must be: see .env.example.")
    return local


def production_names(*names: str) -> None:
    missing = [name for name in names if not env.str(name, default="")]
    if missing:
        stop(f"{', '.join(missing)} not set. With DEBUG off they must be: see .env.example.")


def token_keys(keys: list[str], *, debug: bool, secret: str) -> list[str]:
    """Fernet keys for tokens at rest; derived from the secret key in DEBUG only."""
    if keys:
        return keys
    if not debug:
        stop("TOKEN_ENCRYPTION_KEYS is not set. With DEBUG off it must be: see .env.example.")
    return [base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).decode()]


def database(environment: environ.Env, data_dir: Path) -> dict[str, Any]:
    if environment.str("DATABASE_URL", default=""):
        return dict(environment.db_url("DATABASE_URL"))
    return dict(environ.Env.db_url_config(embedded_postgres.url(data_dir)))
