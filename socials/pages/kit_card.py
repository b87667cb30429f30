"""The card by which staff make a media kit's link and turn it off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from socials import kits
from socials.models.kit_link import KitMetric
from socials.pages.typed import number_of
from talent.models import Talent
from talent.pages.access import actor, manager_action

LAST = 99
"""The place of what was given none."""


@dataclass(frozen=True, slots=True)
class Option:
    """A line of the form: what can be shown, whether it is, and where."""

    value: str
    label: str
    chosen: bool
    place: int


def kit_card(talent_id: int) -> dict[str, Any]:
    """The link as it stands, and the form for a new one."""
    link = kits.current(talent_id)
    chosen = list(link.metrics) if link else list(kits.USUAL)
    order = chosen + [name for name in KitMetric.values if name not in chosen]
    return {
        "kit": link,
        "kit_options": [
            Option(name, KitMetric(name).label, name in chosen, place)
            for place, name in enumerate(order, start=1)
        ],
        "kit_days": (30, 90, 365, 730),
    }


@manager_action
def kit_make(request: HttpRequest, talent_id: int) -> HttpResponse:
    """A new link with what was ticked, in the order of the numbers beside."""
    talent = get_object_or_404(Talent, pk=talent_id)
    ticked = [name for name in request.POST.getlist("metrics") if name in KitMetric.values]
    days = number_of(request.POST.get("days"))
    earlier = kits.current(talent_id) is not None
    try:
        if not ticked:
            raise kits.KitRefused("metrics", "Choose at least one thing to show.")
        kits.create(
            talent,
            metrics=sorted(ticked, key=lambda name: _place(request, name)),
            expires_in_days=kits.USUAL_DAYS if days is None else days,
            actor=actor(request),
        )
    except kits.KitRefused as refused:
        messages.error(request, refused.message)
    else:
        told = "Media kit link made" + (". The earlier one stopped working." if earlier else "")
        messages.success(request, told)
    return redirect("talent-intelligence", talent_id)


@manager_action
def kit_off(request: HttpRequest, talent_id: int) -> HttpResponse:
    talent = get_object_or_404(Talent, pk=talent_id)
    if kits.revoke(talent, actor=actor(request)):
        messages.success(request, "The media kit's link is off")
    return redirect("talent-intelligence", talent_id)


def _place(request: HttpRequest, name: str) -> int:
    place = number_of(request.POST.get(f"place-{name}"))
    return LAST if place is None else place
