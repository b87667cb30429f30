"""A talent's media kit link over HTTP: make it, see it, turn it off."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from socials import kits
from socials.api import rows
from socials.models.kit_link import KitMetric
from talent.api.schema import documented
from talent.api.serializers import Camel, Instant, Several, Strict
from talent.api.views import ApiView, actor, no_content, success

TAG = "Intelligence"
EXAMPLE = {
    "url": "https://greenroom.example/kit/0fVtq1Yb2sK4pQm8Rz6nXcLd3wGhJuTe",
    "expiresAt": "2027-01-10T12:00:00Z",
    "metrics": ["photo", "followers", "engagementRate", "bestPosts"],
    "views": 12,
    "lastViewedAt": "2026-01-11T09:30:00Z",
    "createdAt": "2026-01-10T12:00:00Z",
}


class KitLinkSerializer(Camel):
    """The public link; who has it can read what it shows."""

    url = serializers.CharField()
    expires_at = Instant(allow_null=False)
    metrics = serializers.ListField(child=serializers.ChoiceField(KitMetric.values))
    views = serializers.IntegerField(help_text="Opened by people who aren't staff.")
    last_viewed_at = Instant()
    created_at = Instant(allow_null=False)


class NewKitLink(Strict):
    metrics = Several(
        child=serializers.ChoiceField(KitMetric.values),
        required=False,
        min_length=1,
        max_length=len(KitMetric.values),
        help_text="What it shows, in this order; without it all but the contact.",
    )
    expires_in_days = serializers.IntegerField(
        required=False, default=kits.USUAL_DAYS, min_value=1, max_value=kits.LONGEST_DAYS
    )


class KitLinkOfTalent(ApiView):
    @documented(
        name="getKitLink",
        example=EXAMPLE,
        summary="A talent's open media kit link",
        tag=TAG,
        answer=KitLinkSerializer,
        errors=(404,),
    )
    def get(self, request: Request, talent_id: int) -> Response:
        link = kits.current(rows.existing_talent(talent_id).pk)
        if link is None:
            raise Http404("This talent has no open media kit link. Make one with POST.")
        return success(KitLinkSerializer(link).data)

    @documented(
        name="makeKitLink",
        example=EXAMPLE | {"views": 0, "lastViewedAt": None},
        summary="Make a talent's public media kit link",
        description="An earlier link stops working at once.",
        tag=TAG,
        body=NewKitLink,
        answer=KitLinkSerializer,
        statuses=(201,),
        errors=(404,),
        examples=(
            OpenApiExample(
                "Chosen numbers",
                value={"metrics": ["followers", "engagementRate"], "expiresInDays": 90},
                request_only=True,
            ),
        ),
    )
    def post(self, request: Request, talent_id: int) -> Response:
        talent = rows.existing_talent(talent_id)
        body = NewKitLink(data=request.data)
        body.is_valid(raise_exception=True)
        wanted: dict[str, Any] = body.validated_data
        link = kits.create(
            talent,
            metrics=wanted.get("metrics", ()),
            expires_in_days=wanted["expires_in_days"],
            actor=actor(request),
        )
        return success(KitLinkSerializer(link).data, status=201)

    @documented(
        name="revokeKitLink",
        summary="Turn a talent's media kit link off",
        tag=TAG,
        statuses=(204,),
        errors=(404,),
    )
    def delete(self, request: Request, talent_id: int) -> Response:
        kits.revoke(rows.existing_talent(talent_id), actor=actor(request))
        return no_content()
