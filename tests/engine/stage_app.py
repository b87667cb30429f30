"""Puts the tests' own platform into the table of a real process."""

from __future__ import annotations

from django.apps import AppConfig

from socials.platforms import PLATFORMS


class StageConfig(AppConfig):
    name = "tests.engine"
    label = "stage"

    def ready(self) -> None:
        PLATFORMS.clear()
        PLATFORMS.update(
            YOUTUBE="tests.engine.stage.STAGE", TWITTER="socials.platforms.links.TWITTER"
        )
