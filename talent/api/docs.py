"""The API's description of itself: the OpenAPI document, and the same as a page to read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from talent.api.permissions import StaffReadsManagersWrite
from talent.api.schema import openapi
from talent.api.views import ApiView

CODE, CODE_END = mark_safe("<code>"), mark_safe("</code>")
WORDS_OF_METHODS = ("get", "post", "put", "patch", "delete")


class Schema(ApiView):
    """Not in an envelope: tools expect the document itself."""

    schema = None
    permission_classes = [StaffReadsManagersWrite]

    def get(self, request: Request) -> Response:
        return Response(openapi(), content_type="application/vnd.oai.openapi+json;version=3.1")


class Docs(ApiView):
    schema = None

    def get(self, request: Request) -> HttpResponseBase:
        return render(request._request, "api/docs.html", {"chapters": chapters(openapi())})

    def handle_exception(self, exc: Exception) -> Any:
        """A browser that has not signed in is led there; a client gets its 401."""
        wants_page = "text/html" in self.request.headers.get("Accept", "")
        if isinstance(exc, NotAuthenticated) and wants_page:
            return redirect_to_login(self.request.get_full_path())
        return super().handle_exception(exc)


# --- the document, as a page ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str
    is_required: bool
    meaning: SafeString


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    meaning: SafeString
    example: str

    @property
    def tone(self) -> str:
        return "ready" if self.status < "400" else "error"


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: SafeString
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Chapter:
    name: str
    operations: tuple[Operation, ...]


def chapters(document: dict[str, Any]) -> list[Chapter]:
    """Every operation under its tag, in the order of the document."""
    found: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in WORDS_OF_METHODS:
            if operation := item.get(method):
                found.setdefault(operation["tags"][0], []).append(
                    _operation(document, path, method, operation)
                )
    return [Chapter(name, tuple(operations)) for name, operations in found.items()]


def _operation(
    document: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> Operation:
    bodies: dict[str, dict[str, Any]] = (operation.get("requestBody") or {}).get("content") or {}
    media = next(iter(bodies), "")
    content = bodies.get(media) or {}
    body = _resolved(document, content.get("schema", {}))
    sent = _first_example(content) or ({} if not body else sample(document, body))
    description = operation.get("description", "")
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=prose(description if description != operation["summary"] else ""),
        parameters=tuple(
            Field(
                parameter["name"],
                f"{kind(document, parameter['schema'])} · {parameter['in']}",
                parameter.get("required", False),
                prose(parameter.get("description", "")),
            )
            for parameter in operation.get("parameters", [])
        ),
        body=tuple(
            Field(
                name,
                kind(document, field),
                name in body.get("required", []),
                prose(field.get("description", "")),
            )
            for name, field in body.get("properties", {}).items()
        ),
        answers=tuple(
            _answer(document, status, answer) for status, answer in operation["responses"].items()
        ),
        curl=_curl(method, path, operation, media=media, sent=sent),
    )


def _answer(document: dict[str, Any], status: str, answer: dict[str, Any]) -> Answer:
    content = next(iter(answer.get("content", {}).values()), None)
    if content is None:
        return Answer(status, prose(answer["description"]), "")
    example = _first_example(content) or sample(document, content["schema"])
    text = json.dumps(example, indent=2, ensure_ascii=False)
    return Answer(status, prose(answer["description"]), text)


def _first_example(content: dict[str, Any]) -> Any:
    examples = content.get("examples", {})
    return next((example["value"] for example in examples.values()), None)


def _curl(method: str, path: str, operation: dict[str, Any], *, media: str, sent: Any) -> str:
    query = urlencode(
        {
            parameter["name"]: parameter["schema"]["default"]
            for parameter in operation.get("parameters", [])
            if parameter["in"] == "query" and "default" in parameter["schema"]
        }
    )
    verb = "" if method == "get" else f"-X {method.upper()} "
    address = settings.PUBLIC_URL + path.replace("{id}", "12") + (f"?{query}" if query else "")
    lines = [f"curl {verb}'{address}'", '  -H "Authorization: Bearer $TOKEN"']
    if media == "application/json":
        lines += ["  -H 'Content-Type: application/json'", f"  -d '{json.dumps(sent)}'"]
    elif media:
        lines += [f"  -F '{name}={value}'" for name, value in sent.items()]
    return " \\\n".join(lines)


def prose(text: str) -> SafeString:
    """Text with what stands between backticks as code."""
    parts = text.split("`")
    return format_html_join(
        "",
        "{}{}{}",
        (
            ("", part, "") if number % 2 == 0 else (CODE, part, CODE_END)
            for number, part in enumerate(parts)
        ),
    )


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    return schema


def kind(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """A schema in a few words: ``string · one of active, archived``."""
    schema = _resolved(document, schema)
    for word in ("oneOf", "anyOf", "allOf"):
        if word in schema:
            kinds = dict.fromkeys(kind(document, part) for part in schema[word])
            return " or ".join(kinds)
    told = schema.get("type", "any")
    words = " or ".join(told) if isinstance(told, list) else str(told)
    if told == "array":
        words = f"list of {kind(document, schema.get('items', {}))}"
    if "enum" in schema:
        words = f"one of {', '.join(str(value) for value in schema['enum'])}"
    if "minimum" in schema and "maximum" in schema and schema["maximum"] < 10**9:
        words += f" from {schema['minimum']} to {schema['maximum']}"
    if "default" in schema:
        words += f", default {schema['default']}"
    return words


SAMPLES: dict[str, Any] = {
    "string": "…",
    "integer": 12,
    "number": 1.5,
    "boolean": True,
    "null": None,
    "date-time": "2026-01-10T12:00:00Z",
    "date": "2026-01-10",
}


def sample(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A plausible value of a schema."""
    schema = _resolved(document, schema)
    for word in ("oneOf", "anyOf", "allOf"):
        if word in schema:
            return sample(document, schema[word][0])
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    told = schema.get("type", "string")
    told = told[0] if isinstance(told, list) else told
    if told == "array":
        return [sample(document, schema.get("items", {}))]
    if told == "object":
        return _sample_object(document, schema)
    return SAMPLES.get(schema.get("format", ""), SAMPLES[told])


def _sample_object(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "properties" in schema:
        return {name: sample(document, field) for name, field in schema["properties"].items()}
    more = schema.get("additionalProperties")
    return {"…": sample(document, more)} if isinstance(more, dict) and more else {}
