"""The rules of handles and profile URLs, a module for each platform: whatever people type or paste
becomes one canonical handle and URL, or a refusal that shows a right example.

``Handle.handle`` is what a source reads by, and what people see (without @). Each platform's module
says which forms it has.

``Handle.key`` is the same account's form for comparison: two handles name one account if and only
if their keys are equal (a YouTube channel id and its handle can't be known to be one before the
first sync; ``external_id`` settles that).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scraping.handles import CHANNEL_ID, Link, link, tidied
from socials.errors import InvalidHandle
from socials.handles import instagram, linkedin, tiktok, twitter, youtube
from socials.handles.rule import Rule
from socials.handles.youtube import youtube_filter

URL_LENGTH: Final = 500
"""Characters that a stored profile URL may have."""


@dataclass(frozen=True, slots=True)
class Handle:
    """An account's name on a platform: as shown, as compared, and its canonical URL."""

    platform: str
    handle: str
    key: str
    url: str

    def __str__(self) -> str:
        return at(self.platform, self.handle)


def at(platform: str, handle: str) -> str:
    """The handle as people write it: @name, but a channel id, a path or a LinkedIn name as it is."""
    plain = platform == "LINKEDIN" or "/" in handle or CHANNEL_ID.fullmatch(handle)
    return handle if plain else f"@{handle}"


def parse(platform: str, handle: str = "", url: str = "") -> Handle:
    """The one account that a handle (or a URL in its place), a URL, or both of them name.

    Raises InvalidHandle, its ``field`` ``handle`` or ``profileUrl`` (``platform`` for an unknown
    one), its ``detail`` words for the person who typed it.
    """
    rule = RULES.get(platform.upper())
    if rule is None:
        raise InvalidHandle(f"Choose one of {', '.join(RULES)}.", field="platform")
    with_handle, with_url = bool(handle.strip()), bool(url.strip())
    if not with_handle and not with_url:
        raise InvalidHandle(
            f"Type a handle, like {rule.example}, or paste a profile link, like {rule.url_example}.",
            platform=rule.platform,
            field="handle",
        )
    named = _read(rule, handle, "handle") if with_handle else None
    linked = _read(rule, url, "profileUrl") if with_url else None
    if named and linked:
        return _agreed(rule, named, linked)
    return named or linked or _never()


def recognise(text: str) -> Handle:
    """The platform and account of a pasted profile URL.

    Raises InvalidHandle with ``field`` ``profileUrl``.
    """
    try:
        found = link(tidied(text, "platform's"), _DOMAINS)
    except InvalidHandle as refusal:
        raise InvalidHandle(refusal.detail, field="profileUrl") from None
    rule = _rule_of(found) if found else None
    if rule is None:
        raise InvalidHandle(
            "This link isn't from Instagram, TikTok, YouTube, X or LinkedIn."
            if found
            else "This isn't a link. Paste one like https://www.instagram.com/janesmith/.",
            field="profileUrl",
        )
    return _read(rule, text, "profileUrl")


def _read(rule: Rule, text: str, field: str) -> Handle:
    try:
        cleaned = tidied(text, rule.name)
        found = link(cleaned, _DOMAINS)
        if found is None and field == "profileUrl":
            raise InvalidHandle(f"This isn't a link. Paste one like {rule.url_example}.")
        typed = cleaned if found is None else _name_in(rule, found)
        handle = rule.check(typed)
        if link(handle, _DOMAINS):
            raise InvalidHandle(f"“{handle}” is a website. Try a handle like {rule.example}.")
    except InvalidHandle as refusal:
        raise InvalidHandle(refusal.detail, platform=rule.platform, field=field) from None
    result = Handle(rule.platform, handle, rule.key(handle), rule.url(handle))
    if len(result.url) > URL_LENGTH:
        raise InvalidHandle(
            f"This name is too long. Try one like {rule.example}.",
            platform=rule.platform,
            field=field,
        )
    return result


def _name_in(rule: Rule, found: Link) -> str:
    owner = _rule_of(found)
    if owner is None:
        raise InvalidHandle(f"This link isn't from {rule.name}. Paste one like {rule.url_example}.")
    if owner is not rule:
        raise InvalidHandle(
            f"This link is from {owner.name}, not from {rule.name}. Choose {owner.name}, or paste "
            f"a link like {rule.url_example}."
        )
    return rule.in_link(found)


def _agreed(rule: Rule, named: Handle, linked: Handle) -> Handle:
    """One account of two names; the link's where only the platform could tell that they differ."""
    if named.key == linked.key or _kind(named) != _kind(linked):
        return linked
    raise InvalidHandle(
        f"The handle says {named} and the link says {linked}. Leave one of them out.",
        platform=rule.platform,
        field="profileUrl",
    )


def _kind(handle: Handle) -> str:
    return youtube_filter(handle.handle)[0] if handle.platform == "YOUTUBE" else ""


def _never() -> Handle:
    raise AssertionError("one of the two was read")


def _rule_of(found: Link) -> Rule | None:
    return next((rule for rule in RULES.values() if found.belongs_to(rule.domains)), None)


RULES: Final[dict[str, Rule]] = {
    rule.platform: rule
    for rule in (instagram.RULE, tiktok.RULE, youtube.RULE, twitter.RULE, linkedin.RULE)
}
_DOMAINS: Final = tuple(domain for rule in RULES.values() for domain in rule.domains)
