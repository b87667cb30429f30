"""What a platform's rule is made of, and what several of them share."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from scraping.handles import Link, refuse_blanks, shown
from socials.errors import InvalidHandle


@dataclass(frozen=True, slots=True)
class Rule:
    platform: str
    name: str
    domains: tuple[str, ...]
    example: str
    url_example: str
    in_link: Callable[[Link], str]
    """The typed form of the account that a URL names. Raises InvalidHandle."""
    check: Callable[[str], str]
    """The canonical form, as shown, of a typed name. Raises InvalidHandle."""
    key: Callable[[str], str]
    url: Callable[[str], str]


def only(name: str, allowed: str, words: str, platform: str, example: str) -> None:
    """Refuse a name with blanks or with a sign that is neither ASCII alphanumeric nor allowed."""
    refuse_blanks(name)
    for sign in name:
        if not (sign.isascii() and (sign.isalnum() or sign in allowed)):
            raise InvalidHandle(
                f"{shown(sign)} can't be in {platform} handle. Use {words}, like {example}."
            )


def lower(text: str) -> str:
    return unicodedata.normalize("NFKC", text.lower())
