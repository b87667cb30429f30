"""Secrets that must be read again: encrypted at rest with TOKEN_ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


def keyring() -> MultiFernet:
    """The first key encrypts, all decrypt."""
    return MultiFernet([Fernet(key) for key in settings.TOKEN_ENCRYPTION_KEYS])


class SecretField(models.TextField[str, str]):
    """Text that is encrypted in the database and plain on the instance. "" stays ""."""

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return value
        return keyring().encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        if not value:
            return value
        try:
            return keyring().decrypt(value.encode()).decode()
        except InvalidToken:
            raise ImproperlyConfigured(
                "A stored token can't be decrypted: a key is missing from TOKEN_ENCRYPTION_KEYS."
            ) from None
