"""Start-up checks of the scraping settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from scraping.providers import PROVIDERS


@register()
def provider_is_known(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    named = settings.PLATFORM_SETTINGS.get("SCRAPING_PROVIDER", "")
    if not named or named in PROVIDERS:
        return []
    return [
        Error(
            f"SCRAPING_PROVIDER={named} is not a scraping provider.",
            hint=f"Choose one of: {', '.join(PROVIDERS)}; or leave it unset.",
            id="scraping.E001",
        )
    ]


@register()
def run_time_is_a_number(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    value = settings.PLATFORM_SETTINGS.get("APIFY_RUN_SECONDS", "")
    if value.isascii() and value.isdigit() and 5 <= int(value) <= 100:
        return []
    return [
        Error(
            f"APIFY_RUN_SECONDS={value} is not a time that a worker can wait.",
            hint="Set whole seconds from 5 to 100, like APIFY_RUN_SECONDS=60.",
            id="scraping.E002",
        )
    ]
