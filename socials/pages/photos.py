"""Serving kept pictures: named by their content, so that a browser asks once.

From a folder the bytes are sent; where they are in a bucket, the browser is sent there.
"""

from __future__ import annotations

import re

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseNotModified,
    HttpResponseRedirect,
)
from django.views.decorators.http import require_safe

from socials.images import files, thumbs
from socials.images.storage import IMMUTABLE, keeper


@require_safe
def photo(request: HttpRequest, folder: str, file: str) -> HttpResponseBase:
    """One size of one picture. Open to all: the name is a hash that nobody can guess."""
    found = _found(files.NAME, folder, file)
    return _answer(request, files.path(found["name"], found["size"]), etag=f'"{file[:-5]}"')


@require_safe
def thumb(request: HttpRequest, folder: str, file: str) -> HttpResponseBase:
    """A post's kept picture."""
    found = _found(thumbs.NAME, folder, file)
    return _answer(request, thumbs.path(found["name"]), etag=f'"{found["name"]}"')


def _found(pattern: re.Pattern[str], folder: str, file: str) -> re.Match[str]:
    match = pattern.match(file)
    if match is None or folder != match["name"][:2]:
        raise Http404
    return match


def _answer(request: HttpRequest, path: str, *, etag: str) -> HttpResponseBase:
    if elsewhere := keeper.elsewhere(path):
        redirect = HttpResponseRedirect(elsewhere.url)
        redirect["Cache-Control"] = f"public, max-age={elsewhere.seconds}, immutable"
        return redirect
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponseBase = HttpResponseNotModified()
    else:
        response = _file(path)
    response["ETag"] = etag
    response["Cache-Control"] = IMMUTABLE
    return response


def _file(path: str) -> FileResponse:
    try:
        return FileResponse(keeper.open(path), content_type="image/webp")
    except FileNotFoundError:
        raise Http404 from None
