"""Meta's ``fields`` language, for real: ``name.argument(value){names}``, nested and in lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_ARGUMENT = re.compile(r"\.([a-z_]+)\(([^(){}]*)\)")

OMITTED = object()
"""What a field without a value comes to: Graph leaves it out."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One asked field with its arguments and the fields asked of it."""

    name: str
    arguments: Mapping[str, str]
    fields: tuple[Wanted, ...] = ()


Node = Mapping[str, Callable[[Wanted], Any]]
"""Field → its value for what is wanted of it."""


class BadSyntax(Exception):
    """The text is not of this language; ``position`` is where it stops to be."""

    def __init__(self, expected: str, position: int) -> None:
        super().__init__(f'Syntax error "Expected {expected}." at character {position}')


class UnknownField(Exception):
    """The node type has no such field."""

    def __init__(self, name: str, node_type: str) -> None:
        super().__init__(f"Tried accessing nonexisting field ({name}) on node type ({node_type})")


def parse(text: str) -> tuple[Wanted, ...]:
    """Raises BadSyntax."""
    if not text:
        return ()
    wanted, end = _list(text, 0)
    if end != len(text):
        raise BadSyntax("end of string", end)
    return wanted


def render(node: Node, wanted: tuple[Wanted, ...], node_type: str) -> dict[str, Any]:
    """The node's asked fields, and its id whether asked or not. Raises UnknownField."""
    answer: dict[str, Any] = {}
    for field in wanted:
        if field.name not in node:
            raise UnknownField(field.name, node_type)
        value = node[field.name](field)
        if value is not OMITTED:
            answer[field.name] = value
    if "id" not in answer:
        answer["id"] = node["id"](Wanted("id", {}))
    return answer


def _list(text: str, start: int) -> tuple[tuple[Wanted, ...], int]:
    found = []
    while True:
        item, start = _item(text, start)
        found.append(item)
        if start >= len(text) or text[start] != ",":
            return tuple(found), start
        start += 1


def _item(text: str, start: int) -> tuple[Wanted, int]:
    name = _NAME.match(text, start)
    if name is None:
        raise BadSyntax("name", start)
    end = name.end()
    arguments = {}
    while found := _ARGUMENT.match(text, end):
        arguments[found[1]] = found[2]
        end = found.end()
    inner: tuple[Wanted, ...] = ()
    if text[end : end + 1] == "{":
        inner, end = _list(text, end + 1)
        if text[end : end + 1] != "}":
            raise BadSyntax("closing brace", end)
        end += 1
    return Wanted(name[0], arguments, inner), end
