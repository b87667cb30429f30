"""Icons, platform glyphs and avatars: small drawings that every page shares."""

from __future__ import annotations

import zlib
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
TONES = 8
"""How many avatar colours the stylesheet has."""


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """A line icon of the sprite. It is decoration: the word beside it says the same."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="#i-{}"/></svg>', classes, name
    )


@register.simple_tag
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

    Sizes: ``s`` 24, ``m`` 36, none 64 px.
    """
    pixels = {"s": 24, "m": 36}.get(size, 64)
    badge = source.upper() if source.upper() in PLATFORM_NAMES and image_url else ""
    return {"name": name, "image_url": image_url, "badge": badge, "size": size, "pixels": pixels}
