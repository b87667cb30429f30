"""Every source that the conformance suite holds to the same promises: one block each.

A new source adds one ``Case``. What it answers for a sandbox mood is stated only where it differs
from ``USUAL``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from socials import platforms
from socials.platforms.instagram.sandbox import tokens as instagram_tokens
from socials.platforms.kit.platform import Source
from socials.platforms.kit.sandbox import Mood
from socials.platforms.tiktok import sandbox as tiktok_sandbox
from socials.types import Ask, Depth, Token

READ = "READ"
"""Not a failure's code: the account is read."""

USUAL: Mapping[Mood, frozenset[str]] = {
    Mood.FINE: frozenset({READ}),
    Mood.NONEXISTENT: frozenset({"NOT_FOUND"}),
    Mood.PRIVATE: frozenset({"PRIVATE_ACCOUNT"}),
    Mood.FLAKY: frozenset({"PLATFORM_UNAVAILABLE"}),
    Mood.DOWN: frozenset({"PLATFORM_UNAVAILABLE"}),
    Mood.RATELIMITED: frozenset({"RATE_LIMITED"}),
    Mood.GARBLED: frozenset({"BAD_RESPONSE"}),
    Mood.SLOW: frozenset({READ}),
    Mood.NOIMAGE: frozenset({READ}),
    Mood.PLACEHOLDER: frozenset({READ}),
    Mood.RENAMED: frozenset({READ}),
}

NOT_SHOWN = frozenset({"NOT_FOUND"})
STILL_READ = frozenset({READ})


@dataclass(frozen=True)
class Case:
    """One source of one platform, and what is particular to it."""

    platform: str
    source_name: str
    token: Callable[[str], str] | None = None
    """handle → access token, for a source that reads with a talent's grant."""
    differs: Mapping[Mood, frozenset[str]] = field(default_factory=dict)
    spoilt_leaves: int = 60
    """How many leaves of its answers are spoilt, one at a time (an Apify run takes a while)."""

    def __str__(self) -> str:
        return f"{self.platform.lower()}-{self.source_name}"

    @property
    def source(self) -> Source:
        sources = platforms.get(self.platform).sources
        return next(source for source in sources if source.name == self.source_name)

    def answers(self, mood: Mood) -> frozenset[str]:
        return self.differs.get(mood, USUAL[mood])

    def ask(
        self, handle: str, number: int = 1, *, depth: Depth = Depth.FULL, post_limit: int = 5
    ) -> Ask:
        token = Token(self.token(handle)) if self.token else None
        return Ask(number, self.platform, handle, token=token, depth=depth, post_limit=post_limit)


CASES: tuple[Case, ...] = (
    Case("YOUTUBE", "youtube_data", differs={Mood.PRIVATE: NOT_SHOWN}),
    Case("INSTAGRAM", "instagram_business_discovery", differs={Mood.PRIVATE: NOT_SHOWN}),
    Case(
        "INSTAGRAM", "instagram_login", token=instagram_tokens.token,
        differs={Mood.NONEXISTENT: STILL_READ, Mood.PRIVATE: STILL_READ},
    ),
    Case(
        "TIKTOK", "tiktok_display", token=tiktok_sandbox.tokens.access_token,
        differs={Mood.NONEXISTENT: STILL_READ, Mood.PRIVATE: STILL_READ},
    ),
    Case("INSTAGRAM", "apify", spoilt_leaves=20),
    Case("TIKTOK", "apify", spoilt_leaves=20),
    Case("YOUTUBE", "apify", spoilt_leaves=20, differs={Mood.PRIVATE: NOT_SHOWN}),
)  # fmt: skip
