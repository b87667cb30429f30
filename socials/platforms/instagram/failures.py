"""What a refusal means for us: Meta's codes, not its HTTP statuses, become our closed set.

Reference: https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from __future__ import annotations

from enum import StrEnum

from scraping.errors import (
    Blocked,
    Failure,
    Internal,
    NotConfigured,
    NotFound,
    PermissionMissing,
    PlatformUnavailable,
    RateLimited,
    ReauthRequired,
)
from socials.platforms.instagram import usage
from socials.platforms.instagram.graph import PLATFORM, Refusal

THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
THROTTLED_APP = frozenset({4, 341})
"""Limits of the whole app, whoever's token is used."""
THROTTLED_TOKEN = frozenset({17, 32, 613})
"""Limits of whoever the token stands for."""
DEAD_TOKEN = frozenset({102, 190})
BAD_APP = frozenset({3, 101})
BAD_PROOF = 104
OUR_QUESTION = frozenset({100, 2500, 36104})
UNAVAILABLE_ACCOUNT = frozenset({24, 110, 9009})
UNKNOWN_USER = 2207013
GONE = 33
POLICY_BLOCK = 368

AGENCY_PERMISSIONS = "instagram_basic, instagram_manage_insights and pages_read_engagement"

# Subcodes of 190 and 102 that say why a token died.
DEATHS = {
    458: "the app was removed in Instagram's settings",
    459: "Instagram wants its owner to log in at instagram.com and confirm something first",
    460: "the password was changed",
    463: "it has expired",
    464: "the account is not confirmed",
    467: "it is not valid any more",
    492: "the session has ended",
}


class Whose(StrEnum):
    """Whose token was refused: it decides who must act."""

    TALENT = "talent"
    AGENCY = "agency"


def failure(refusal: Refusal, *, source: str, whose: Whose) -> Failure:
    """The typed failure of a refusal. Unknown codes are passing faults: try again later.

    A limit names its ``bucket`` where it holds up every reading of this source.
    """
    kind, words, setting = _meaning(refusal, whose)
    shared = refusal.code in THROTTLED_APP or (
        whose is Whose.AGENCY and refusal.code in THROTTLED_TOKEN
    )
    # What is understood is said in our words; Meta's own are quoted where they may say more.
    understood = kind in {RateLimited, ReauthRequired, NotFound} or refusal.code in DEAD_TOKEN
    return kind(
        f"{words} (code {refusal.number})." if understood else f"{words}: {refusal}",
        platform=PLATFORM,
        source=source,
        setting=setting,
        retry_at=refusal.retry_at if kind is RateLimited else None,
        bucket=usage.APP if kind is RateLimited and shared else "",
    )


def is_permission(refusal: Refusal) -> bool:
    return refusal.code == 10 or 200 <= refusal.code <= 299


def _meaning(refusal: Refusal, whose: Whose) -> tuple[type[Failure], str, str]:
    """Kind, words and the setting that mends it. The order matters: limits call themselves
    transient, and a transient fault may carry any code."""
    code = refusal.code
    if code in THROTTLED or refusal.status == 429:
        return RateLimited, "Instagram asked us to slow down", ""
    if refusal.transient or code in {1, 2}:
        return PlatformUnavailable, "Instagram has a passing fault", ""
    if code == POLICY_BLOCK:
        return Blocked, "Instagram has blocked this access for a while", ""
    if code in DEAD_TOKEN:
        return _dead(refusal, whose)
    if is_permission(refusal):
        return _missing(whose)
    if code == BAD_PROOF or "appsecret_proof" in refusal.message:
        return (
            NotConfigured,
            "Instagram refuses our signature; check META_APP_SECRET",
            "META_APP_SECRET",
        )
    if code in BAD_APP:
        setting = "INSTAGRAM_CLIENT_ID" if whose is Whose.TALENT else "META_ACCESS_TOKEN"
        return NotConfigured, f"Instagram refuses this app; check {setting}", setting
    if code in UNAVAILABLE_ACCOUNT or refusal.subcode == UNKNOWN_USER:
        return NotFound, "Instagram shows no such account", ""
    if code in OUR_QUESTION:
        return _our_question(refusal, whose)
    return PlatformUnavailable, "Instagram refused in a way that we don't know", ""


def _dead(refusal: Refusal, whose: Whose) -> tuple[type[Failure], str, str]:
    why = DEATHS.get(refusal.subcode, "Instagram refuses it")
    if whose == Whose.TALENT:
        return ReauthRequired, f"The talent's token can't be used: {why}", ""
    words = f"The agency's token in META_ACCESS_TOKEN can't be used: {why}"
    return NotConfigured, words, "META_ACCESS_TOKEN"


def _missing(whose: Whose) -> tuple[type[Failure], str, str]:
    if whose == Whose.TALENT:
        return PermissionMissing, "A permission was not granted", ""
    words = f"The token in META_ACCESS_TOKEN needs {AGENCY_PERMISSIONS}"
    return NotConfigured, words, "META_ACCESS_TOKEN"


def _our_question(refusal: Refusal, whose: Whose) -> tuple[type[Failure], str, str]:
    """An object that a token may not see, or a question that this version does not know."""
    if refusal.code == 100 and refusal.subcode == GONE:
        if whose == Whose.TALENT:
            return PermissionMissing, "Instagram does not show the account to this token", ""
        words = "The account in META_IG_USER_ID can't be used with the token in META_ACCESS_TOKEN"
        return NotConfigured, words, "META_IG_USER_ID"
    return Internal, "Instagram does not understand our question", ""
