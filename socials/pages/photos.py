"""Serving kept photos from local storage: content-hashed, so that a browser asks once."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseNotModified,
)
from django.views.decorators.http import require_safe

from socials.images import files, thumbs

IMMUTABLE = "public, max-age=31536000, immutable"


@require_safe
def photo(request: HttpRequest, folder: str, file: str) -> HttpResponseBase:
    """One size of one picture. Open to all: the name is a hash that nobody can guess."""
    match = files.NAME.match(file)
    if match is None or folder != match["name"][:2]:
        raise Http404
    etag = f'"{match["name"]}-{match["size"]}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponseBase = HttpResponseNotModified()
    else:
        response = _file(match["name"], match["size"])
    response["ETag"] = etag
    response["Cache-Control"] = IMMUTABLE
    return response


@require_safe
def thumb(request: HttpRequest, folder: str, file: str) -> HttpResponseBase:
    """A post's kept picture."""
    match = thumbs.NAME.match(file)
    if match is None or folder != match["name"][:2]:
        raise Http404
    etag = f'"{match["name"]}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponseBase = HttpResponseNotModified()
    else:
        try:
            opened = default_storage.open(thumbs.path(match["name"]))
        except FileNotFoundError:
            raise Http404 from None
        response = FileResponse(opened, content_type="image/webp")
    response["ETag"] = etag
    response["Cache-Control"] = IMMUTABLE
    return response


def _file(name: str, size: str) -> FileResponse:
    try:
        return FileResponse(default_storage.open(files.path(name, size)), content_type="image/webp")
    except FileNotFoundError:
        raise Http404 from None
