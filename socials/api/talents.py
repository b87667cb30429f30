"""The roster over HTTP: list, add, read, change, delete."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from socials.api import examples, rows
from socials.api.connections import PlatformField
from socials.api.serializers import TalentSerializer
from socials.models import SyncStatus
from socials.rosters import RosterFilter
from talent import roster
from talent.api.errors import gone_is_404
from talent.api.paging import page_of
from talent.api.schema import documented
from talent.api.serializers import BIGGEST_ID, PageQuery, Query, Several, Strict, Text
from talent.api.views import ApiView, actor, no_content, success
from talent.models import Talent

TAG = "Talent"
ORDERINGS = {
    "name": "name_key",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "totalFollowers": "total_followers",
}
CHOICES = [sign + name for name in ORDERINGS for sign in ("", "-")]


NAMELESS: Any = dict.fromkeys(("required", "blank"), "Give a name, like Jane Smith.")


class RosterParameters(Query):
    """What narrows the roster down."""

    search = serializers.CharField(
        required=False, max_length=200, help_text="In name, e-mail, tags and handles."
    )
    platform = PlatformField(required=False, help_text="Talents with an account there.")
    sync_status = serializers.ChoiceField(
        SyncStatus.choices, required=False, help_text="Talents with an account in this state."
    )
    manager = serializers.RegexField(
        r"^(none|[0-9]{1,18})$", required=False, help_text="A user's id, or `none`."
    )
    status = serializers.ChoiceField(
        [*Talent.Status.values, "all"], required=False, default=Talent.Status.ACTIVE.value
    )


class TalentQuery(RosterParameters, PageQuery):
    ordering = serializers.ChoiceField(CHOICES, required=False, default="name")


class PersonId(serializers.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=BIGGEST_ID, **options)


@extend_schema_field({"type": "string", "format": "email", "maxLength": 254})
class Email(Text):
    """Text here: the roster's own rule decides, with its own words."""


class NewTalent(Strict):
    name = Text(max_length=200, error_messages=NAMELESS)
    email = Email(required=False, allow_blank=True, max_length=254)
    bio = Text(required=False, allow_blank=True, max_length=10_000)
    tags = Several(child=Text(max_length=50), required=False, max_length=50)
    location = Text(required=False, allow_blank=True, max_length=120)
    timezone = Text(required=False, max_length=64, help_text="For example `Europe/Berlin`.")
    manager_id = PersonId(required=False, allow_null=True, help_text="A member of staff.")
    linked_user_id = PersonId(
        required=False, allow_null=True, help_text="The talent's own sign-in."
    )


class TalentChanges(NewTalent):
    """Any subset; what is not named stays."""

    name = Text(required=False, max_length=200, error_messages=NAMELESS)
    status = serializers.ChoiceField(Talent.Status.choices, required=False)


NEW_EXAMPLE = OpenApiExample(
    "A new talent",
    value={"name": "Jane Smith", "email": "jane@example.com", "tags": ["food", "travel"]},
    request_only=True,
)


class TalentList(ApiView):
    @documented(
        name="listTalent",
        example=examples.TALENT,
        summary="The roster",
        description="Archived talents only with `status=archived` or `all`.",
        tag=TAG,
        answer=TalentSerializer,
        many=True,
        query=TalentQuery,
    )
    def get(self, request: Request) -> Response:
        query = TalentQuery.read(request.query_params)
        descending = "-" if query["ordering"].startswith("-") else ""
        talents = rows.talents(roster_filter(query), unmanaged=query.get("manager") == "none")
        page = page_of(
            talents,
            by=descending + ORDERINGS[query["ordering"].lstrip("-")],
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
        return success(
            TalentSerializer(page.rows, many=True).data, page=page.facts(count=talents.count())
        )

    @documented(
        name="addTalent",
        example=examples.TALENT,
        summary="Add a talent",
        tag=TAG,
        body=NewTalent,
        answer=TalentSerializer,
        statuses=(201,),
        errors=(409,),
        examples=(NEW_EXAMPLE,),
    )
    def post(self, request: Request) -> Response:
        body = NewTalent(data=request.data)
        body.is_valid(raise_exception=True)
        talent = roster.add(**body.validated_data, actor=actor(request))
        return _answer(talent.pk, status=201)


class TalentDetail(ApiView):
    @documented(
        name="getTalent",
        example=examples.TALENT,
        summary="One talent",
        tag=TAG,
        answer=TalentSerializer,
        errors=(404,),
    )
    def get(self, request: Request, talent_id: int) -> Response:
        return _answer(talent_id)

    @documented(
        name="changeTalent",
        example=examples.TALENT,
        summary="Change a talent",
        tag=TAG,
        body=TalentChanges,
        answer=TalentSerializer,
        errors=(404, 409),
    )
    def patch(self, request: Request, talent_id: int) -> Response:
        body = TalentChanges(data=request.data)
        body.is_valid(raise_exception=True)
        with gone_is_404(Talent):
            roster.update(talent_id, actor=actor(request), **body.validated_data)
        return _answer(talent_id)

    @documented(
        name="deleteTalent",
        summary="Delete a talent with everything that was read of it",
        description="To keep the history, archive instead: `PATCH` with `status: archived`.",
        tag=TAG,
        statuses=(204,),
        errors=(404,),
    )
    def delete(self, request: Request, talent_id: int) -> Response:
        with gone_is_404(Talent):
            roster.delete(talent_id, actor=actor(request))
        return no_content()


def roster_filter(query: dict[str, Any]) -> RosterFilter:
    manager = query.get("manager", "none")
    return RosterFilter(
        search=query.get("search", ""),
        platform=query.get("platform", ""),
        sync_status=query.get("sync_status", ""),
        manager=None if manager == "none" else int(manager),
        status=query["status"],
    )


def _answer(talent_id: int, *, status: int = 200) -> Response:
    return success(TalentSerializer(rows.talent(talent_id)).data, status=status)
