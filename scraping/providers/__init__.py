"""The table of scraping providers, and the one that this installation has chosen."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from django.conf import settings

from scraping.errors import NotConfigured
from scraping.providers.base import ScrapingProvider

PROVIDERS: dict[str, str] = {
    "apify": "scraping.providers.apify.provider.PROVIDER",
    "public": "scraping.providers.public.provider.PROVIDER",
}


@cache
def get(name: str) -> ScrapingProvider:
    """The provider of this name. Raises KeyError for an unknown one."""
    module, _, attribute = PROVIDERS[name].rpartition(".")
    return cast(ScrapingProvider, getattr(import_module(module), attribute))


def chosen() -> str:
    """The configured provider's name: SCRAPING_PROVIDER, else apify where there is a token."""
    named = settings.PLATFORM_SETTINGS.get("SCRAPING_PROVIDER", "")
    return named or ("apify" if settings.PLATFORM_SETTINGS.get("APIFY_TOKEN") else "")


def get_scraping_provider() -> ScrapingProvider:
    """The configured provider. Raises NotConfigured, with the setting that mends it."""
    name = chosen()
    if not name:
        raise NotConfigured(
            "No scraping provider is set up: set APIFY_TOKEN, or SCRAPING_PROVIDER=public.",
            setting="APIFY_TOKEN",
        )
    if name not in PROVIDERS:
        raise NotConfigured(
            f"SCRAPING_PROVIDER={name} is not known. Choose one of: {', '.join(PROVIDERS)}.",
            setting="SCRAPING_PROVIDER",
        )
    return get(name)
