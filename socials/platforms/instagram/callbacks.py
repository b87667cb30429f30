"""Meta's ``signed_request``: who took a permission back, or wants everything deleted.

Reference: https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from socials.platforms.kit.callbacks import Forged


def secrets(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Those that Meta may sign with: the Instagram app's for Instagram Login, else the Meta app's."""
    known = (settings["META_APP_SECRET"], settings["INSTAGRAM_CLIENT_SECRET"])
    return tuple(dict.fromkeys(secret for secret in known if secret))


def person(signed_request: str, secrets: Sequence[str]) -> str:
    """The id under which our app knows the person. Raises Forged."""
    signature, dot, payload = signed_request.partition(".")
    if not dot or not payload:
        raise Forged("signed_request is not SIGNATURE.PAYLOAD")
    given = _decoded(signature)
    # The signature is of the payload as it travels, not of what it holds.
    if not any(hmac.compare_digest(given, _signed(payload, secret)) for secret in secrets):
        raise Forged("the signature is not Meta's")
    try:
        told = json.loads(_decoded(payload))
    except (ValueError, RecursionError):
        raise Forged("the payload is not JSON") from None
    if not isinstance(told, dict) or str(told.get("algorithm", "")).upper() != "HMAC-SHA256":
        raise Forged("the algorithm is not HMAC-SHA256")
    user_id = told.get("user_id")
    if isinstance(user_id, bool) or not isinstance(user_id, (str, int)) or not str(user_id):
        raise Forged("the payload names no user_id")
    return str(user_id)[:120]


def _signed(payload: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()


def _decoded(text: str) -> bytes:
    """base64url without its padding. Raises Forged."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Forged("signed_request is not base64url") from None
