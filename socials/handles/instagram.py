"""Instagram's handles: the username, lower case."""

from __future__ import annotations

from scraping.handles import Link, bare
from socials.errors import InvalidHandle
from socials.handles.rule import Rule, only

EXAMPLE = "https://www.instagram.com/janesmith/"
_POSTS = frozenset(["p", "tv", "reel", "reels", "share"])
_PAGES = _POSTS | frozenset(
    [
        "_n",
        "_u",
        "about",
        "accounts",
        "api",
        "ar",
        "challenge",
        "create",
        "developer",
        "direct",
        "directory",
        "emails",
        "explore",
        "graphql",
        "legal",
        "oauth",
        "press",
        "privacy",
        "session",
        "stories",
        "terms",
        "topics",
        "web",
    ]
)


def name_in(found: Link) -> str:
    segments = found.segments
    first = segments[0].lower() if segments else ""
    if first in {"_u", "stories"} and len(segments) > 1 and segments[1].lower() != "highlights":
        return segments[1]
    if not first:
        raise InvalidHandle(f"This Instagram link names no account. Paste one like {EXAMPLE}.")
    if first in _POSTS:
        raise InvalidHandle(
            "This link is a post, and it doesn't name its account. Paste the profile's own link, "
            f"like {EXAMPLE}."
        )
    if first in _PAGES:
        raise InvalidHandle(f"This Instagram link isn't a profile. Paste one like {EXAMPLE}.")
    return segments[0]


def check(name: str) -> str:
    name = bare(name)
    only(name, "._", "letters, numbers, dots and underscores", "an Instagram", "@janesmith")
    if not 1 <= len(name) <= 30:
        raise InvalidHandle("An Instagram handle has at most 30 characters, like @janesmith.")
    if name.startswith(".") or name.endswith(".") or ".." in name:
        raise InvalidHandle(
            "An Instagram handle doesn't begin or end with a dot, nor has two in a row. "
            "Try one like @jane.smith."
        )
    if name.lower() in _PAGES:
        raise InvalidHandle(f"“{name}” is a page of Instagram's own. Try one like @janesmith.")
    return name.lower()


RULE = Rule(
    platform="INSTAGRAM",
    name="Instagram",
    domains=("instagram.com", "instagr.am"),
    example="@janesmith",
    url_example=EXAMPLE,
    in_link=name_in,
    check=check,
    key=str,
    url=lambda handle: f"https://www.instagram.com/{handle}/",
)
