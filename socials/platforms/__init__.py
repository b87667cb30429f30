"""The table of platforms: one line each, imported when first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from django.conf import settings

from socials.platforms.kit.oauth import Flow
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


def synced() -> tuple[str, ...]:
    """The platforms whose accounts are read; the others are link-only."""
    return tuple(name for name in PLATFORMS if get(name).syncs)


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


def missing_settings(source: Source, *, granted: bool = False) -> tuple[str, ...]:
    """Settings that this source needs and that are unset.

    ``granted`` says that a talent's token is at hand, which some sources can do with instead.
    """
    if granted and getattr(source, "token_will_do", False):
        return ()
    return tuple(name for name in source.needs if not settings.PLATFORM_SETTINGS.get(name))


def flow(platform: str) -> Flow:
    """The platform's OAuth flow. Raises KeyError where it has none."""
    dotted = get(platform).oauth
    if not dotted:
        raise KeyError(platform)
    return cast("Flow", import_module(dotted))


def missing_for_connecting(platform: str) -> tuple[str, ...]:
    """Settings without which nobody can connect this platform by link."""
    return tuple(name for name in flow(platform).NEEDS if not settings.PLATFORM_SETTINGS.get(name))


def can_connect(platform: str) -> bool:
    """Whether a talent can connect this platform herself here."""
    return bool(get(platform).oauth) and not missing_for_connecting(platform)


def official_source(platform: str) -> str:
    """The source that reads with a talent's own token: the first one a platform declares."""
    return get(platform).sources[0].name
