"""A person's own second factor: set up with a QR code, recovery codes, turned off."""

from __future__ import annotations

import re
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.debug import sensitive_post_parameters

from socials.pages.shell import page
from talent import second_factor as journeys
from talent.models import SecondFactor
from talent.pages.access import actor, own_action, own_page
from talent.roles import must_set_up_second_factor

HERE = "account"
WRONG = "That code is not right, or was used before. Wait for the next one, and check the clock."
PAUSED = "Five wrong codes in a row. Nothing is taken for ten minutes: wait, then try again."
WRONG_PASSWORD = "This is not your password."  # noqa: S105  words


@own_page
def second_factor(request: HttpRequest) -> HttpResponse:
    """Whether it is on. A secret is never shown here: only where it was asked for just now."""
    return _page(request)


@own_action
def begin(request: HttpRequest) -> HttpResponse:
    """A new secret, as a QR code and as text."""
    try:
        return _page(request, factor=journeys.begin(actor(request)))
    except journeys.AlreadyOn:
        return redirect("second-factor")


@own_action
@sensitive_post_parameters("password", "code")
def confirm(request: HttpRequest) -> HttpResponse:
    """On, when the app's code and the password are right; the recovery codes are on this answer."""
    person = actor(request)
    try:
        factor = journeys.pending(person)
    except (journeys.AlreadyOn, SecondFactor.DoesNotExist):
        return redirect("second-factor")
    password = request.POST.get("password", "")
    if authenticate(request, username=person.username, password=password) is None:
        return _page(request, factor=factor, refusals={"password": WRONG_PASSWORD}, status=422)
    try:
        codes = journeys.confirm(person, request.POST.get("code", ""))
    except journeys.WrongCode:
        return _page(request, factor=factor, refusals={"code": WRONG}, status=422)
    except journeys.Paused:
        return _page(request, factor=factor, refusals={"code": PAUSED}, status=429)
    update_session_auth_hash(request, person)
    return _page(request, recovery=codes)


@own_action
@sensitive_post_parameters("code")
def codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes; the old ones end."""
    person = actor(request)
    try:
        fresh = journeys.renew_codes(person, request.POST.get("code", ""))
    except journeys.WrongCode:
        return _page(request, refusals={"renew": WRONG}, status=422)
    except journeys.Paused:
        return _page(request, refusals={"renew": PAUSED}, status=429)
    return _page(request, recovery=fresh)


@own_action
@sensitive_post_parameters("code")
def off(request: HttpRequest) -> HttpResponse:
    person = actor(request)
    try:
        journeys.turn_off(person, request.POST.get("code", ""))
    except journeys.WrongCode:
        return _page(request, refusals={"off": WRONG}, status=422)
    except journeys.Paused:
        return _page(request, refusals={"off": PAUSED}, status=429)
    update_session_auth_hash(request, person)
    messages.success(request, "The second factor is off")
    return redirect("account")


def _page(
    request: HttpRequest,
    *,
    factor: SecondFactor | None = None,
    recovery: list[str] | None = None,
    refusals: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    person = actor(request)
    shown: dict[str, Any] = {}
    if factor is not None:
        secret = " ".join(re.findall("....", factor.secret))
        shown = {"secret": secret, "qr": _drawn(journeys.address(factor))}
    return page(
        request,
        "socials/second_factor.html",
        here=HERE,
        status=status,
        since=person.second_factor_at,
        owed=must_set_up_second_factor(person),
        left=person.recovery_codes.filter(used_at=None).count(),
        recovery=recovery,
        refusals=refusals or {},
        **shown,
    )


def _drawn(address: str) -> SafeString:
    """A QR code as SVG, black on white in either theme. It is made of squares only, no text."""
    drawing = segno.make(address, error="m").svg_inline(border=3, light="#fff", omitsize=True)
    return mark_safe(drawing)  # noqa: S308  our own drawing
