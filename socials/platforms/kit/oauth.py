"""What a platform's OAuth flow must offer, the proof key that goes with it, and what the answers of
all token endpoints have in common.

A platform's ``oauth.py`` is a module of these names: plain functions, no Django, no state.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from scraping.wire import Fields
from socials.types import Context, Profile, TokenGrant

LONGEST_LIFE = timedelta(days=3650)
"""Of a token, whatever its platform says."""


class Flow(Protocol):
    """An authorisation code flow. Every function raises Failure."""

    NEEDS: tuple[str, ...]
    """Settings without which it can't begin."""
    SCOPES: Mapping[str, str]
    """What is asked → what is lost without it, in words for the talent's agency."""
    LEAD: timedelta
    """How long before its end an access token is refreshed."""
    YOUNGEST: timedelta
    """A token must be so old before it can be refreshed."""
    USES_PKCE: bool

    def authorize_url(
        self,
        settings: Mapping[str, str],
        *,
        redirect_uri: str,
        state: str,
        challenge: str,
        again: bool,
    ) -> str:
        """Where the talent's browser goes. ``again`` lets another account be chosen."""

    def exchange(
        self, context: Context, *, code: str, redirect_uri: str, verifier: str
    ) -> TokenGrant:
        """The grant for the code of the redirect, with the longest-lived token there is."""

    def whoami(self, context: Context, grant: TokenGrant) -> Profile:
        """The account that was granted: one real read."""

    def refresh(self, context: Context, grant: TokenGrant) -> TokenGrant:
        """A fresh token; ``refresh_token`` is empty where the old one stays good."""

    def revoke(self, context: Context, grant: TokenGrant) -> None:
        """Give the permission back."""


def proof_key() -> tuple[str, str]:
    """A verifier, and its S256 challenge (RFC 7636)."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def end_of(told: Fields, key: str, context: Context) -> datetime | None:
    """The moment that lies so many seconds ahead; None where the answer does not tell it."""
    seconds = told.count(key)
    if seconds is None:
        return None
    return context.clock() + min(timedelta(seconds=min(seconds, 10**9)), LONGEST_LIFE)
