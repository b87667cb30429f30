"""Settings that production must give: what is missing stops the start with one clear line."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import environ
from cryptography.fernet import Fernet

from config import embedded_postgres
from config.env import env, stop


def needed(*names: str) -> None:
    """Stop unless all are set."""
    missing = [name for name in names if not env.str(name, default="")]
    if missing:
        which = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
        verb = "is" if len(missing) == 1 else "are"
        stop(f"{which} {verb} not set. With DEBUG off that is needed: see .env.example.")


def token_keys(keys: list[str], *, secret: str) -> list[str]:
    """Fernet keys for tokens at rest; without any (in DEBUG only) one is made of the secret key."""
    for key in keys or list(filter(None, [env.str("TOKEN_ENCRYPTION_KEYS", default="")])):
        try:
            Fernet(key)
        except ValueError:
            stop(
                "TOKEN_ENCRYPTION_KEYS must be a comma list of Fernet keys. Make one with: python -c "
                "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
            )
    return keys or [base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).decode()]


PATIENCE: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""A server whose machine vanished is noticed within half a minute, not within hours."""


def database(environment: environ.Env, data_dir: Path) -> dict[str, Any]:
    """Django's description of the database that DATABASE_URL names, or of the embedded one."""
    address: str = environment.str("DATABASE_URL", default="")
    if address and not address.startswith(("postgres://", "postgresql://")):
        stop("DATABASE_URL must be like postgres://user:password@host:5432/name.")
    if not address:
        try:
            address = embedded_postgres.url(data_dir)
        except embedded_postgres.ServerDidNotStart as reason:
            stop(str(reason))
    described = dict(environ.Env.db_url_config(address))
    described["OPTIONS"] = PATIENCE | described.get("OPTIONS", {})
    return described


def report_address(dsn: str) -> str:
    """Where error reports go; stops at what is no such address."""
    if dsn:
        from sentry_sdk.utils import Dsn  # noqa: PLC0415  only those who report need the SDK

        try:
            Dsn(dsn)
        except ValueError:
            stop("SENTRY_DSN must be like https://key@sentry.example/1. See .env.example.")
    return dsn


def no_sandbox_in_production(hosts: list[str], *, debug: bool) -> None:
    if hosts and not debug:
        stop("SANDBOX_HOSTS is for development: with DEBUG off it must not be set.")
