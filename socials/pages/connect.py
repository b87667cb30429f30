"""What a talent sees: her invite, the platform's answer, and "is this the right account?".

These pages are public, so they tell nobody but her: not indexed, not cached, no address of theirs
leaves with a click. They work without JavaScript. Nothing here redirects to an address that came
in: only to a platform's own, as configured, and to our own pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from scraping.errors import NotConfigured, PermissionMissing
from socials import authorisation, connections, handles, invites, platforms
from socials.authorisation import Denied, InvalidState, LinkEnded, Refused
from socials.grants import WrongAccount
from socials.models import Connection, ConnectionType, Invite
from socials.models.invite import PendingGrant

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

RESULTS = "connect_results"
ANSWERED = "connect_answered"
"""In the session: what to tell on the invite's page once, by platform."""

WHO_CAN = {
    "INSTAGRAM": "Professional account needed",
    "TIKTOK": "Profile and public videos",
    "YOUTUBE": "Channel and public videos",
}
WHICH_ACCOUNTS = (
    (
        "Instagram",
        "a creator or business account. Switching a personal one is free: Settings, Account type and tools",
    ),
    ("TikTok", "any account of yours"),
    ("YouTube", "a Google account that has a channel; you choose which"),
)
WHERE_TO_END = (
    ("Instagram", "Settings, Website permissions, Apps and websites"),
    ("TikTok", "Settings, Security and permissions, Apps and services permissions"),
    ("YouTube", "your Google Account, Security, Connections to third-party apps"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A platform on the invite's page."""

    platform: str
    name: str
    label: str
    hint: str
    url: str
    connected: tuple[tuple[int, str], ...] = ()
    """Accounts that are connected: id and handle."""
    lacks: bool = False
    """Whether a box was left unticked when it was connected."""
    told: Mapping[str, str] | None = None
    """What came of the last try: kind, title and text."""


def private(view: View[P]) -> View[P]:
    """A page for one person: no index, no cache."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex, nofollow"
        # A page with a form keeps the site's "same-origin": without a referrer a browser sends
        # the form with "Origin: null", which the forgery check refuses.
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    return guarded


# --- the invite --------------------------------------------------------------------------------


@require_safe
@private
def connect(request: HttpRequest, token: str) -> HttpResponse:
    by_staff = request.user.is_authenticated and request.user.is_staff
    invite = invites.find(token, opened=not by_staff)
    if invite is None:
        return _ended(request, token)
    told = _results(request, invite)
    choices = [_choice(invite, platform, told.get(platform)) for platform in invite.platforms]
    done = [choice for choice in choices if choice.connected]
    return render(
        request,
        "public/connect.html",
        {
            "invite": invite,
            "talent": invite.talent,
            "agency": settings.AGENCY_NAME,
            "choices": choices,
            "done": done,
            "left": sum(choice.lacks or not choice.connected for choice in choices),
            "good_news": [c.told for c in choices if c.told and c.told["kind"] == "ready"],
            "which_accounts": WHICH_ACCOUNTS,
            "where_to_end": WHERE_TO_END,
            "youtube": "YOUTUBE" in invite.platforms,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@private
def connect_disconnect(request: HttpRequest, token: str, connection_id: int) -> HttpResponse:
    """Asks first; a POST lets the account go."""
    invite = invites.find(token)
    if invite is None:
        return _ended(request, token)
    row = _connected(invite).filter(pk=connection_id).first()
    if row is None:
        return redirect("connect", token)
    name, shown = platforms.get(row.platform).name, handles.at(row.platform, row.handle)
    if request.method == "POST":
        connections.disconnect(row.pk)
        _tell(
            request, invite, row.platform, "ready",
            f"{name} is disconnected.", f"We stopped reading {shown} and deleted what we had read.",
        )  # fmt: skip
        return redirect("connect", token)
    response = render(
        request,
        "public/connect_disconnect.html",
        {
            "agency": settings.AGENCY_NAME,
            "platform": row.platform,
            "name": name,
            "shown": shown,
            "back": reverse("connect", args=[token]),
        },
    )
    response["Referrer-Policy"] = "same-origin"
    return response


# --- to the platform and back ------------------------------------------------------------------


@require_safe
@private
def oauth_start(request: HttpRequest, platform: str) -> HttpResponse:
    """Off to the platform, for the invite whose token is in ``link``."""
    platform = _platform(platform)
    token = request.GET.get("link", "")
    invite = invites.find(token)
    if invite is None:
        return _ended(request, token)
    try:
        url = authorisation.begin(
            request.session, invite, platform, again=request.GET.get("again") == "1"
        )
    except NotConfigured:
        name = platforms.get(platform).name
        _tell(
            request, invite, platform, "error",
            f"{name} isn't set up here yet.", "Tell your agency: it is not your fault.",
        )  # fmt: skip
        return redirect("connect", token)
    except LinkEnded as refusal:
        return _refusal(request, refusal, status=410)
    response = HttpResponse(status=302)
    response["Location"] = url
    return response


@require_safe
@private
def oauth_callback(request: HttpRequest, platform: str) -> HttpResponse:
    """Where the platform sends the browser. What it brought is used once, then out of sight."""
    platform = _platform(platform)
    try:
        pending = authorisation.come_back(
            request.session,
            platform,
            state=request.GET.get("state", ""),
            code=request.GET.get("code", ""),
            error=request.GET.get("error", ""),
        )
    except InvalidState as refusal:
        return _refusal(request, refusal, status=400)
    except LinkEnded as refusal:
        return _refusal(request, refusal, status=410)
    except Refused as refusal:
        if refusal.invite is None:
            return _refusal(request, refusal, status=502)
        kind = "pending" if isinstance(refusal, Denied) else "error"
        _tell(request, refusal.invite, platform, kind, refusal.message, refusal.hint)
        return redirect("connect", refusal.invite.token)
    return redirect("oauth-confirm", platform.lower(), pending.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@private
def oauth_confirm(request: HttpRequest, platform: str, pending_id: str) -> HttpResponse:
    """ "Is this the right account?" The answer is a POST: yes, other or no."""
    platform = _platform(platform)
    pending = authorisation.waiting(request.session, pending_id)
    if pending is None and (answered := _answered_before(request, pending_id)):
        return redirect("connect", answered.token)
    if pending is None or pending.platform != platform:
        gone = InvalidState(
            "This question was answered, or it waited too long.",
            "Open your invite link again: it shows what is connected.",
        )
        return _refusal(request, gone, status=410)
    if request.method == "POST":
        return _answered(request, pending)
    response = render(
        request,
        "public/confirm.html",
        {
            "seen": authorisation.seen(pending),
            "name": platforms.get(platform).name,
            "talent": pending.invite.talent,
            "agency": settings.AGENCY_NAME,
        },
    )
    response["Referrer-Policy"] = "same-origin"
    return response


def _answered(request: HttpRequest, pending: PendingGrant) -> HttpResponse:
    name = platforms.get(pending.platform).name
    shown = handles.at(pending.platform, pending.account["handle"])
    told: tuple[str, str, str]
    if request.POST.get("answer") == "yes":
        told = _confirmed(pending, name)
    else:
        authorisation.decline(pending)
        kind = "other" if request.POST.get("answer") == "other" else "pending"
        told = (kind, f"{shown} is not connected.", "Nothing of it was kept.")
    authorisation.start_over(request.session, pending)
    request.session[ANSWERED] = [pending.pk, pending.invite_id]
    _tell(request, pending.invite, pending.platform, *told)
    return redirect("connect", pending.invite.token)


def _answered_before(request: HttpRequest, pending_id: str) -> Invite | None:
    """The link of a question that this browser answered last: where its "back" leads."""
    answered, invite_id = request.session.get(ANSWERED, ("", None))
    return Invite.objects.open().filter(pk=invite_id).first() if answered == pending_id else None


def _confirmed(pending: PendingGrant, name: str) -> tuple[str, str, str]:
    try:
        authorisation.confirm(pending)
    except WrongAccount as wrong:
        return (
            "other",
            f"This is {wrong.got}.",
            f"{wrong.expected} was to be connected again. Log in to that account on {name}.",
        )
    except (InvalidState, LinkEnded) as refusal:
        return "error", refusal.message, refusal.hint
    return (
        "ready",
        f"{name} is connected.",
        "We're reading your numbers now. It takes about a minute, and you can close this page.",
    )


# --- what the pages are made of ----------------------------------------------------------------


def _platform(name: str) -> str:
    """The platform of an address, in lower case there. Raises Http404."""
    platform = name.upper()
    if name != name.lower() or platform not in platforms.PLATFORMS:
        raise Http404
    if not platforms.get(platform).oauth:
        raise Http404
    return platform


def _connected(invite: Invite) -> Any:
    return Connection.objects.filter(
        talent=invite.talent_id,
        platform__in=invite.platforms,
        connection_type=ConnectionType.OAUTH,
        connected=True,
        grant__isnull=False,
    ).order_by("platform", "handle_key")


def _choice(invite: Invite, platform: str, told: Mapping[str, str] | None) -> Choice:
    name = platforms.get(platform).name
    rows = Connection.objects.filter(talent=invite.talent_id, platform=platform)
    done = [row for row in _connected(invite) if row.platform == platform]
    waits = rows.filter(connected=False).order_by("pk").first()
    lacks = next((row for row in done if row.error_code == PermissionMissing.code), None)
    query = {"link": invite.token}
    label, hint = f"Connect {name}", WHO_CAN.get(platform, "Profile and posts")
    if waits is not None:
        label = f"Reconnect {name}"
        hint = f"{handles.at(platform, waits.handle)} needs your permission again"
    elif lacks is not None:
        query["again"] = "1"  # a platform that remembers the yes would not show its boxes
        label = f"Reconnect {name}"
        hint = f"{handles.at(platform, lacks.handle)}: please leave every box on this time"
    elif done:
        label, hint = f"Add another {name} account", "Only if you have one"
    if told and told["kind"] == "other":
        query["again"] = "1"
        label = f"Choose another {name} account"
    elif told and told["kind"] in {"error", "pending"}:
        label = f"Try {name} again"
    return Choice(
        platform,
        name,
        label,
        hint,
        f"{reverse('oauth-start', args=[platform.lower()])}?{urlencode(query)}",
        tuple((row.pk, handles.at(platform, row.handle)) for row in done),
        lacks is not None and waits is None,
        told,
    )


def _tell(
    request: HttpRequest, invite: Invite, platform: str, kind: str, title: str, text: str
) -> None:
    """Keep what came of it for the invite's page: ready, pending, other or error."""
    kept = request.session.get(RESULTS, {})
    results = kept.get("told", {}) if kept.get("invite") == invite.pk else {}
    results[platform] = {"kind": kind, "title": title, "text": text}
    request.session[RESULTS] = {"invite": invite.pk, "told": results}


def _results(request: HttpRequest, invite: Invite) -> dict[str, dict[str, str]]:
    kept = request.session.get(RESULTS)
    if not kept or kept["invite"] != invite.pk:
        return {}
    del request.session[RESULTS]
    told: dict[str, dict[str, str]] = kept["told"]
    return told


def _ended(request: HttpRequest, token: str) -> HttpResponse:
    """The link is unknown, expired or turned off: the same page, the reason where it is known."""
    reason = invites.why_ended(token)
    return render(
        request,
        "public/link_ended.html",
        {"reason": reason, "agency": settings.AGENCY_NAME},
        status=404 if reason == "unknown" else 410,
    )


def _refusal(request: HttpRequest, refusal: Refused, *, status: int) -> HttpResponse:
    back = reverse("connect", args=[refusal.invite.token]) if refusal.invite else ""
    return render(
        request,
        "public/refused.html",
        {"refusal": refusal, "back": back, "agency": settings.AGENCY_NAME},
        status=status,
    )
