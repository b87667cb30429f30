"""YouTube's handles: one of three, told apart by form alone (``youtube_filter`` does so).

``UC…`` of 24 characters   a channel id, case-sensitive → ``channels?id=``
``user/NAME``              an old user name             → ``channels?forUsername=NAME``
anything else              a handle                     → ``channels?forHandle=@NAME``

``/c/NAME`` and ``/NAME`` have no filter: when YouTube brought handles, it reserved each custom URL's
name for its owner, so they are tried as handles.
"""

from __future__ import annotations

import unicodedata
from typing import Literal
from urllib.parse import quote

from scraping.handles import CHANNEL_ID, Link, bare, refuse_blanks, shown
from socials.errors import InvalidHandle
from socials.handles.rule import Rule, lower, only

EXAMPLE = "https://www.youtube.com/@janesmith"
_VIDEOS = frozenset(["watch", "v", "w", "embed", "e", "live", "clip", "shorts", "playlist"])
_PAGES = frozenset(
    [
        "about",
        "account",
        "ads",
        "attribution_link",
        "browse",
        "channel_switcher",
        "channels",
        "copyright",
        "creators",
        "explore",
        "feed",
        "feeds",
        "gaming",
        "hashtag",
        "howyoutubeworks",
        "kids",
        "logout",
        "movies",
        "music",
        "new",
        "news",
        "oembed",
        "post",
        "premium",
        "redirect",
        "reporthistory",
        "results",
        "rss",
        "search",
        "signin",
        "source",
        "sports",
        "t",
        "trending",
        "trends",
        "tv",
        "upload",
        "yt",
    ]
)


def youtube_filter(handle: str) -> tuple[Literal["id", "forHandle", "forUsername"], str]:
    """The parameter of ``channels.list`` that finds this handle, and its value.

    Reference: https://developers.google.com/youtube/v3/docs/channels/list
    """
    if CHANNEL_ID.fullmatch(handle):
        return "id", handle
    if handle.startswith("user/"):
        return "forUsername", handle.removeprefix("user/")
    return "forHandle", f"@{handle}"


def name_in(found: Link) -> str:
    segments = found.segments
    first = segments[0].lower() if segments else ""
    if found.belongs_to(("youtu.be", "youtube-nocookie.com")) or first in _VIDEOS:
        raise InvalidHandle(
            "This link is a video or a playlist, and it doesn't name its channel. Open it, then "
            f"paste the channel's link, like {EXAMPLE}."
        )
    if not first:
        raise InvalidHandle(f"This YouTube link names no channel. Paste one like {EXAMPLE}.")
    if first in _PREFIXES:
        return f"{first}/{''.join(segments[1:2])}"
    if first in _PAGES or first == "@":
        raise InvalidHandle(f"This YouTube link isn't a channel. Paste one like {EXAMPLE}.")
    return segments[0]


_PREFIXES = frozenset(["channel", "c", "user"])


def check(name: str) -> str:
    prefix, slash, rest = name.strip().partition("/")
    if slash and prefix.lower() in _PREFIXES:
        return _path(prefix.lower(), rest.rstrip("/"))
    return _name(bare(name))


def _path(prefix: str, rest: str) -> str:
    if prefix == "channel":
        if not CHANNEL_ID.fullmatch(rest):
            raise InvalidHandle(
                "A YouTube channel id is UC and 22 more letters, numbers, hyphens or underscores, "
                "like UC_x5XG1OV2P6uZZ5FSM9Ttw."
            )
        return rest
    if prefix == "user":
        name = bare(rest)
        only(name, "_-.", "letters and numbers", "a YouTube", "user/janesmith")
        if not 1 <= len(name) <= 60:
            raise InvalidHandle("A YouTube user name has 1 to 60 characters, like user/janesmith.")
        return f"user/{name}"
    return _name(bare(rest))


def _name(name: str) -> str:
    if CHANNEL_ID.fullmatch(name):
        return name
    refuse_blanks(name)
    for sign in name:
        if unicodedata.category(sign)[0] not in "LM" and not (sign.isdigit() or sign in "_-.·"):
            raise InvalidHandle(
                f"{shown(sign)} can't be in a YouTube handle. Use letters, numbers, dots, hyphens "
                "and underscores, like @janesmith."
            )
    # Scripts that say more with a sign may use fewer of them.
    shortest = 3 if name.isascii() else 1
    if not shortest <= len(name) <= 30:
        raise InvalidHandle("A YouTube handle has 3 to 30 characters, like @janesmith.")
    if not any(sign.isalnum() for sign in name):
        raise InvalidHandle("A YouTube handle has letters or numbers in it, like @janesmith.")
    return name


def _key(handle: str) -> str:
    # Upper case stays out of keys of names, so that no name is ever taken for an id.
    return handle if CHANNEL_ID.fullmatch(handle) else lower(handle)


def _url(handle: str) -> str:
    kind, _ = youtube_filter(handle)
    path = {"id": f"channel/{handle}", "forUsername": quote(handle)}.get(kind, f"@{quote(handle)}")
    return f"https://www.youtube.com/{path}"


RULE = Rule(
    platform="YOUTUBE",
    name="YouTube",
    domains=("youtube.com", "youtu.be", "youtube-nocookie.com"),
    example="@janesmith",
    url_example=EXAMPLE,
    in_link=name_in,
    check=check,
    key=_key,
    url=_url,
)
