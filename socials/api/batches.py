"""Work on many talents at once over HTTP: begin it, watch it."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from socials import batches
from socials.api import rows
from socials.api.talents import RosterParameters, roster_filter
from socials.models.batch import Batch
from talent.api.errors import gone_is_404
from talent.api.schema import documented
from talent.api.serializers import Camel, Flag, Id, Instant, Several, Strict
from talent.api.views import ApiView, actor, success
from talent.models import Talent

TAG = "Batches"
MOST_TALENTS = 10_000


class ProgressSerializer(Camel):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(Batch.Kind.choices)
    total = serializers.IntegerField(help_text="Accounts to sync, or photos to refresh.")
    done = serializers.IntegerField(help_text="Went well.")
    failed = serializers.IntegerField(help_text="Did not: each account tells why.")
    started_at = Instant(allow_null=False)
    finished_at = Instant()


class NewBatch(Strict):
    kind = serializers.ChoiceField(Batch.Kind.choices)
    talent_ids = Several(
        child=Id(of="talent"), required=False, min_length=1, max_length=MOST_TALENTS
    )
    filter = RosterParameters(required=False, help_text="As the roster's parameters.")
    force_refresh = Flag(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("talent_ids" in attrs) == ("filter" in attrs):
            raise ValidationError(
                {"talentIds": ["Give talentIds, for example [3, 5], or a filter: one of the two."]}
            )
        return attrs


EXAMPLES = (
    OpenApiExample("Some talents", value={"kind": "sync", "talentIds": [3, 5]}, request_only=True),
    OpenApiExample(
        "By filter",
        value={"kind": "profile-images", "filter": {"platform": "INSTAGRAM"}, "forceRefresh": True},
        request_only=True,
    ),
)
STARTED = {
    "id": 7,
    "kind": "sync",
    "total": 4,
    "done": 0,
    "failed": 0,
    "startedAt": "2026-01-10T12:00:00Z",
    "finishedAt": None,
}


class BatchList(ApiView):
    @documented(
        name="startBatch",
        example=STARTED,
        summary="Sync accounts or refresh photos of many talents",
        description="An account that is queued or syncing already is not queued twice.",
        tag=TAG,
        body=NewBatch,
        answer=ProgressSerializer,
        statuses=(202,),
        errors=(404,),
        examples=EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        body = NewBatch(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        talents = _named(wanted["talent_ids"]) if "talent_ids" in wanted else _found(wanted)
        started = batches.begin(
            wanted["kind"], talents, force=wanted["force_refresh"], actor=actor(request)
        )
        return success(ProgressSerializer(started).data, status=202)


class BatchDetail(ApiView):
    @documented(
        name="getBatch",
        example=STARTED,
        summary="How far a batch is",
        tag=TAG,
        answer=ProgressSerializer,
        errors=(404,),
    )
    def get(self, request: Request, batch_id: int) -> Response:
        with gone_is_404(Batch):
            return success(ProgressSerializer(batches.progress(batch_id)).data)


def _named(ids: list[int]) -> Any:
    talents = Talent.objects.filter(pk__in=ids)
    missing = set(ids) - set(talents.values_list("pk", flat=True))
    if missing:
        raise Http404(f"There is no talent with the id {min(missing)}.")
    return talents


def _found(wanted: dict[str, Any]) -> Any:
    given = wanted["filter"]
    return rows.talents(roster_filter(given), unmanaged=given.get("manager") == "none")
