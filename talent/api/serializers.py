"""Shapes of what comes in and goes out: camelCase, strict types, nothing unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, cast

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.fields import empty
from rest_framework.request import Request

from talent.rules import camel

BIGGEST_ID = 2**63 - 1
MOST_TOLD = 20
"""Unknown fields that a refusal names: a body may have hundreds of thousands."""


class Camel(serializers.Serializer[Any]):
    """Fields are declared in Python's way and travel in JavaScript's."""

    def get_fields(self) -> dict[str, Any]:
        fields = {}
        for name, field in super().get_fields().items():
            if isinstance(field, serializers.SerializerMethodField):
                field.method_name = field.method_name or f"get_{name}"
            elif field.source is None and camel(name) != name:
                field.source = name
            fields[camel(name)] = field
        return fields


class Strict(Camel):
    """Input: a name that is not known is refused, and so is anything but an object."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not empty and not isinstance(data, Mapping):
            raise ValidationError({"body": ["Send a JSON object."]})
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> Any:
        known = [name for name, field in self.fields.items() if not field.read_only]
        unknown = (str(name) for name in data if name not in known)
        faults: dict[str, Any] = {name: [_unknown(known)] for name in islice(unknown, MOST_TOLD)}
        value: Any = None
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            faults |= cast("dict[str, Any]", error.detail)
        if faults:
            raise ValidationError(faults)
        return value


def _unknown(known: Sequence[str]) -> str:
    names = ", ".join(known)
    return (
        f"Unknown field. Known here: {names}." if names else "This takes no fields. Leave it out."
    )


class NoFields(Strict):
    """The body of a request that says all it has to say by its address."""

    @classmethod
    def check(cls, request: Request) -> None:
        """Raises ValidationError where there is a field after all."""
        cls(data=request.data or {}).is_valid(raise_exception=True)


class Query(Strict):
    """Query parameters; one that is empty counts as not given."""

    @classmethod
    def read(cls, parameters: QueryDict) -> dict[str, Any]:
        given = {name: value for name, value in parameters.items() if value != ""}
        query = cls(data=given)
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class PageQuery(Query):
    cursor = serializers.CharField(
        required=False, max_length=1000, help_text="`page.next` of the answer before."
    )
    limit = serializers.IntegerField(
        required=False, default=50, min_value=1, max_value=200, help_text="Entries a page."
    )


class Text(serializers.CharField):
    """A JSON string: a number or a boolean is not quietly turned into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:  # before it is trimmed
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class Several(serializers.ListField):
    """A JSON list, whose length is looked at before what is in it."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """A JSON boolean."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


@extend_schema_field({"type": ["integer", "string"], "minLength": 1, "examples": [3]})
class Id(serializers.Field[int, Any, int, Any]):
    """An opaque id. One that can't exist is an unknown one: 404, as for one that doesn't."""

    default_error_messages = {"invalid": "Send the id as you received it."}

    def __init__(self, *, of: str, **options: Any) -> None:
        self.of = of
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | str) or data == "":
            self.fail("invalid")
        text = str(data) if isinstance(data, int) or len(data) < 20 else ""
        if not (text.isascii() and text.isdigit() and int(text) <= BIGGEST_ID):
            raise NotFound(f"There is no {self.of} with this id.")
        return int(text)

    def to_representation(self, value: Any) -> int:
        return int(value)


class Instant(serializers.DateTimeField):
    """A time in UTC to the second, null when there is none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True} | options)


class OrNull(serializers.CharField):
    """Text of a row, null where the row is empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True} | options)

    def to_representation(self, value: Any) -> str | None:  # type: ignore[override]
        return str(value) if value else None
