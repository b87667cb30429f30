"""X's handles: the username, as typed."""

from __future__ import annotations

from scraping.handles import Link, bare
from socials.errors import InvalidHandle
from socials.handles.rule import Rule, lower, only

EXAMPLE = "https://x.com/janesmith"
_PAGES = frozenset(
    [
        "about",
        "compose",
        "download",
        "explore",
        "hashtag",
        "home",
        "i",
        "intent",
        "jobs",
        "login",
        "logout",
        "messages",
        "notifications",
        "oauth",
        "privacy",
        "search",
        "settings",
        "share",
        "signup",
        "tos",
        "who_to_follow",
    ]
)


def name_in(found: Link) -> str:
    if not found.segments or found.segments[0].lower() in _PAGES:
        raise InvalidHandle(f"This X link names no account. Paste one like {EXAMPLE}.")
    return found.segments[0]


def check(name: str) -> str:
    name = bare(name)
    only(name, "_", "letters, numbers and underscores", "an X", "@janesmith")
    if not 1 <= len(name) <= 15:
        raise InvalidHandle("An X handle has at most 15 characters, like @janesmith.")
    if name.lower() in _PAGES:
        raise InvalidHandle(f"“{name}” is a page of X's own. Try one like @janesmith.")
    return name


RULE = Rule(
    platform="TWITTER",
    name="X",
    domains=("x.com", "twitter.com"),
    example="@janesmith",
    url_example=EXAMPLE,
    in_link=name_in,
    check=check,
    key=lower,
    url=lambda handle: f"https://x.com/{handle}",
)
