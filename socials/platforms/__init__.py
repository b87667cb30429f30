"""The table of platforms: one line each, imported when first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from django.conf import settings

from socials.platforms.kit.platform import Platform, Source

PLATFORMS: dict[str, str] = {
    "INSTAGRAM": "socials.platforms.instagram.platform.PLATFORM",
    "TIKTOK": "socials.platforms.tiktok.platform.PLATFORM",
    "YOUTUBE": "socials.platforms.youtube.platform.PLATFORM",
    "TWITTER": "socials.platforms.links.TWITTER",
    "LINKEDIN": "socials.platforms.links.LINKEDIN",
}


@cache
def get(platform: str) -> Platform:
    """The platform of this id. Raises KeyError for an unknown one."""
    module, _, name = PLATFORMS[platform].rpartition(".")
    return cast(Platform, getattr(import_module(module), name))


def sources(platform: str) -> tuple[Source, ...]:
    """The platform's sources in the configured order; ``public`` only when it is named.

    Unless the order is configured, the scraping provider that is chosen comes last.
    """
    known = {source.name: source for source in get(platform).sources}
    wanted: list[str] = getattr(settings, f"{platform}_SOURCES", [])
    if not wanted:
        public = settings.PLATFORM_SETTINGS.get("SCRAPING_PROVIDER") == "public"
        unwanted = "apify" if public else "public"
        return tuple(source for source in known.values() if source.name != unwanted)
    return tuple(known[name] for name in wanted if name in known)


def missing_settings(source: Source) -> tuple[str, ...]:
    """Settings that this source needs and that are unset."""
    return tuple(name for name in source.needs if not settings.PLATFORM_SETTINGS.get(name))
