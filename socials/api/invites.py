"""Links by which a talent connects her accounts, and the end of her flow for script clients."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from socials import authorisation, invites, platforms
from socials.api import examples, rows
from socials.api.connections import PlatformField
from socials.api.serializers import ConnectionSerializer
from socials.authorisation import InvalidState, LinkEnded, Refused
from socials.grants import WrongAccount
from socials.models import Invite
from talent.api.errors import Conflict
from talent.api.schema import documented
from talent.api.serializers import Camel, Instant, Several, Strict, Text
from talent.api.views import ApiView, actor, no_content, success

TAG = "Connect links"
LONGEST = 4096
"""Characters of a code or a state."""


class StateRefused(APIException):
    status_code = 400
    error_code = "INVALID_STATE"


class OAuthFailed(APIException):
    status_code = 502
    error_code = "OAUTH_FAILED"


class ConnectLinkRequest(Strict):
    platforms = Several(
        child=PlatformField(),
        required=False,
        max_length=10,
        help_text="Those that she is asked for; all that are set up unless told.",
    )
    expires_in_hours = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=invites.LONGEST_HOURS,
        default=invites.DEFAULT_HOURS,
    )
    email = serializers.EmailField(
        required=False, allow_blank=True, help_text="The link is sent there too."
    )


class ConnectLinkSerializer(Camel):
    url = serializers.CharField()
    expires_at = Instant(allow_null=False)


class Callback(Strict):
    platform = PlatformField()
    code = Text(max_length=LONGEST)
    state = Text(max_length=LONGEST)


LINK = {
    "url": "https://greenroom.example/connect/7hK2qPzdV0mB4xYs8nTfLw3cRj6aUe1G",
    "expiresAt": "2026-01-17T12:00:00Z",
}


class ConnectLinks(ApiView):
    @documented(
        name="createConnectLink",
        summary="A link by which the talent connects her accounts herself",
        description="Keep it between you and her: whoever opens it connects accounts to this "
        "talent. It is shown again on the talent's page until it ends or is turned off.",
        tag=TAG,
        body=ConnectLinkRequest,
        answer=ConnectLinkSerializer,
        statuses=(201,),
        errors=(404,),
        example=LINK,
        examples=(
            OpenApiExample(
                "For two platforms",
                value={"platforms": ["INSTAGRAM", "TIKTOK"], "expiresInHours": 168},
                request_only=True,
            ),
        ),
    )
    def post(self, request: Request, talent_id: int) -> Response:
        body = ConnectLinkRequest(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        invite = invites.create(
            rows.existing_talent(talent_id),
            wanted=wanted.get("platforms", ()),
            expires_in_hours=wanted["expires_in_hours"],
            email=wanted.get("email", ""),
            actor=actor(request),
        )
        return success(_shown(invite), status=201)

    @documented(
        name="revokeConnectLinks",
        summary="Turn off every open link of the talent",
        description="Accounts that are connected stay connected.",
        tag=TAG,
        statuses=(204,),
        errors=(404,),
    )
    def delete(self, request: Request, talent_id: int) -> Response:
        invites.revoke(rows.existing_talent(talent_id), actor=actor(request))
        return no_content()


class OAuthCallback(ApiView):
    """The session that began the flow is who may end it; no token and no role is asked."""

    authentication_classes = ()
    permission_classes = ()

    @documented(
        name="finishOAuth",
        summary="End a flow that this browser session began",
        description="For clients that take the platform's redirect themselves. What the talent "
        "granted is saved at once. A state is good once, for fifteen minutes, in the session in "
        "which `/oauth/{platform}/start` was opened.",
        tag=TAG,
        body=Callback,
        answer=ConnectionSerializer,
        errors=(409, 502),
        codes={400: ("INVALID_STATE",), 502: ("OAUTH_FAILED",)},
        example=examples.CONNECTION | {"connectionType": "OAUTH", "source": "instagram_login"},
    )
    def post(self, request: Request) -> Response:
        body = Callback(data=request.data)
        body.is_valid(raise_exception=True)
        told = body.validated_data
        try:
            connection_id = _finish(request, **told)
        except (InvalidState, LinkEnded) as refusal:
            raise StateRefused(_words(refusal)) from None
        except Refused as refusal:
            raise OAuthFailed(_words(refusal)) from None
        except WrongAccount as wrong:
            raise Conflict(str(wrong)) from None
        return success(ConnectionSerializer(rows.connection(connection_id)).data)


def _finish(request: Request, *, platform: str, code: str, state: str) -> int:
    if not platforms.get(platform).oauth:
        raise ValidationError(
            {"platform": ["This platform has no sign-in. Use INSTAGRAM, TIKTOK or YOUTUBE."]}
        )
    session = request._request.session
    pending = authorisation.come_back(session, platform, state=state, code=code)
    adopted = authorisation.confirm(pending)
    authorisation.start_over(session, pending)
    return adopted.connection.pk


def _words(refusal: Refused) -> str:
    return f"{refusal.message} {refusal.hint}".strip()


def _shown(invite: Invite) -> dict[str, Any]:
    return dict(ConnectLinkSerializer(invite).data)
