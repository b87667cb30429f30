"""What each actor takes, strictly: the accounts as given, with their handles, or a complaint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _texts(body: dict[str, Any], key: str) -> tuple[list[str], str]:
    values = body.get(key)
    if not isinstance(values, list) or not values:
        return [], f"Field input.{key} is required and must be a list"
    if not all(isinstance(value, str) and value for value in values):
        return [], f"Items of input.{key} must be strings"
    return values, ""


def _handles(key: str) -> Callable[[dict[str, Any]], tuple[list[tuple[str, str]], str]]:
    def read(body: dict[str, Any]) -> tuple[list[tuple[str, str]], str]:
        values, complaint = _texts(body, key)
        limit = body.get("resultsPerPage", 1)
        if not isinstance(limit, int) or not 1 <= limit <= 1_000_000:
            return [], "Field input.resultsPerPage must be >= 1"
        return [(value, _last_segment(value)) for value in values], complaint

    return read


def _start_urls(body: dict[str, Any]) -> tuple[list[tuple[str, str]], str]:
    entries = body.get("startUrls")
    if not isinstance(entries, list) or not entries:
        return [], "Field input.startUrls is required and must be a list"
    urls = [entry.get("url") for entry in entries if isinstance(entry, dict)]
    if len(urls) != len(entries) or not all(
        isinstance(url, str) and url.startswith("https://www.youtube.com/") for url in urls
    ):
        return [], "Items of input.startUrls must be YouTube URLs"
    return [(str(url), _last_segment(str(url))) for url in urls], ""


def _last_segment(text: str) -> str:
    return text.rstrip("/").rpartition("/")[2].lstrip("@")


INPUTS: dict[str, Callable[[dict[str, Any]], tuple[list[tuple[str, str]], str]]] = {
    "INSTAGRAM": _handles("usernames"),
    "TIKTOK": _handles("profiles"),
    "YOUTUBE": _start_urls,
}
