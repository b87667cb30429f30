from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class ScrapingConfig(AppConfig):
    name = "scraping"

    def ready(self) -> None:
        import_module("scraping.checks")
