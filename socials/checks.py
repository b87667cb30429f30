"""Start-up checks of the platforms' settings: what makes no sense is told before it fails a sync."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from socials import platforms

VERSION = re.compile(r"v\d{1,3}\.\d{1,2}")


@register()
def addresses_are_web_addresses(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Each ``…_URL`` of a platform, and PUBLIC_URL, is an http(s) address with a host."""
    named = {"PUBLIC_URL": settings.PUBLIC_URL, **settings.PLATFORM_SETTINGS}
    return [
        Error(
            f"{name} is not a web address.",
            hint=f"Give it like https://example.com, or leave {name} unset for its default.",
            id="socials.E001",
        )
        for name, value in named.items()
        if name.endswith("_URL") and not _is_web(value)
    ]


@register()
def sources_are_known(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """``INSTAGRAM_SOURCES`` and its like name sources that the platform has."""
    return list(_unknown_sources())


@register()
def graph_version_is_one(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    value = settings.PLATFORM_SETTINGS.get("META_GRAPH_VERSION", "")
    if VERSION.fullmatch(value):
        return []
    hint = "Give it like v26.0, or leave it unset."
    return [Error(f"META_GRAPH_VERSION={value} is no version.", hint=hint, id="socials.E003")]


def _unknown_sources() -> Iterator[CheckMessage]:
    for platform in platforms.PLATFORMS:
        known = [source.name for source in platforms.get(platform).sources]
        for name in getattr(settings, f"{platform}_SOURCES", []):
            if name not in known:
                yield Error(
                    f"{platform}_SOURCES names {name}, which {platform} does not have.",
                    hint=f"Choose of: {', '.join(known)}.",
                    id="socials.E002",
                )


def _is_web(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
