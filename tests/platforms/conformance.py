"""The tools of the conformance suite: contexts, and a server that spoils the sandbox's answers."""

from __future__ import annotations

import copy
import json
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from pytest_httpserver import HTTPServer
from werkzeug import Request as WebRequest
from werkzeug import Response as WebResponse

from scraping.errors import Failure
from scraping.http import Http, Limits
from scraping.meter import Meter
from socials.platforms.kit.platform import Outcome, Source
from socials.platforms.kit.sandbox import Request, Response
from socials.sandbox import CREDENTIALS, PLATFORMS, settings_for
from socials.types import Ask, Context, Reading

PATIENCE = 8.0
"""Seconds that a call to the sandbox may take: its slow accounts need some."""

EVERY_PATH = re.compile(r".*")

Spoil = Callable[[Response], Response]


def context(settings: Mapping[str, str], *, seconds: float = PATIENCE) -> Context:
    return Context(Http(Limits.within(seconds)), settings, Meter())


def read(source: Source, asks: Sequence[Ask], within: Context) -> list[Outcome]:
    """Every outcome. Fails when an ask has none or two, or when anything is raised."""
    outcomes = list(source.read_many(asks, within))
    assert sorted(ask.connection_id for ask, _ in outcomes) == sorted(
        ask.connection_id for ask in asks
    )
    return outcomes


def code(outcome: Reading | Failure) -> str:
    return outcome.code if isinstance(outcome, Failure) else "READ"


def everything_told(failure: Failure) -> str:
    """All that a log, a page or a traceback could show of a failure."""
    return "\n".join(
        [
            str(failure),
            repr(failure),
            repr(vars(failure)),
            *traceback.format_exception(failure),
        ]
    )


def secrets_of(ask: Ask) -> list[str]:
    """What must never be seen: the credentials in use, and the grant's token."""
    names = ("TOKEN", "SECRET", "KEY")
    kept = [value for name, value in CREDENTIALS.items() if any(sign in name for sign in names)]
    return [*kept, *([ask.token.access_token] if ask.token else [])]


class Mangler:
    """The sandbox platforms behind a server that spoils each of their answers."""

    def __init__(self, server: HTTPServer) -> None:
        self.origin = server.url_for("").rstrip("/")
        self.settings = settings_for(self.origin)
        self.spoil: Spoil = lambda answer: answer
        self.handlers = _handlers()
        self.seen: list[Response] = []
        server.expect_request(EVERY_PATH).respond_with_handler(self._serve)

    def _serve(self, request: WebRequest) -> WebResponse:
        prefix, _, rest = unquote(request.path).lstrip("/").partition("/")
        answer = self.handlers[prefix](
            Request(
                request.method,
                f"/{rest}",
                request.args.to_dict(),
                {name.lower(): value for name, value in request.headers},
                request.get_data(),
                base_url=f"{self.origin}/{prefix}",
                origin=self.origin,
            )
        )
        self.seen.append(answer)
        spoilt = self.spoil(answer)
        return WebResponse(spoilt.body, spoilt.status, dict(spoilt.headers))


def _handlers() -> dict[str, Callable[[Request], Response]]:
    handlers = {}
    for prefix, dotted in PLATFORMS.items():
        module, _, name = dotted.rpartition(".")
        handlers[prefix] = getattr(__import__(module, fromlist=[name]), name)
    return handlers


# --- ways to spoil an answer ---------------------------------------------------------------------


def with_unknown_fields(answer: Response) -> Response:
    """Every object gets a field that nobody knows."""
    return _changed(answer, lambda body: [_decorate(body)])


def mistyped(answer: Response, step: int) -> Response:
    """One leaf of the body gets another type: the ``step``-th, counted round and round."""
    places = list(_leaves(json.loads(answer.body)))
    if not places:
        return answer
    *path, last = places[step % len(places)]
    wrong = ({"odd": 1}, [], -1, "odd", 1.5, True, 2**70, "\x00", None)[step % 9]

    def change(body: Any) -> list[Any]:
        holder = body
        for key in path:
            holder = holder[key]
        holder[last] = wrong
        return [body]

    return _changed(answer, change)


def _changed(answer: Response, change: Callable[[Any], list[Any]]) -> Response:
    if "json" not in answer.headers.get("Content-Type", ""):
        return answer
    [body] = change(copy.deepcopy(json.loads(answer.body)))
    return Response(answer.status, json.dumps(body).encode(), answer.headers)


def _decorate(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _decorate(inner) for name, inner in value.items()} | {
            "zzNobodyKnows": {"a": 1}
        }
    if isinstance(value, list):
        return [_decorate(inner) for inner in value]
    return value


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:2]):
            yield from _leaves(inner, (*path, index))
