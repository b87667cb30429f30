"""The links by which talents connect their own accounts, and the permissions that came of them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from socials import invites
from socials.invites import InviteRefused
from socials.models import Connection
from socials.models.invite import Invite
from socials.pages.shell import fragment, page, wants_fragment
from talent.models import Talent
from talent.pages.access import actor, manager_action, staff_page

ROWS = 50


def open_invite(talent: Talent) -> Invite | None:
    """The newest link of the talent that still works."""
    return Invite.objects.open().filter(talent=talent).order_by("-created_at").first()


@manager_action
def invite_create(request: HttpRequest, talent_id: int) -> HttpResponse:
    talent = get_object_or_404(Talent, pk=talent_id)
    email = talent.email if request.POST.get("send") else ""
    return _create(request, talent, request.POST.getlist("platforms"), email)


@manager_action
def invite_revoke(request: HttpRequest, talent_id: int) -> HttpResponse:
    talent = get_object_or_404(Talent, pk=talent_id)
    invites.revoke(talent, actor=actor(request))
    return _answer(request, talent, "The invite link is off")


@manager_action
def connection_reconnect(request: HttpRequest, connection_id: int) -> HttpResponse:
    """A link for the one platform that lost its permission, sent to the talent when we can."""
    row = get_object_or_404(Connection.objects.select_related("talent"), pk=connection_id)
    return _create(request, row.talent, [row.platform], row.talent.email)


@staff_page
def invites_page(request: HttpRequest) -> HttpResponse:
    """All links, or all permissions with their age and their end."""
    show = "permissions" if request.GET.get("show") == "permissions" else "links"
    rows: Any = invites.permissions() if show == "permissions" else invites.newest()
    found = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    if show == "permissions":
        found.object_list = [invites.permission(row) for row in found.object_list]
    return page(request, "socials/invites.html", here="invites", show=show, found=found)


@manager_action
def invite_off(request: HttpRequest, invite_id: int) -> HttpResponse:
    """Turn one link off."""
    invite = get_object_or_404(Invite.objects.select_related("talent"), pk=invite_id)
    invites.turn_off(invite, actor=actor(request))
    messages.success(request, f"The link of {invite.talent.name} is off")
    return redirect("invites")


def _create(request: HttpRequest, talent: Talent, platforms: list[str], email: str) -> HttpResponse:
    try:
        invites.create(talent, wanted=platforms, email=email, actor=actor(request))
    except InviteRefused as refusal:
        return _answer(request, talent, refusal.message, kind="error")
    told = f"Invite sent to {email}" if email else "Invite link made. It works for 7 days."
    return _answer(request, talent, told)


def _answer(
    request: HttpRequest, talent: Talent, told: str, *, kind: str = "ready"
) -> HttpResponse:
    if not wants_fragment(request):
        (messages.error if kind == "error" else messages.success)(request, told)
        return redirect("talent-profiles", talent.pk)
    return fragment(
        request,
        "socials/_invite.html",
        toast=told,
        kind=kind,
        talent=talent,
        invite=open_invite(talent),
        inviting=invites.available(),
        swap=True,
    )
