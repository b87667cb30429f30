"""Tables that a browser keeps as a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from socials import spreadsheets
from socials.spreadsheets import Cell

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


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
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response["Cache-Control"] = "private, no-store"
    return response
