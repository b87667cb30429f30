"""Who is asking: a client by its bearer token, or a browser by its session and CSRF token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework import authentication, exceptions
from rest_framework.request import Request

from talent.models.api_token import ApiToken, digest_of
from talent.roles import must_set_up_second_factor

if TYPE_CHECKING:
    from talent.models import User


class BearerAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer grn_…``; any other scheme is left to the session."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = (
            ApiToken.objects.usable()
            .select_related("user")
            .filter(digest=digest_of(secret.strip()))
            .first()
        )
        if token is None:
            raise exceptions.AuthenticationFailed(
                "This token is unknown, expired or revoked. Ask for a new one."
            )
        token.mark_used()
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="greenroom"'


class SessionAuthentication(authentication.SessionAuthentication):
    """A signed-in browser; what changes anything needs the ``X-CSRFToken`` header too."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found: tuple[User, None] | None = super().authenticate(request)
        if found and must_set_up_second_factor(found[0]):
            raise exceptions.PermissionDenied(
                "Set up a second factor first, on your account's page. A token needs none."
            )
        return found
