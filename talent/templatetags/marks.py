"""Icons, platform glyphs and avatars: small drawings that every page shares."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

PLATFORM_NAMES = {
    "INSTAGRAM": "Instagram",
    "TIKTOK": "TikTok",
    "YOUTUBE": "YouTube",
    "TWITTER": "X",
    "LINKEDIN": "LinkedIn",
}
WORDS = {
    "pending": "Pending",
    "syncing": "Syncing",
    "ready": "Connected",
    "error": "Error",
    "reauth": "Reconnect",
    "link": "Link only",
}
TONES = 8
"""How many avatar colours the stylesheet has."""


@register.simple_tag
@cache
def icon(name: str, classes: str = "") -> SafeString:
    """A line icon of the sprite. It is decoration: the word beside it says the same."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="#i-{}"/></svg>', classes, name
    )


@register.simple_tag
@cache
def glyph(platform: str, size: str = "sm", *, quiet: bool = False) -> SafeString:
    """A platform's mark in its colours: ``sm`` 16, ``md`` 24, ``lg`` 36 px.

    ``quiet`` hides it from screen readers where the platform's name stands beside it.
    """
    key = platform.upper()
    if quiet:
        return format_html(
            '<svg class="glyph {}" aria-hidden="true"><use href="#g-{}"/></svg>', size, key.lower()
        )
    return format_html(
        '<svg class="glyph {}" role="img" aria-label="{}"><use href="#g-{}"/></svg>',
        size,
        PLATFORM_NAMES.get(key, platform),
        key.lower(),
    )


@register.simple_tag
@cache
def state_icon(state: str, *, small: bool = False) -> SafeString:
    """A state's icon: a shape of its own for each, so that colour is never needed to tell them."""
    shape = {"ready": "check", "link": "link"}.get(state, state) if small else state
    moving = " spin" if state == "syncing" else ""
    return icon(shape, f"ic {state}{moving}")


@register.simple_tag
@cache
def state(state: str) -> SafeString:
    """A state in a line of text: icon and word."""
    if state == "link":
        return format_html('<span class="state muted">{}{}</span>', icon("link"), WORDS[state])
    return format_html('<span class="state {}">{}{}</span>', state, _drawn(state), WORDS[state])


@register.simple_tag
@cache
def pill(state: str) -> SafeString:
    """A state in its box: icon and word."""
    if state == "link":
        return format_html('<span class="pill plain">{}</span>', WORDS[state])
    return format_html('<span class="pill {}">{}{}</span>', state, _drawn(state), WORDS[state])


def _drawn(state: str) -> SafeString:
    return icon(state, "spin" if state == "syncing" else "")


@register.simple_tag
def meter(share: float | None, word: str) -> SafeString:
    """A bar that is ``share`` percent full. Drawn as SVG: the content policy forbids styles."""
    full = min(100.0, max(0.0, share or 0.0))
    level = (
        "full" if full >= 95 and word == "used" else "warn" if full >= 80 and word == "used" else ""
    )
    return format_html(
        '<svg class="meter {}" viewBox="0 0 100 1" preserveAspectRatio="none" role="img"'
        ' aria-label="{} percent {}"><rect width="{}" height="1"/></svg>',
        level,
        f"{full:.1f}",
        word,
        f"{full:.1f}",
    )


@register.simple_tag
def spark(line: Sequence[int | None]) -> SafeString:
    """A small line over time, in a box of 72 by 22; a gap stays open. Nothing below two points."""
    known = [(x, number) for x, number in enumerate(line) if number is not None]
    if len(known) < 2:
        return SafeString()
    low, high = min(n for _, n in known), max(n for _, n in known)
    scale = 15 / (high - low) if high > low else 0

    def at(x: int, number: int) -> str:
        return f"{2 + x * 68 / (len(line) - 1):.1f} {19 - (number - low) * scale:.1f}"

    drawn = "".join(
        f"{'L' if x and line[x - 1] is not None else 'M'}{at(x, number)}" for x, number in known
    )
    end_x, _, end_y = at(*known[-1]).partition(" ")
    return format_html(
        '<svg class="spark" viewBox="0 0 72 22" aria-hidden="true"><path d="{}"/>'
        '<circle cx="{}" cy="{}" r="1.9"/></svg>',
        drawn, end_x, end_y,
    )  # fmt: skip


@register.filter
def platform_name(platform: str) -> str:
    return PLATFORM_NAMES.get(platform.upper(), platform)


@register.filter
def initials(name: str) -> str:
    """First letters of the first and the last word."""
    words = str(name).split()
    return "".join(word[0] for word in words[:1] + words[1:][-1:]).upper()


@register.filter
def tone(name: str) -> int:
    """The number of the colour that this name always has."""
    return zlib.crc32(str(name).encode()) % TONES


@register.inclusion_tag("_avatar.html")
def avatar(name: str, image_url: str = "", source: str = "", size: str = "") -> dict[str, Any]:
    """A person's photo with its provenance, or initials in a steady colour.

    Sizes: ``s`` 24, ``m`` 36, none 64 px. Only pictures that Greenroom itself serves are shown.
    """
    own = image_url if image_url.startswith("/") and not image_url.startswith("//") else ""
    return {
        "name": name,
        # kept in three sizes; twice the pixels of the largest box is enough
        "image_url": own.replace("-512.webp", "-64.webp" if size == "s" else "-128.webp"),
        "badge": source.upper() if own and source.upper() in PLATFORM_NAMES else "",
        "size": size,
        "pixels": {"s": 24, "m": 36}.get(size, 64),
    }
