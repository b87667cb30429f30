"""The Social profiles card: a talent's accounts, live, with everything that can be done to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from socials import connections, handles, invites, queries
from socials.errors import Action, InvalidHandle
from socials.handles import Handle
from socials.models import Connection, Platform
from socials.pages.invites import open_invite
from socials.pages.overview import audience
from socials.pages.shell import fragment, page, wants_fragment
from socials.pages.typed import number_of
from socials.queries import ConnectionCard, TalentHeader
from talent.models import Talent
from talent.pages.access import actor, manager_action, staff_page
from talent.templatetags.figures import plural

SEARCH = {
    "INSTAGRAM": "https://www.instagram.com/explore/search/keyword/?q={}",
    "TIKTOK": "https://www.tiktok.com/search/user?q={}",
    "YOUTUBE": "https://www.youtube.com/results?search_query={}",
}
LINK_ONLY = ("TWITTER", "LINKEDIN")


@dataclass(frozen=True, slots=True)
class AddForm:
    """What was typed into "Add a profile", and what there is to say about it."""

    talent_id: int
    platform: str = "INSTAGRAM"
    handle: str = ""
    url: str = ""
    correcting: int | None = None
    """The failing connection that the new handle is to replace."""
    recognised: str = ""
    handle_error: str = ""
    url_error: str = ""

    @property
    def platforms(self) -> list[tuple[str, str, bool]]:
        return [
            (value, f"{label} (link only)" if value in LINK_ONLY else label, value == self.platform)
            for value, label in Platform.choices
        ]

    def refused(self, fault: InvalidHandle) -> AddForm:
        if fault.field == "profileUrl":
            return replace(self, url_error=fault.detail)
        return replace(self, handle_error=fault.detail)


@dataclass(frozen=True, slots=True)
class Live:
    """The element that asks again, and what it has seen."""

    ids: str
    version: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Mend:
    """A failing account's next actions that are links: label and address."""

    correct: str = ""
    search: str = ""
    invite: str = ""


# --- the page and its poll ---------------------------------------------------------------------


@staff_page
def talent_profiles(request: HttpRequest, talent_id: int) -> HttpResponse:
    """The tab; a POST adds an account."""
    if request.method == "POST":
        return _add(request, talent_id)
    header = header_or_404(talent_id)
    return _profiles_page(request, header, _prefilled(request, header))


@staff_page
def connections_live(request: HttpRequest, talent_id: int) -> HttpResponse:
    """What changed since the version that the page has: 204 when nothing did."""
    version = live_version(talent_id)
    if request.GET.get("version") == version:
        return HttpResponse(status=204)
    header = header_or_404(talent_id)
    return live_fragment(request, header)


def live_fragment(
    request: HttpRequest, header: TalentHeader, *, toast: str = "", **context: Any
) -> HttpResponse:
    """Every cell that can change, out of band; the whole list when accounts came or went."""
    live = live_of(header)
    part = request.GET.get("part", "")
    if part == "overview":
        context |= audience(header)
    whole = bool(context.get("whole")) or request.GET.get("ids", live.ids) != live.ids
    return fragment(
        request,
        "socials/_overview_live.html" if part == "overview" else "socials/_connections_live.html",
        toast=toast,
        header=header,
        cards=dressed(header),
        live=live,
        part=part,
        inviting=invites.available(),
        **{**context, "whole": whole},
    )


def live_of(header: TalentHeader) -> Live:
    seconds = 2 if any(card.moves for card in header.cards) else 10
    ids = ",".join(str(card.id) for card in header.cards)
    return Live(ids, live_version(header.talent.pk), seconds)


def live_version(talent_id: int) -> str:
    """The accounts' version, and the minute: "12 min ago" grows old without any row changing."""
    return f"{queries.connections_version(talent_id)}-{timezone.now():%H%M}"


def header_or_404(talent_id: int) -> TalentHeader:
    header = queries.talent_header(talent_id)
    if header is None:
        raise Http404
    return header


def dressed(header: TalentHeader) -> list[tuple[ConnectionCard, Mend]]:
    """Each account with the links that may mend it."""
    return [(card, _mend(card)) for card in header.cards]


def _mend(card: ConnectionCard) -> Mend:
    if card.state != "error" or card.trouble is None:
        return Mend()
    page_of_talent = reverse("talent-profiles", args=[card.talent_id])
    if card.trouble.action is Action.INVITE and card.platform in invites.available():
        return Mend(invite=f"{page_of_talent}#invite")
    if card.trouble.action is not Action.CORRECT:
        return Mend()
    search = SEARCH.get(card.platform, "")
    return Mend(
        correct=f"{page_of_talent}?correct={card.id}#add",
        search=search.format(quote(card.handle)) if search else "",
    )


def _profiles_page(
    request: HttpRequest, header: TalentHeader, form: AddForm, *, status: int = 200
) -> HttpResponse:
    return page(
        request,
        "socials/talent_profiles.html",
        status=status,
        tab="profiles",
        header=header,
        cards=dressed(header),
        live=live_of(header),
        form=form,
        talent=header.talent,
        inviting=invites.available(),
        invite=open_invite(header.talent),
        confirming=number_of(request.GET.get("delete")),
    )


# --- adding an account -------------------------------------------------------------------------


def _add(request: HttpRequest, talent_id: int) -> HttpResponse:
    talent = get_object_or_404(Talent, pk=talent_id)
    form = _typed(talent_id, request.POST)
    try:
        if form.url and not form.handle:
            form = replace(form, platform=handles.recognise(form.url).platform)
        row, created = connections.connect(
            talent, form.platform, handle=form.handle, profile_url=form.url, actor=actor(request)
        )
    except InvalidHandle as fault:
        return _form_again(request, talent_id, form.refused(fault))
    if not created:
        return _form_again(request, talent_id, replace(form, handle_error=_there_already(talent)))
    told = f"{handles.at(row.platform, row.handle)} added" + _replace(request, form, talent_id)
    if not wants_fragment(request):
        messages.success(request, told)
        return redirect("talent-profiles", talent_id)
    header = header_or_404(talent_id)
    return live_fragment(
        request, header, toast=told, whole=True, form=AddForm(talent_id, form.platform)
    )


def _replace(request: HttpRequest, form: AddForm, talent_id: int) -> str:
    """Let go of the account whose handle was corrected, unless it holds numbers worth keeping."""
    if form.correcting is None:
        return ""
    old = Connection.objects.filter(pk=form.correcting, talent_id=talent_id).first()
    if old is None:
        return ""
    if old.last_synced_at:
        return f". {old.handle} keeps its history; delete it when you're sure"
    connections.disconnect(old.pk, actor=actor(request))
    return f" in place of {handles.at(old.platform, old.handle)}"


def _form_again(request: HttpRequest, talent_id: int, form: AddForm) -> HttpResponse:
    header = header_or_404(talent_id)
    if not wants_fragment(request):
        return _profiles_page(request, header, form, status=422)
    return fragment(request, "socials/_add_form.html", status=422, header=header, form=form)


@staff_page
def account_check(request: HttpRequest, talent_id: int) -> HttpResponse:
    """Inline validation: a pasted link fills in platform and handle; a handle is judged on leaving
    its field."""
    talent = get_object_or_404(Talent, pk=talent_id)
    form = _typed(talent_id, request.GET)
    pasted = request.GET.get("changed") == "url"
    try:
        if pasted and form.url:
            form = _recognised(form, handles.recognise(form.url))
        found = _parsed(form)
    except InvalidHandle as fault:
        found, form = None, form.refused(fault)
    if found and _is_there(talent, found):
        form = replace(form, handle_error=_there_already(talent))
    return fragment(request, "socials/_add_check.html", form=form, pasted=pasted)


def _recognised(form: AddForm, found: Handle) -> AddForm:
    shown = handles.at(found.platform, found.handle)
    name = Platform(found.platform).label
    return replace(
        form,
        platform=found.platform,
        handle=shown,
        recognised=f"Recognised: {name}, {shown}",
    )


def _parsed(form: AddForm) -> Handle | None:
    if not form.handle and not form.url:
        return None
    return handles.parse(form.platform, handle=form.handle, url=form.url)


def _is_there(talent: Talent, found: Handle) -> bool:
    return Connection.objects.filter(
        talent=talent, platform=found.platform, handle_key=found.key
    ).exists()


def _there_already(talent: Talent) -> str:
    return f"{talent.first_name} already has this profile. Find it in the list above."


def _typed(talent_id: int, sent: Any) -> AddForm:
    platform = sent.get("platform", "")
    return AddForm(
        talent_id,
        platform=platform if platform in Platform.values else "INSTAGRAM",
        handle=sent.get("handle", "").strip(),
        url=sent.get("url", "").strip(),
        correcting=number_of(sent.get("correcting")),
    )


def _prefilled(request: HttpRequest, header: TalentHeader) -> AddForm:
    """The form as "Correct the handle" opens it."""
    asked = request.GET.get("correct", "")
    for card in header.cards:
        if str(card.id) == asked:
            return AddForm(card.talent_id, card.platform, card.shown, correcting=card.id)
    return AddForm(header.talent.pk)


# --- acting on an account ----------------------------------------------------------------------


@manager_action
def connection_sync(request: HttpRequest, connection_id: int) -> HttpResponse:
    row = get_object_or_404(Connection, pk=connection_id)
    connections.request_sync(row.pk, actor=actor(request))
    return _done(request, row.talent_id, f"{handles.at(row.platform, row.handle)} queued for sync")


@manager_action
def connection_delete(request: HttpRequest, connection_id: int) -> HttpResponse:
    row = get_object_or_404(Connection, pk=connection_id)
    connections.disconnect(row.pk, actor=actor(request))
    told = f"{handles.at(row.platform, row.handle)} deleted"
    return _done(request, row.talent_id, told, whole=True, focus="#h-conn")


@manager_action
def talent_sync(request: HttpRequest, talent_id: int) -> HttpResponse:
    """Queue all of a talent's accounts that are not queued yet."""
    header = header_or_404(talent_id)
    idle = [card for card in header.cards if card.syncs and not card.busy]
    for card in idle:
        connections.request_sync(card.id, actor=actor(request))
    told = (
        f"{plural(len(idle), 'profile,profiles')} queued for sync"
        if idle
        else "Everything is queued already"
    )
    return _done(request, talent_id, told)


def _done(
    request: HttpRequest, talent_id: int, told: str, *, focus: str = "", whole: bool = False
) -> HttpResponse:
    if not wants_fragment(request):
        messages.success(request, told)
        return redirect("talent-profiles", talent_id)
    if request.POST.get("from") == "list":
        return fragment(request, "socials/_refresh.html", toast=told)
    response = live_fragment(request, header_or_404(talent_id), toast=told, whole=whole)
    if focus:
        response["HX-Trigger-After-Settle"] = f'{{"focusOn": {{"selector": "{focus}"}}}}'
    return response
