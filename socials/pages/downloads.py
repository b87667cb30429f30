"""Tables that a browser keeps as a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from socials import spreadsheets
from socials.spreadsheets import Cell

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

Response = TypeVar("Response", bound=HttpResponseBase)


def attachment(
    name: str, kind: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> HttpResponseBase:
    """A CSV begins at once and is sent as its rows are read; a workbook is sent when it is whole."""
    response: HttpResponseBase
    if kind == "csv":
        response = StreamingHttpResponse(spreadsheets.csv_parts(columns, rows))
    else:
        response = HttpResponse(spreadsheets.as_xlsx(columns, rows))
    response["Content-Type"] = MEDIA_TYPES[kind]
    return as_file(response, f"{name}.{kind}")


def as_file(response: Response, name: str) -> Response:
    """An answer that a browser saves under this name, and nobody keeps on the way."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
