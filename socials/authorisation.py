"""The talent's way through a platform's consent: begin, come back, confirm.

A state is good once, for fifteen minutes, in the browser session that began, for one platform and
one link. Nothing is stored as a grant before the talent has said that it is the right account.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from scraping.errors import (
    Failure,
    NotConfigured,
    NotFound,
    PermissionMissing,
    UnsupportedAccount,
)
from socials import grants, handles, platforms, renewal
from socials.grants import Adopted, WrongAccount
from socials.images.download import Downloader
from socials.images.pixels import render
from socials.images.refusals import ImageRefused
from socials.models.invite import Invite, PendingGrant
from socials.platforms.kit.oauth import proof_key
from socials.types import Profile, TokenGrant
from talent.models import Talent
from talent.roster import departing

log = structlog.get_logger("authorisation")

SESSION_KEY = "authorisation"
PENDING_KEY = "authorisation_pending"
STATE_SECONDS = 15 * 60
MOST_STATES = 5
PENDING_LIFE = timedelta(minutes=15)
PHOTO_SIDE = 128

Session = MutableMapping[str, Any]


class Refused(Exception):
    """Coming back did not work: ``code`` for programs, ``message`` and ``hint`` for people.

    ``invite`` is the link that it began with, where it is known and still works.
    """

    code = "OAUTH_FAILED"

    def __init__(self, message: str, hint: str = "", *, invite: Invite | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.invite = invite


class InvalidState(Refused):
    """Replayed, foreign, missing or expired."""

    code = "INVALID_STATE"


class Denied(Refused):
    """The talent said no at the platform. No fault: nothing was stored."""


class LinkEnded(Refused):
    """The invite was turned off or has expired meanwhile."""

    code = "INVALID_STATE"


LINK_ENDED = ("Your invite link has ended meanwhile.", "Ask your agency for a new one.")


@dataclass(frozen=True, slots=True)
class Seen:
    """The account that was chosen at the platform, as the talent is asked about it."""

    platform: str
    shown: str
    """The handle as people write it."""
    display_name: str
    photo: str
    """A ``data:`` address, for no page of ours loads a picture from elsewhere; or nothing."""
    followers: int | None
    lost: tuple[str, ...]
    """What can't be read, because it was not allowed."""
    instead_of: str
    """The account that waits to be connected again, where this is another one."""


def begin(session: Session, invite: Invite, platform: str, *, again: bool = False) -> str:
    """The platform's address to send the browser to. Raises NotConfigured or LinkEnded."""
    if platform not in invite.platforms or not invite.is_open:
        raise LinkEnded(
            "This link doesn't work for this platform.", "Ask your agency for a new one."
        )
    if missing := platforms.missing_for_connecting(platform):
        raise NotConfigured(f"set {' and '.join(missing)}", platform=platform, setting=missing[0])
    flow = platforms.flow(platform)
    state = secrets.token_urlsafe(32)
    verifier, challenge = proof_key() if flow.USES_PKCE else ("", "")
    states = _live(session)
    while len(states) >= MOST_STATES:
        states.pop(next(iter(states)))
    states[state] = {
        "platform": platform,
        "invite": invite.pk,
        "verifier": verifier,
        "until": time.time() + STATE_SECONDS,
    }
    session[SESSION_KEY] = states
    return flow.authorize_url(
        settings.PLATFORM_SETTINGS,
        redirect_uri=redirect_uri(platform),
        state=state,
        challenge=challenge,
        again=again,
    )


def come_back(
    session: Session, platform: str, *, state: str, code: str, error: str = ""
) -> PendingGrant:
    """Exchange the code, read the account once, and keep both until the talent confirms.

    Raises InvalidState, LinkEnded, Denied or Refused; nothing is stored then.
    """
    began = _live(session)
    facts = began.pop(state, None)
    session[SESSION_KEY] = began
    if facts is None or facts["platform"] != platform:
        raise InvalidState(
            "This sign-in doesn't belong to this browser, or it was used before.",
            "Open your invite link again and start over.",
        )
    invite = Invite.objects.open().filter(pk=facts["invite"]).select_related("talent").first()
    if invite is None:
        raise LinkEnded(*LINK_ENDED)
    name = platforms.get(platform).name
    if error:
        raise _refusal(platform, error, invite)
    if not code:
        raise InvalidState(
            f"{name} sent nothing we can use.", "Start over from your link.", invite=invite
        )
    flow = platforms.flow(platform)
    outside = renewal.context()
    grant = None
    try:
        grant = flow.exchange(
            outside, code=code, redirect_uri=redirect_uri(platform), verifier=facts["verifier"]
        )
        account = flow.whoami(outside, grant)
    except Failure as failure:
        log.warning(
            "authorisation.failed", platform=platform, cause=failure.code, detail=failure.detail
        )
        if grant is not None and (grant.app_user_id or grant.external_id):
            grants.give_back(platform, grant, invite.talent_id)
        raise Refused(*_words(name, failure), invite=invite) from None
    return _pend(session, invite, platform, grant, account)


def _refusal(platform: str, error: str, invite: Invite) -> Denied | Refused:
    """What the platform's ``error`` in the redirect means: the talent's own no, or its trouble."""
    log.info("authorisation.denied", platform=platform, reason=error[:60])
    name = platforms.get(platform).name
    if error == "access_denied":
        return Denied(
            f"You didn't allow access on {name}.",
            "Nothing was stored. You can try again whenever you like.",
            invite=invite,
        )
    return Refused(
        f"{name} didn't finish the sign-in.",
        "Nothing was stored. Try again in a few minutes.",
        invite=invite,
    )


def seen(pending: PendingGrant) -> Seen:
    """What to ask the talent."""
    account, platform = pending.account, pending.platform
    lost = grants.lost_without(platform, pending.scopes)
    return Seen(
        platform,
        handles.at(platform, account["handle"]),
        account["display_name"],
        account["photo"],
        account["followers"],
        tuple(lost.values()),
        grants.other_than_awaited(pending.invite.talent, platform, _account(pending)),
    )


def confirm(pending: PendingGrant) -> Adopted:
    """The talent said yes: keep the grant.

    Raises WrongAccount (the grant is given back), InvalidState when it was answered before, or
    LinkEnded.
    """
    try:
        with transaction.atomic():
            row = _held(pending)
            if row is None:
                raise InvalidState("This was answered before.", "Open your invite link again.")
            if not Invite.objects.open().filter(pk=row.invite_id).exists():
                raise LinkEnded(*LINK_ENDED)
            adopted = grants.adopt(row.invite.talent, row.platform, _grant(row), _account(row))
            Invite.objects.filter(pk=row.invite_id).update(used_at=timezone.now())
            row.delete()
    except WrongAccount:
        decline(pending)
        raise
    return adopted


def decline(pending: PendingGrant) -> None:
    """Not the right account: forget the grant and give it back to the platform.

    One that was answered meanwhile stays as it was answered: it may be kept by now.
    """
    with transaction.atomic():
        row = _held(pending)
        if row is not None:
            grants.give_back(row.platform, _grant(row), row.invite.talent_id)
            row.delete()


def _held(pending: PendingGrant) -> PendingGrant | None:
    """The question, ours until the transaction ends, after its talent; None once it is answered."""
    Talent.objects.held().filter(pk=pending.invite.talent_id).first()
    waits = PendingGrant.objects.select_for_update(of=("self",)).filter(pk=pending.pk)
    return waits.select_related("invite__talent").first()


def give_up(sender: type[Talent], talent: Talent, **_: Any) -> None:
    """A talent departs: what waits for her yes is given back."""
    for pending in PendingGrant.objects.filter(invite__talent=talent).select_related("invite"):
        decline(pending)


departing.connect(give_up, dispatch_uid="socials.authorisation.give_up")


def forget_unanswered() -> int:
    """Give back the grants that nobody confirmed in time. Returns how many."""
    late = PendingGrant.objects.filter(created_at__lt=timezone.now() - PENDING_LIFE)
    unanswered = list(late.select_related("invite"))
    for pending in unanswered:
        decline(pending)
    return len(unanswered)


def waiting(session: Session, pending_id: str) -> PendingGrant | None:
    """The grant that this browser may answer for."""
    if pending_id not in session.get(PENDING_KEY, []):
        return None
    young = PendingGrant.objects.filter(created_at__gt=timezone.now() - PENDING_LIFE)
    return young.select_related("invite__talent").filter(pk=pending_id).first()


def redirect_uri(platform: str) -> str:
    """Exactly what is registered at the platform: PUBLIC_URL and the callback's path."""
    return f"{settings.PUBLIC_URL}{reverse('oauth-callback', args=[platform.lower()])}"


def start_over(session: Session, pending: PendingGrant) -> None:
    """Forget in this browser what was answered."""
    known = session.get(PENDING_KEY, [])
    session[PENDING_KEY] = [one for one in known if one != pending.pk]


def _live(session: Session) -> dict[str, dict[str, Any]]:
    states = session.get(SESSION_KEY, {})
    return {state: facts for state, facts in states.items() if facts["until"] > time.time()}


def _pend(
    session: Session, invite: Invite, platform: str, grant: TokenGrant, account: Profile
) -> PendingGrant:
    pending = PendingGrant.objects.create(
        id=secrets.token_urlsafe(32),
        invite=invite,
        platform=platform,
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        scopes=list(grant.scopes),
        expires_at=grant.expires_at,
        refresh_expires_at=grant.refresh_expires_at,
        account={
            "external_id": account.external_id,
            "app_user_id": grant.app_user_id or account.extra.get("app_user_id", ""),
            "handle": account.handle,
            "display_name": account.display_name,
            "avatar_url": account.avatar_url,
            "photo": _photo(platform, account.avatar_url),
            "followers": account.followers.value,
        },
    )
    session[PENDING_KEY] = [*session.get(PENDING_KEY, [])[1 - MOST_STATES :], pending.pk]
    return pending


def _photo(platform: str, url: str | None) -> str:
    """The account's picture, small and clean, as a ``data:`` address; "" where there is none."""
    try:
        content = Downloader(sandbox_hosts=settings.SANDBOX_HOSTS).fetch(
            url or "", platforms.get(platform).image_hosts
        )
        picture = render(content)
    except ImageRefused:
        return ""
    encoded = base64.b64encode(picture.squares[PHOTO_SIDE]).decode()
    return f"data:image/webp;base64,{encoded}"


def _grant(pending: PendingGrant) -> TokenGrant:
    return TokenGrant(
        access_token=pending.access_token,
        refresh_token=pending.refresh_token,
        scopes=tuple(pending.scopes),
        expires_at=pending.expires_at,
        refresh_expires_at=pending.refresh_expires_at,
        external_id=pending.account["external_id"],
        app_user_id=pending.account["app_user_id"],
    )


def _account(pending: PendingGrant) -> Profile:
    account = pending.account
    return Profile(
        external_id=account["external_id"],
        handle=account["handle"],
        display_name=account["display_name"],
        avatar_url=account["avatar_url"],
        extra={"app_user_id": account["app_user_id"]},
    )


def _words(name: str, failure: Failure) -> tuple[str, str]:
    """What to tell the talent of a flow that failed after her yes."""
    if isinstance(failure, NotConfigured):
        return f"{name} isn't set up correctly here.", "Tell your agency: it is not your fault."
    if isinstance(failure, UnsupportedAccount):
        return (
            f"This {name} account is personal.",
            "Switching to a professional account is free, in its settings. Then try again.",
        )
    if isinstance(failure, NotFound):
        return f"There is no {name} channel on this account.", "Choose the account that has it."
    if isinstance(failure, PermissionMissing):
        return f"{name} didn't share enough.", "Try again and leave every box ticked."
    if failure.later:
        return f"{name} isn't answering.", "Nothing was stored. Try again in a few minutes."
    return f"{name} didn't accept the sign-in.", "Nothing was stored. Start over from your link."
