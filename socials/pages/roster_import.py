"""A roster from a file: upload, see what would become of each row, confirm."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from socials import spreadsheets, uploads
from socials.imports import ROSTER_COLUMNS
from socials.models import RosterImport
from socials.pages.downloads import attachment
from socials.pages.shell import fragment, page, wants_fragment
from socials.pages.typed import number_of
from socials.spreadsheets import Unreadable
from talent.pages.access import actor, manager_action, manager_page

ROWS = 100
SHOWN = {
    "failed": "Left out",
    "created": "New",
    "updated": "Changed",
    "unchanged": "Unchanged",
}
COLUMNS = {
    "name": "The only one that is needed.",
    "email": "Finds the talent again in the next import.",
    "tags": "Several with ; between, like food; travel.",
    "manager": "User name or e-mail of somebody of the staff.",
    "instagram": "Handle or link; several with ; between.",
    "tiktok": "Handle or link.",
    "youtube": "Handle, link or channel link.",
    "twitter": "Handle or link, shown only.",
    "linkedin": "Handle or link, shown only.",
}


@manager_page
def roster_import(request: HttpRequest) -> HttpResponse:
    """The form; a file that is sent is checked, and its report shown."""
    if request.method != "POST":
        return _form(request)
    try:
        upload = uploads.check(*_sent(request), actor=actor(request))
    except Unreadable as refusal:
        return _form(request, refusal=str(refusal))
    if upload.state == upload.State.REFUSED:
        uploads.discard(upload.pk)
        return _form(request, refusal=upload.refusal)
    return redirect("import-report", upload.pk)


def _sent(request: HttpRequest) -> tuple[str, bytes]:
    """Name and content of the file. Raises Unreadable."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise Unreadable("Choose a .csv or .xlsx file first, then press Check the file.")
    name = str(file.name)
    spreadsheets.check_size(name, file.size or 0)
    return name, file.read()


def _form(request: HttpRequest, *, refusal: str = "") -> HttpResponse:
    return page(
        request,
        "socials/roster_import.html",
        status=422 if refusal else 200,
        refusal=refusal,
        columns=_guide(_address(request)),
        most=spreadsheets.MOST_BYTES // 1024**2,
    )


def _address(request: HttpRequest) -> str:
    """By which a file can name this person as a manager."""
    person = actor(request)
    return person.email or person.username


def _guide(manager: str) -> list[tuple[str, str, str]]:
    """Each column with an example and what it is for."""
    return [
        (name, next(filter(None, cells), manager), COLUMNS.get(name, ""))
        for name, *cells in zip(ROSTER_COLUMNS, *uploads.EXAMPLES, strict=True)
    ]


@manager_page
def roster_template(request: HttpRequest, kind: str) -> HttpResponseBase:
    columns, rows = uploads.template(_address(request))
    return attachment("greenroom-roster", kind, columns, rows)


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    label: str
    number: int


@manager_page
def import_report(request: HttpRequest, import_id: int) -> HttpResponse:
    """What would become, or became, of each row; while it is worked on, that."""
    upload = _found(import_id)
    if upload.state == upload.State.REFUSED:
        return _refused(request, upload)
    counts = Counter(row["outcome"] for row in upload.report)
    asked = request.GET.get("show", "")
    show = asked if asked in SHOWN else next((key for key in SHOWN if counts[key]), "created")
    rows = [row for row in upload.report if row["outcome"] == show]
    pages = max(1, -(-len(rows) // ROWS))
    number = min(max(number_of(request.GET.get("page")) or 1, 1), pages)
    context: dict[str, Any] = {
        "upload": upload,
        "counts": {key: counts[key] for key in SHOWN},
        "wanted": counts["created"] + counts["updated"],
        "tabs": [Tab(key, label, counts[key]) for key, label in SHOWN.items()],
        "show": show,
        "rows": rows[(number - 1) * ROWS : number * ROWS],
        "number": number,
        "pages": pages,
    }
    if wants_fragment(request):
        return fragment(request, "socials/_import_report.html", **context)
    return page(request, "socials/import_report.html", **context)


def _refused(request: HttpRequest, upload: RosterImport) -> HttpResponse:
    messages.error(request, upload.refusal)
    if not wants_fragment(request):
        return redirect("roster-import")
    return HttpResponse(status=204, headers={"HX-Redirect": reverse("roster-import")})


@manager_action
def import_confirm(request: HttpRequest, import_id: int) -> HttpResponse:
    _found(import_id)
    uploads.confirm(import_id, actor=actor(request))
    return redirect("import-report", import_id)


@manager_action
def import_discard(request: HttpRequest, import_id: int) -> HttpResponse:
    uploads.discard(import_id)
    messages.success(request, "Nothing was imported")
    return redirect("roster-import")


@manager_page
def import_problems(request: HttpRequest, import_id: int) -> HttpResponseBase:
    """The cells that are wrong, as a file to work through."""
    cells = [
        (row["row"], fault["column"], fault["given"], fault["text"])
        for row in _found(import_id).report
        for fault in row["faults"]
    ]
    return attachment("problems", "csv", ("row", "column", "given", "problem"), cells)


def _found(import_id: int) -> RosterImport:
    upload = RosterImport.objects.defer("content").filter(pk=import_id).first()
    if upload is None:
        raise Http404
    return upload
