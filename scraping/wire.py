"""Reading JSON tolerantly: unknown fields are counted, missing ones are null, wrong types are named.

A wrong type raises BadResponse with the platform and the dotted path; it never crashes and never
becomes a zero.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Self

from scraping.errors import BadResponse
from scraping.meter import Meter
from scraping.types import MAX_COUNT

LONGEST_IDENT = 120
"""Characters of an identifier: no platform comes near it, and no column holds more."""

_INDEX = re.compile(r"\[\d+\]")


def parsed(text: str | bytes, *, platform: str, source: str = "") -> Any:
    """JSON as values; NaN and Infinity, which JSON does not know, read as null.

    What follows the first value of a text is ignored (JSON inside a page). Raises BadResponse.
    """
    try:
        if isinstance(text, bytes):
            return json.loads(text, parse_constant=_nothing)
        return json.JSONDecoder(parse_constant=_nothing).raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        pass
    raise BadResponse("this is not JSON", platform=platform, source=source, field="body")


def _nothing(_: str) -> None:
    return None


def storable(text: str) -> str:
    """The text without what no database takes: NUL, and halves of surrogate pairs."""
    text = text.replace("\x00", "")
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def plain_word(text: str) -> str:
    """A platform's word for an error, as it may be repeated: letters, digits, "_", "-" and "."."""
    return "".join(c for c in text if c.isascii() and (c.isalnum() or c in "_-."))[:60]


class Fields:
    """One JSON object of a reply, with the path that leads to it."""

    __slots__ = ("meter", "parts", "path", "platform", "source", "value")

    def __init__(
        self,
        value: Any,
        *,
        platform: str,
        source: str = "",
        path: str = "",
        meter: Meter | None = None,
    ) -> None:
        self.platform = platform
        self.source = source
        self.path = path
        self.meter = meter
        if not isinstance(value, dict):
            raise self._wrong("", "an object", value)
        self.value: dict[str, Any] = value
        self.parts: dict[str, Fields] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.value

    def known(self, *names: str) -> Self:
        """Declare the fields that the parser knows; any other is counted as drift."""
        if self.meter is not None:
            for name in self.value.keys() - set(names):
                self.meter.unknown(self.source, _INDEX.sub("[]", self._at(name)))
        return self

    def text(self, key: str) -> str | None:
        """A string, or None when absent, null or empty."""
        value = self.value.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self._wrong(key, "a string", value)
        return storable(value) or None

    def ident(self, key: str) -> str | None:
        """An identifier: string or integer, always handed on as a string."""
        value = self.value.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise self._wrong(key, "an identifier", value)
        ident = storable(str(value)).strip()
        if len(ident) > LONGEST_IDENT:
            raise self._wrong(key, "an identifier", value)
        return ident or None

    def need(self, key: str) -> str:
        """An identifier that the reading can't do without. Raises BadResponse when absent."""
        value = self.ident(key)
        if value is None:
            raise self._wrong(key, "an identifier", None)
        return value

    def count(self, key: str) -> int | None:
        """A count of 0 … 2^63-1, sent as number or as digits; None when absent."""
        value = self.value.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
            value = int(value)
        if isinstance(value, float) and math.isfinite(value) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
            raise self._wrong(key, "a count", value)
        return value

    def number(self, key: str) -> float | None:
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong(key, "a number", value)
        if not -MAX_COUNT <= value <= MAX_COUNT or math.isnan(value):
            raise self._wrong(key, "a number", value)
        return float(value)

    def flag(self, key: str) -> bool | None:
        value = self.value.get(key)
        if value is None:
            return None
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false", value)
        return value

    def time(self, key: str) -> datetime | None:
        """An ISO 8601 time (``Z``, ``+00:00`` or ``+0000``) as aware UTC."""
        value = self.text(key)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self._wrong(key, "a time", value) from None

    def epoch(self, key: str) -> datetime | None:
        """Seconds since 1970 as aware UTC."""
        value = self.count(key)
        if value is None:
            return None
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, ValueError, OSError):
            raise self._wrong(key, "a time", value) from None

    def child(self, key: str) -> Fields | None:
        if key in self.parts:
            return self.parts[key]
        value = self.value.get(key)
        if value is None:
            return None
        return self.parts.setdefault(key, self._fields(value, self._at(key)))

    def children(self, key: str) -> Iterator[Fields]:
        """The objects of a list; an absent list is empty."""
        for index, value in enumerate(self.items(key)):
            yield self._fields(value, f"{self._at(key)}[{index}]")

    def items(self, key: str) -> list[Any]:
        """A list as it stands; absent is empty."""
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(key, "a list", value)
        return value

    def _fields(self, value: Any, path: str) -> Fields:
        return Fields(
            value,
            platform=self.platform,
            source=self.source,
            path=path,
            meter=self.meter,
        )

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def _wrong(self, key: str, expected: str, value: Any) -> BadResponse:
        found = "nothing" if value is None else type(value).__name__
        path = self._at(key) or "body"
        return BadResponse(
            f"{path} should be {expected}, not {found}",
            platform=self.platform,
            source=self.source,
            field=path,
        )
