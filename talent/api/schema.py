"""The API described: one decorator that says what an endpoint takes, answers and refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers

from talent.api.errors import CODES
from talent.rules import camel

V = TypeVar("V", bound=Callable[..., Any])

ALWAYS = (401, 403, 429, 500, 503)
DONE = {200: "As asked.", 201: "Made.", 202: "Queued.", 204: "Done."}
MEANINGS = {
    400: "A value is missing, unknown or senseless: `details` names the field.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The role does not allow it.",
    404: "There is no such thing.",
    409: "It clashes with what is already there.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too many requests: wait for `Retry-After` seconds.",
    500: "Our fault: quote `requestId`.",
    502: "The platform could not be read.",
    503: "A part of Greenroom is away for the moment.",
}
EXAMPLES: dict[int, dict[str, Any]] = {
    400: {"message": "name: This field is required.", "details": {"name": ["This field is required."]}},
    401: {"message": "Authentication credentials were not provided."},
    403: {"message": "Viewers read and managers change. Ask an administrator for the role you need."},
    404: {"message": "There is no talent with this id."},
    409: {"message": "This user is already linked to Jane Smith."},
    413: {"message": "The body is larger than 2,621,440 bytes."},
    415: {"message": 'Unsupported media type "text/plain" in request.'},
    429: {"message": "Request was throttled. Expected available in 3 seconds."},
    500: {"message": "Something went wrong on our side. Quote the request id when you report it."},
    502: {"message": "Failed to sync profile image: Instagram isn't answering."},
    503: {"message": "The database isn't answering. Try again in a moment."},
}  # fmt: skip


@extend_schema_field({"type": "boolean", "const": True})
class Yes(serializers.BooleanField):
    pass


@extend_schema_field({"type": "boolean", "const": False})
class No(serializers.BooleanField):
    pass


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
)
class Details(serializers.DictField):
    pass


class PageFacts(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True, help_text="`cursor` of the next page.")
    count = serializers.IntegerField(required=False, help_text="Entries on all pages.")


def documented(
    *,
    name: str,
    summary: str,
    tag: str,
    answer: type[serializers.Serializer[Any]] | None = None,
    many: bool = False,
    statuses: Sequence[int] = (200,),
    body: type[serializers.Serializer[Any]]
    | dict[str, type[serializers.Serializer[Any]]]
    | None = None,
    query: type[serializers.Serializer[Any]] | None = None,
    errors: Sequence[int] = (),
    codes: Mapping[int, Sequence[str]] | None = None,
    polled: bool = False,
    description: str = "",
    example: Any = None,
    examples: Sequence[OpenApiExample] = (),
) -> Callable[[V], V]:
    """Describe one method of a view: what it takes, every answer it gives, every refusal.

    ``example`` is the ``data`` of an answer (one entry of it, for a list); ``examples`` are bodies;
    ``codes`` are further error codes of a status.
    """
    refused = (
        {*ALWAYS, *errors} | ({400, 413, 415} if body else set()) | ({400} if query else set())
    )
    responses = _answers(answer, statuses, example, many=many) | _refusals(refused, codes or {})
    responses = dict(sorted(responses.items()))
    headers = [_header("Retry-After", int, [429], "Seconds to wait.")]
    if polled:
        unchanged = OpenApiResponse(None, description="Nothing has changed since that ETag.")
        responses = {200: responses.pop(200), 304: unchanged} | responses
        headers += _versions()
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description or summary,
        tags=[tag],
        request=body,
        responses=responses,
        parameters=[*([query] if query else []), *headers],
        examples=list(examples),
    )


def _answers(
    answer: type[serializers.Serializer[Any]] | None,
    statuses: Sequence[int],
    example: Any,
    *,
    many: bool,
) -> dict[int, OpenApiResponse]:
    return {
        status: OpenApiResponse(
            _answer_of(answer, many) if answer else None,
            description=DONE[status],
            examples=_shown(example, status, many=many),
        )
        for status in statuses
    }


def _refusals(
    statuses: Iterable[int], codes: Mapping[int, Sequence[str]]
) -> dict[int, OpenApiResponse]:
    return {
        status: OpenApiResponse(
            _error_of(status, tuple(codes.get(status, ()))),
            description=MEANINGS[status],
            examples=[_example_of(status)],
        )
        for status in statuses
    }


@cache
def _error_of(status: int, further: tuple[str, ...]) -> type[serializers.Serializer[Any]]:
    """The envelope of a refusal, as a component of the schema."""
    told: dict[str, Any] = (
        {"enum": [CODES[status], *further]} if further else {"const": CODES[status]}
    )
    const = extend_schema_field({"type": "string", **told})
    fields: dict[str, Any] = {
        "success": No(),
        "error": const(type("Code", (serializers.CharField,), {}))(),
        "message": serializers.CharField(help_text="Plain words: what is wrong, what to do."),
    }
    if status == 400:
        fields["details"] = Details(required=False, help_text="Field → what is wrong with it.")
    if status == 500:
        fields["requestId"] = serializers.CharField()
    name = "".join(code.title().replace("_", "") for code in further)
    return type(f"Error{status}{name}", (serializers.Serializer,), fields)


@cache
def _answer_of(
    data: type[serializers.Serializer[Any]],
    many: bool,  # noqa: FBT001
) -> type[serializers.Serializer[Any]]:
    fields: dict[str, Any] = {
        "success": Yes(),
        "data": data(many=many),
        "message": serializers.CharField(required=False),
    }
    if many:
        fields["page"] = PageFacts()
    name = data.__name__.removesuffix("Serializer") + ("List" if many else "") + "Answer"
    return type(name, (serializers.Serializer,), fields)


def _shown(example: Any, status: int, *, many: bool) -> list[OpenApiExample]:
    if example is None:
        return []
    body: dict[str, Any] = {"success": True, "data": [example] if many else example}
    if many:
        body["page"] = {"next": None}
    return [OpenApiExample(f"{status}", value=body, response_only=True, status_codes=[str(status)])]


def _header(name: str, kind: type, statuses: Sequence[int], description: str) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        kind,
        OpenApiParameter.HEADER,
        response=[str(status) for status in statuses],
        description=description,
    )


def _versions() -> list[OpenApiParameter]:
    """What polling needs: an ETag that comes with the answer and goes back with the next question."""
    told = _header("ETag", str, [200, 304], "The version: send it back in `If-None-Match`.")
    asked = OpenApiParameter(
        "If-None-Match", str, OpenApiParameter.HEADER, description="An ETag received before."
    )
    return [told, asked]


def _example_of(status: int) -> OpenApiExample:
    body: dict[str, Any] = {"success": False, "error": CODES[status]} | EXAMPLES[status]
    if status == 500:
        body["requestId"] = "5b4b3f0e-8c1e-4f6a-9d57-3a1f6f3f3c1e"
    return OpenApiExample(f"{status}", value=body, response_only=True, status_codes=[str(status)])


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "talent.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of `manage.py create_api_token`.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "talent.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A signed-in browser; changes also need the `X-CSRFToken` header.",
        }


@cache
def openapi() -> dict[str, Any]:
    """The whole document: it changes with the code only, so it is made once in a process."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    schema["servers"] = [{"url": settings.PUBLIC_URL}]
    schema["paths"] = dict(_plain(path, item) for path, item in schema["paths"].items())
    return cast("dict[str, Any]", _tidied(schema))


def _plain(path: str, item: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """``/talent/{talent_id}`` → ``/talent/{id}``; a second id in a path keeps its noun."""
    found = re.findall(r"\{(\w+_id)\}", path)
    names = {name: camel(name) if place else "id" for place, name in enumerate(found)}
    for name, plain in names.items():
        path = path.replace(f"{{{name}}}", f"{{{plain}}}")
    return path, cast("dict[str, Any]", _renamed(item, names))


def _renamed(part: Any, names: dict[str, str]) -> Any:
    if isinstance(part, list):
        return [_renamed(item, names) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("in") == "path" and part.get("name") in names:
        description = "As received: ids are opaque."
        part = part | {"name": names[part["name"]], "description": description}
    return {name: _renamed(value, names) for name, value in part.items()}


def _tidied(part: Any) -> Any:
    """Without the generator's own marks."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {name: _tidied(value) for name, value in part.items() if name != "x-spec-enum-id"}
