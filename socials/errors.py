"""The closed set of causes: for each code the words that people read, and who acts next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from scraping.errors import (
    BadResponse,
    Blocked,
    Failure,
    IdentityChanged,
    Internal,
    InvalidHandle,
    NotConfigured,
    NotFound,
    PermissionMissing,
    PlatformUnavailable,
    PrivateAccount,
    QuotaExhausted,
    RateLimited,
    ReauthRequired,
    UnsupportedAccount,
)

__all__ = [
    "CAUSES",
    "Action",
    "BadResponse",
    "Blocked",
    "Cause",
    "Failure",
    "IdentityChanged",
    "Internal",
    "InvalidHandle",
    "NotConfigured",
    "NotFound",
    "PermissionMissing",
    "PlatformUnavailable",
    "PrivateAccount",
    "QuotaExhausted",
    "RateLimited",
    "ReauthRequired",
    "UnsupportedAccount",
    "repeats",
]


class Action(StrEnum):
    """What mends it: the button that a person is offered."""

    WAIT = "wait"
    SYNC = "sync"
    CORRECT = "correct"  # fix the handle
    INVITE = "invite"  # ask the talent to connect
    RECONNECT = "reconnect"  # send a reconnect link
    CONFIGURE = "configure"  # an operator sets credentials
    CHECK = "check"  # staff decide whether it is still the same person


@dataclass(frozen=True, slots=True)
class Cause:
    """A code in plain words. ``{P}`` is the platform, ``{h}`` the handle, ``{T}`` the talent."""

    code: str
    title: str
    sentence: str
    action: Action
    later: bool


def _causes() -> dict[str, Cause]:
    table: list[tuple[type[Failure], str, str, Action]] = [
        (InvalidHandle, "This handle can't exist on {P}.",
         "Use letters, numbers, dots and underscores, without spaces.", Action.CORRECT),
        (NotFound, "We can't find this account.",
         "{P} says {h} doesn't exist. The handle may have changed.", Action.CORRECT),
        (PrivateAccount, "This account is private.",
         "Public numbers can't be read. Ask {T} to make it public, or invite {T} to connect.",
         Action.INVITE),
        (UnsupportedAccount, "This {P} account is personal.",
         "{P} shares numbers only from professional accounts. Switching is free, in Settings.",
         Action.INVITE),
        (ReauthRequired, "{P} access ended.",
         "Only {T} can renew it. Send the link; it takes a minute.", Action.RECONNECT),
        (PermissionMissing, "{P} didn't share everything.",
         "A box was left unticked. Send the link again and ask {T} to leave every box on.",
         Action.RECONNECT),
        (RateLimited, "{P} asked us to slow down.",
         "We try again by ourselves. You don't need to do anything.", Action.WAIT),
        (QuotaExhausted, "Today's allowance for {P} is used up.",
         "We go on by ourselves when it resets. The last good numbers stay.", Action.WAIT),
        (PlatformUnavailable, "{P} isn't answering.",
         "The problem is on their side. We keep trying, and the last good numbers stay.",
         Action.SYNC),
        (Blocked, "{P} shows a login wall.",
         "Public pages can't be read from here now. Invite {T} to connect instead.", Action.INVITE),
        (BadResponse, "{P} sent something we don't understand.",
         "We try again by ourselves, and the last good numbers stay.", Action.SYNC),
        (NotConfigured, "{P} isn't set up yet.",
         "No numbers can be read until an administrator adds the credentials.", Action.CONFIGURE),
        (IdentityChanged, "{h} belongs to somebody else now.",
         "We stopped, so that two people's numbers don't mix. Check with {T}, then add the new handle.",
         Action.CHECK),
        (Internal, "Something went wrong on our side.",
         "We try again by ourselves, and the team can see it.", Action.SYNC),
    ]  # fmt: skip
    return {
        kind.code: Cause(kind.code, title, sentence, action, kind.later)
        for kind, title, sentence, action in table
    }


CAUSES: dict[str, Cause] = _causes()


def repeats(told: str, known: str) -> bool:
    """Whether ``told`` says nothing that ``known`` doesn't: "The account is private"."""
    new = set(re.findall(r"\w+", told.casefold())) - set(re.findall(r"\w+", known.casefold()))
    return new <= {"a", "an", "the"}
