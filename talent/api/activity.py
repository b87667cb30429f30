"""Who did what: the activity log as a list, newest first."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from talent.api.paging import page_of
from talent.api.schema import documented
from talent.api.serializers import Camel, Instant, OrNull, PageQuery
from talent.api.views import ApiView, success
from talent.models import Activity


class Person(serializers.Serializer[Any]):
    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()


class ActivityEntry(Camel):
    id = serializers.IntegerField()
    at = Instant(allow_null=False)
    actor = serializers.SerializerMethodField(help_text="Null when the system did it.")
    action = serializers.CharField(help_text="`noun.verb`, for example `connection.connected`.")
    talent_id = serializers.IntegerField(allow_null=True)
    object = OrNull()
    details = serializers.DictField()

    def get_actor(self, entry: Activity) -> dict[str, Any] | None:
        if entry.actor_id is None:
            return None
        return {"id": entry.actor_id, "name": entry.actor_name}


EXAMPLE = {
    "id": 77,
    "at": "2026-01-09T09:30:00Z",
    "actor": {"id": 7, "name": "Alice Archer"},
    "action": "connection.connected",
    "talentId": 3,
    "object": "Instagram janesmith",
    "details": {"connectionId": 12, "platform": "INSTAGRAM", "handle": "janesmith"},
}


class ActivityQuery(PageQuery):
    talent = serializers.IntegerField(required=False, min_value=1, help_text="A talent's id.")
    actor = serializers.RegexField(
        r"^(system|[0-9]{1,18})$", required=False, help_text="A user's id, or `system`."
    )
    action = serializers.RegexField(
        r"^[a-z_-]+(\.[a-z_-]+)?$",
        required=False,
        max_length=64,
        help_text="An action, or its noun alone: `connection` finds `connection.connected` too.",
    )


class ActivityList(ApiView):
    @documented(
        name="listActivity",
        example=EXAMPLE,
        summary="Who did what to whom, newest first",
        tag="Activity",
        answer=ActivityEntry,
        many=True,
        query=ActivityQuery,
    )
    def get(self, request: Request) -> Response:
        query = ActivityQuery.read(request.query_params)
        page = page_of(
            Activity.objects.of(
                talent=query.get("talent"), actor=query.get("actor"), action=query.get("action")
            ),
            by="-at",
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
        return success(ActivityEntry(page.rows, many=True).data, page=page.facts())
