"""How a body comes in: JSON in UTF-8, of bounded size; and how every answer leaves: as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from talent.api.errors import PayloadTooLarge


class JsonParser(BaseParser):
    """JSON is UTF-8 (RFC 8259): a ``charset`` parameter changes nothing."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body: bytes = stream.read(limit + 1)
        if len(body) > limit:
            raise PayloadTooLarge(f"The body is larger than {limit:,} bytes.")
        try:
            return json.loads(
                body.decode(), parse_constant=_refuse_constant, object_pairs_hook=_each_once
            )
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except json.JSONDecodeError as error:
            raise ParseError(
                f"This is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
            ) from None
        except ValueError:
            raise ParseError("This is not JSON in UTF-8.") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are told once: of two, a proxy might read the one and we the other."""
    found = dict(pairs)
    if len(found) < len(pairs):
        left = dict(found)
        twice = next(name for name, _ in pairs if left.pop(name, pairs) is pairs)
        raise ParseError(f"The key {json.dumps(twice[:100])} is given twice.")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


class AlwaysJson(BaseContentNegotiation):
    """Whatever a client accepts, JSON is what there is."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> Any:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
