"""Settings that make no sense are told at the start, by name and with a right example."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks


def found(prefix: str = "socials.") -> list[str]:
    return [str(check.msg) for check in run_checks() if str(check.id).startswith(prefix)]


def test_the_defaults_are_sensible() -> None:
    assert found() == []


@pytest.mark.parametrize("value", ["notaurl", "file:///etc/passwd", "https://", "http://[::1", ""])
def test_an_address_that_is_none_is_told(settings: Any, value: str) -> None:
    settings.PLATFORM_SETTINGS = {**settings.PLATFORM_SETTINGS, "META_GRAPH_URL": value}
    assert found() == ["META_GRAPH_URL is not a web address."]


def test_an_unknown_source_is_told_with_the_known_ones(settings: Any) -> None:
    settings.INSTAGRAM_SOURCES = ["apify", "foo"]
    assert found() == ["INSTAGRAM_SOURCES names foo, which INSTAGRAM does not have."]


def test_a_graph_version_that_is_none_is_told(settings: Any) -> None:
    settings.PLATFORM_SETTINGS = {**settings.PLATFORM_SETTINGS, "META_GRAPH_VERSION": "x"}
    assert found() == ["META_GRAPH_VERSION=x is no version."]
