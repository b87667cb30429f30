"""Keys to the API: a person's own are made, looked at, revoked; a superuser sees everybody's."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils import timezone

from socials.pages.shell import page
from socials.pages.talent_list import Choice
from talent import tokens
from talent.models import ApiToken
from talent.pages.access import actor, own_page

LIVES = {"30": "30 days", "90": "90 days", "365": "A year", "": "Until it is revoked"}
DEFAULT_LIFE = "90"
CLOSED_SHOWN = 5
ROWS = 50


@own_page
def account(request: HttpRequest) -> HttpResponse:
    """The person's tokens; a POST makes one, whose secret is on that answer and nowhere else."""
    if request.method != "POST":
        return _account_page(request)
    name, life = request.POST.get("name", ""), request.POST.get("days", DEFAULT_LIFE)
    life = life if life in LIVES else DEFAULT_LIFE
    try:
        secret = tokens.issue_own(actor(request), name=name, days=int(life) if life else None)
    except tokens.Refused as refusal:
        return _account_page(request, name=name, life=life, refusal=str(refusal), status=422)
    return _account_page(request, secret=secret)


@own_page
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if tokens.revoke_one(token_id, actor=actor(request)):
        messages.success(request, "The token is revoked. Whoever uses it gets no answer any more.")
    else:
        messages.error(request, "There is no open token like that.")
    return redirect("all-tokens" if request.POST.get("from") == "all" else "account")


@own_page
def all_tokens(request: HttpRequest) -> HttpResponse:
    """Everybody's open tokens, those that were used last first. For superusers."""
    if not actor(request).is_superuser:
        raise PermissionDenied
    rows = ApiToken.objects.usable().select_related("user")
    newest = rows.order_by(F("last_used_at").desc(nulls_last=True), "-pk")
    found = Paginator(newest, ROWS).get_page(request.GET.get("page"))
    return page(request, "socials/all_tokens.html", here="account", found=found)


def _account_page(
    request: HttpRequest,
    *,
    secret: str = "",
    name: str = "",
    life: str = DEFAULT_LIFE,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    own = actor(request).api_tokens.all()
    usable = own.usable()
    closed = own.exclude(pk__in=usable).order_by(F("last_used_at").desc(nulls_last=True), "-pk")
    return page(
        request,
        "socials/account.html",
        here="account",
        status=status,
        usable=list(usable.order_by("-created_at")),
        closed=list(closed[:CLOSED_SHOWN]),
        secret=secret,
        name=name,
        lives=[Choice(value, label, value == life) for value, label in LIVES.items()],
        refusal=refusal,
        now=timezone.now(),
    )
