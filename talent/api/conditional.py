"""Polls that cost almost nothing: the version is asked first, and 304 ends the matter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response


def unless_unchanged(
    request: Request, version: object, answer: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """304 when the client has this version, else the answer with its ETag.

    The ETag is weak: it stands for the facts, not for the bytes.
    """
    etag = etag_of(version)
    if _matches(request.headers.get("If-None-Match", ""), etag):
        response: HttpResponseBase = Response(status=304)
    else:
        response = answer()
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Authorization, Cookie"
    return response


def etag_of(version: Any) -> str:
    return f'W/"{hashlib.sha256(repr(version).encode()).hexdigest()[:32]}"'


def _matches(if_none_match: str, etag: str) -> bool:
    weak = {tag.removeprefix("W/") for tag in parse_etags(if_none_match)}
    return "*" in weak or etag.removeprefix("W/") in weak
