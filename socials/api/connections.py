"""Accounts over HTTP: connect, poll, refresh, delete, and read what was found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from socials import connections
from socials.api import examples, rows
from socials.api.serializers import (
    ConnectionSerializer,
    HistoryPointSerializer,
    PostSerializer,
    RunSerializer,
)
from socials.models import Connection, Platform, Trigger
from talent.api.conditional import unless_unchanged
from talent.api.errors import gone_is_404
from talent.api.paging import page_of
from talent.api.schema import documented
from talent.api.serializers import Id, NoFields, PageQuery, Query, Strict, Text
from talent.api.views import ApiView, actor, no_content, success

TAG = "Connections"


class PlatformField(serializers.ChoiceField):
    """A platform's name in either case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=Platform.choices, **options)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data.upper() if isinstance(data, str) else data)


class ConnectManual(Strict):
    talent_id = Id(of="talent")
    platform = PlatformField()
    handle = Text(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=2000,
        help_text="With or without @.",
    )
    profile_url = Text(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=2000,
        help_text="Any usual link.",
    )


class HistoryQuery(Query):
    days = serializers.IntegerField(required=False, default=90, min_value=1, max_value=730)


CONNECT_EXAMPLES = (
    OpenApiExample(
        "By handle",
        value={"talentId": 3, "platform": "INSTAGRAM", "handle": "janesmith"},
        request_only=True,
    ),
    OpenApiExample(
        "By link",
        value={
            "talentId": 3,
            "platform": "YOUTUBE",
            "profileUrl": "https://www.youtube.com/@janesmith",
        },
        request_only=True,
    ),
)


class ConnectManually(ApiView):
    @documented(
        name="connectManually",
        example=examples.QUEUED,
        summary="Connect an account by handle or link",
        description="One of `handle` and `profileUrl` is needed. Answers 201 for a new connection, "
        "200 for one that was there. The first sync is queued at once: poll the connection.",
        tag=TAG,
        body=ConnectManual,
        answer=ConnectionSerializer,
        statuses=(200, 201),
        errors=(404, 409),
        examples=CONNECT_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        body = ConnectManual(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        connection, created = connections.connect(
            rows.existing_talent(wanted["talent_id"]),
            wanted["platform"],
            handle=wanted.get("handle") or "",
            profile_url=wanted.get("profile_url") or "",
            actor=actor(request),
        )
        with gone_is_404(Connection):
            return _answer(connection.pk, status=201 if created else 200)


class TalentConnections(ApiView):
    @documented(
        name="listConnections",
        example=examples.CONNECTION,
        summary="A talent's connections",
        description="Made for polling: send the last `ETag` in `If-None-Match` and get 304 while "
        "nothing has changed.",
        tag=TAG,
        answer=ConnectionSerializer,
        many=True,
        errors=(404,),
        polled=True,
    )
    def get(self, request: Request, talent_id: int) -> HttpResponseBase:
        return unless_unchanged(
            request,
            rows.version_of_list(talent_id),
            lambda: success(ConnectionSerializer(rows.connections_of(talent_id), many=True).data),
        )


class ConnectionDetail(ApiView):
    @documented(
        name="getConnection",
        example=examples.CONNECTION,
        summary="One connection",
        description="Made for polling, as the list is.",
        tag=TAG,
        answer=ConnectionSerializer,
        errors=(404,),
        polled=True,
    )
    def get(self, request: Request, connection_id: int) -> HttpResponseBase:
        return unless_unchanged(
            request, rows.version_of(connection_id), lambda: _answer(connection_id)
        )

    @documented(
        name="deleteConnection",
        summary="Delete a connection with all that was read from it",
        tag=TAG,
        statuses=(204,),
        errors=(404,),
    )
    def delete(self, request: Request, connection_id: int) -> Response:
        with gone_is_404(Connection):
            connections.disconnect(connection_id, actor=actor(request))
        return no_content()


class ConnectionSync(ApiView):
    @documented(
        name="syncConnection",
        example=examples.QUEUED,
        summary="Ask for a sync now",
        description="Works in every state; asking many times queues one sync.",
        tag=TAG,
        answer=ConnectionSerializer,
        statuses=(202,),
        errors=(400, 404, 413, 415),
    )
    def post(self, request: Request, connection_id: int) -> Response:
        NoFields.check(request)
        with gone_is_404(Connection):
            connections.request_sync(connection_id, trigger=Trigger.MANUAL, actor=actor(request))
        return _answer(connection_id, status=202)


class ConnectionPosts(ApiView):
    @documented(
        name="listPosts",
        example=examples.POST,
        summary="Posts, newest first",
        tag=TAG,
        answer=PostSerializer,
        many=True,
        query=PageQuery,
        errors=(404,),
    )
    def get(self, request: Request, connection_id: int) -> Response:
        query = PageQuery.read(request.query_params)
        page = page_of(
            rows.posts(connection_id),
            by="-posted_at",
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
        return success(PostSerializer(page.rows, many=True).data, page=page.facts())


class ConnectionHistory(ApiView):
    @documented(
        name="listHistory",
        example=examples.HISTORY_POINT,
        summary="One point a day, oldest first",
        tag=TAG,
        answer=HistoryPointSerializer,
        many=True,
        query=HistoryQuery,
        errors=(404,),
    )
    def get(self, request: Request, connection_id: int) -> Response:
        query = HistoryQuery.read(request.query_params)
        since = timezone.now().date() - timedelta(days=query["days"])
        points = rows.history(connection_id, after=since)
        return success(HistoryPointSerializer(points, many=True).data)


class ConnectionRuns(ApiView):
    @documented(
        name="listRuns",
        example=examples.RUN,
        summary="Attempts to sync, newest first",
        tag=TAG,
        answer=RunSerializer,
        many=True,
        query=PageQuery,
        errors=(404,),
    )
    def get(self, request: Request, connection_id: int) -> Response:
        query = PageQuery.read(request.query_params)
        page = page_of(
            rows.runs(connection_id),
            by="-started_at",
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
        return success(RunSerializer(page.rows, many=True).data, page=page.facts())


def _answer(connection_id: int, *, status: int = 200) -> Response:
    return success(ConnectionSerializer(rows.connection(connection_id)).data, status=status)
