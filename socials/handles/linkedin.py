"""LinkedIn's names: ``slug`` of a person (/in/), or ``company/slug`` or ``school/slug``, lower case."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

from scraping.handles import Link, bare, refuse_blanks, shown
from socials.errors import InvalidHandle
from socials.handles.rule import Rule, lower

EXAMPLE = "https://www.linkedin.com/in/jane-smith/"
_PREFIXES = frozenset(["in", "company", "school"])


def name_in(found: Link) -> str:
    first = found.segments[0].lower() if found.segments else ""
    if found.belongs_to(("lnkd.in",)):
        raise InvalidHandle(
            "This is a short LinkedIn link, which doesn't name the account. Open it, then paste "
            f"the full link, like {EXAMPLE}."
        )
    if first not in _PREFIXES or len(found.segments) < 2:
        raise InvalidHandle(f"This LinkedIn link isn't a profile. Paste one like {EXAMPLE}.")
    return "/".join(found.segments[:2])


def check(name: str) -> str:
    prefix, slash, rest = bare(name).partition("/")
    kind, slug = (prefix.lower(), rest.rstrip("/")) if slash else ("in", prefix)
    if kind not in _PREFIXES:
        raise InvalidHandle("“/” can't be in a LinkedIn name. Try one like jane-smith.")
    refuse_blanks(slug)
    for sign in slug:
        if unicodedata.category(sign)[0] not in "LM" and not (sign.isdigit() or sign in "-_"):
            raise InvalidHandle(
                f"{shown(sign)} can't be in a LinkedIn name. Use letters, numbers and hyphens, "
                "like jane-smith."
            )
    if not (3 if kind == "in" else 1) <= len(slug) <= 100:
        raise InvalidHandle("A LinkedIn name has 3 to 100 characters, like jane-smith.")
    return lower(slug if kind == "in" else f"{kind}/{slug}")


def _url(handle: str) -> str:
    return f"https://www.linkedin.com/{quote(handle if '/' in handle else f'in/{handle}')}/"


RULE = Rule(
    platform="LINKEDIN",
    name="LinkedIn",
    domains=("linkedin.com", "lnkd.in"),
    example="jane-smith",
    url_example=EXAMPLE,
    in_link=name_in,
    check=check,
    key=str,
    url=_url,
)
