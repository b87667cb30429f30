"""Adding and editing a talent; archiving, deleting and erasing one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from socials import queries
from socials.erasure import erase
from socials.pages.connections import header_or_404
from socials.pages.photo import photo_card
from socials.pages.shell import gone_is_404, page
from socials.pages.typed import number_of
from talent import roster, rules
from talent.models import Talent, User
from talent.pages.access import actor, manager_action, staff_page
from talent.roles import can_write
from talent.rules import RosterRefused

TYPED = ("name", "email", "tags", "location", "bio", "linked_user")


@dataclass(frozen=True, slots=True)
class Draft:
    """A talent's fields as they were typed, and what is wrong with each."""

    name: str = ""
    email: str = ""
    tags: str = ""
    location: str = ""
    timezone: str = "UTC"
    bio: str = ""
    manager_id: int | None = None
    linked_user: str = ""
    """By user name or e-mail."""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def typed(cls, sent: Any) -> Draft:
        texts = {name: sent.get(name, "") for name in TYPED}
        return cls(
            **texts,
            timezone=sent.get("timezone", "") or "UTC",
            manager_id=number_of(sent.get("manager")),
        )

    @classmethod
    def of(cls, talent: Talent) -> Draft:
        return cls(
            name=talent.name,
            email=talent.email,
            tags=", ".join(talent.tags),
            location=talent.location,
            timezone=talent.timezone,
            bio=talent.bio,
            manager_id=talent.manager_id,
            linked_user=talent.linked_user.username if talent.linked_user else "",
        )

    def fields(self) -> dict[str, Any]:
        """As the roster takes them. Raises RosterRefused with every fault at once."""
        given: dict[str, Any] = {
            "name": self.name,
            "email": self.email,
            "tags": self.tags.split(","),
            "location": self.location,
            "timezone": self.timezone,
            "bio": self.bio,
            "manager_id": self.manager_id,
        }
        faults: dict[str, list[str]] = {}
        for check in (lambda: rules.cleaned(**given), lambda: self._linked(given)):
            try:
                check()
            except RosterRefused as fault:
                faults |= fault.fields
        if faults:
            raise RosterRefused(faults)
        return given

    def _linked(self, given: dict[str, Any]) -> None:
        given["linked_user_id"] = rules.user_named(self.linked_user)

    def refused(self, fault: RosterRefused) -> Draft:
        said = {name: " ".join(texts) for name, texts in fault.fields.items()}
        return replace(self, errors=said)


@staff_page
def talent_new(request: HttpRequest) -> HttpResponse:
    person = actor(request)
    if not can_write(person):
        return redirect("talent-list")
    if request.method != "POST":
        return _draft_page(request, Draft(manager_id=person.pk))
    draft = Draft.typed(request.POST)
    try:
        talent = roster.add(**draft.fields(), actor=person)
    except RosterRefused as fault:
        return _draft_page(request, draft.refused(fault), status=422)
    messages.success(request, f"{talent.name} is on the roster. Now add a profile.")
    return redirect("talent-profiles", talent.pk)


def _draft_page(request: HttpRequest, draft: Draft, *, status: int = 200) -> HttpResponse:
    return page(
        request,
        "socials/talent_new.html",
        status=status,
        draft=draft,
        people=_people(draft),
        zones=rules.timezones(),
    )


@staff_page
def talent_settings(request: HttpRequest, talent_id: int) -> HttpResponse:
    if not can_write(actor(request)):
        return redirect("talent-overview", talent_id)
    header = header_or_404(talent_id)
    if request.method != "POST":
        return _settings_page(request, header, Draft.of(header.talent))
    draft = Draft.typed(request.POST)
    try:
        roster.update(talent_id, actor=actor(request), **draft.fields())
    except RosterRefused as fault:
        return _settings_page(request, header, draft.refused(fault), status=422)
    messages.success(request, "Changes saved")
    return redirect("talent-settings", talent_id)


def _settings_page(
    request: HttpRequest,
    header: queries.TalentHeader,
    draft: Draft,
    *,
    status: int = 200,
    refusal: str = "",
) -> HttpResponse:
    return page(
        request,
        "socials/talent_settings.html",
        photo=photo_card(header.talent),
        status=status,
        tab="settings",
        header=header,
        draft=draft,
        people=_people(draft),
        zones=rules.timezones(),
        refusal=refusal,
    )


def _people(draft: Draft) -> list[tuple[int, str, bool]]:
    staff = User.objects.filter(is_active=True, is_staff=True).order_by("first_name", "username")
    return [(person.pk, str(person), person.pk == draft.manager_id) for person in staff]


# --- leaving and coming back -------------------------------------------------------------------


@manager_action
def talent_archive(request: HttpRequest, talent_id: int) -> HttpResponse:
    with gone_is_404(Talent.DoesNotExist):
        talent = roster.archive(talent_id, actor=actor(request))
    messages.success(request, f"{talent.name} is archived. Nothing was deleted.")
    return redirect("talent-overview", talent_id)


@manager_action
def talent_restore(request: HttpRequest, talent_id: int) -> HttpResponse:
    with gone_is_404(Talent.DoesNotExist):
        talent = roster.restore(talent_id, actor=actor(request))
    messages.success(request, f"{talent.name} is back on the roster")
    return redirect("talent-overview", talent_id)


@manager_action
def talent_delete(request: HttpRequest, talent_id: int) -> HttpResponse:
    """Only with the name typed out."""
    header = header_or_404(talent_id)
    name = header.talent.name
    if " ".join(request.POST.get("confirm", "").split()) != name:
        draft = Draft.of(header.talent)
        refusal = f"Type the whole name, {name}, to delete."
        return _settings_page(request, header, draft, status=422, refusal=refusal)
    leave = _erase if request.POST.get("erase") else _delete
    with gone_is_404(Talent.DoesNotExist):
        told = leave(request, talent_id)
    messages.success(request, told.format(name=name))
    return redirect("talent-list")


def _delete(request: HttpRequest, talent_id: int) -> str:
    roster.delete(talent_id, actor=actor(request))
    return "{name} is deleted, with all numbers"


def _erase(request: HttpRequest, talent_id: int) -> str:
    receipt = erase(talent_id, actor=actor(request))
    rows = sum(receipt.erased.values())
    return f"Talent {talent_id} is erased everywhere: {rows:,} rows and files"
