"""The rules of handles and profile URLs, one platform after the other: whatever people type or
paste becomes one canonical handle and URL, or a refusal that shows a right example.

``Handle.handle`` is what a source reads by, and what people see (without @):

INSTAGRAM  the username, lower case
TIKTOK     the username, lower case (the rule itself is ``scraping.handles``: the profile API
           shares it)
YOUTUBE    one of three, told apart by form alone (``youtube_filter`` does so):
           ``UC…`` of 24 characters   a channel id, case-sensitive → ``channels?id=``
           ``user/NAME``              an old user name             → ``channels?forUsername=NAME``
           anything else              a handle                     → ``channels?forHandle=@NAME``
           ``/c/NAME`` and ``/NAME`` have no filter: when YouTube brought handles, it reserved each
           custom URL's name for its owner, so they are tried as handles.
TWITTER    the username, as typed
LINKEDIN   ``slug`` of a person (/in/), or ``company/slug`` or ``school/slug``, lower case

``Handle.key`` is the same account's form for comparison: two handles name one account if and only
if their keys are equal (a YouTube channel id and its handle can't be known to be one before the
first sync; ``external_id`` settles that).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from scraping.handles import (
    Link,
    bare,
    link,
    refuse_blanks,
    shown,
    tidied,
    tiktok_name,
    tiktok_name_in,
)
from socials.errors import InvalidHandle

URL_LENGTH: Final = 500
"""Characters that a stored profile URL may have."""

CHANNEL_ID = re.compile(r"UC[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True)
class Handle:
    """An account's name on a platform: as shown, as compared, and its canonical URL."""

    platform: str
    handle: str
    key: str
    url: str

    def __str__(self) -> str:
        return at(self.platform, self.handle)


def at(platform: str, handle: str) -> str:
    """The handle as people write it: @name, but a channel id, a path or a LinkedIn name as it is."""
    plain = platform == "LINKEDIN" or "/" in handle or CHANNEL_ID.fullmatch(handle)
    return handle if plain else f"@{handle}"


def parse(platform: str, handle: str = "", url: str = "") -> Handle:
    """The one account that a handle (or a URL in its place), a URL, or both of them name.

    Raises InvalidHandle, its ``field`` ``handle`` or ``profileUrl`` (``platform`` for an unknown
    one), its ``detail`` words for the person who typed it.
    """
    rule = _RULES.get(platform.upper())
    if rule is None:
        raise InvalidHandle(f"Choose one of {', '.join(_RULES)}.", field="platform")
    with_handle, with_url = bool(handle.strip()), bool(url.strip())
    if not with_handle and not with_url:
        raise InvalidHandle(
            f"Type a handle, like {rule.example}, or paste a profile link, like {rule.url_example}.",
            platform=rule.platform,
            field="handle",
        )
    named = _read(rule, handle, "handle") if with_handle else None
    linked = _read(rule, url, "profileUrl") if with_url else None
    if named and linked:
        return _agreed(rule, named, linked)
    return named or linked or _never()


def recognise(text: str) -> Handle:
    """The platform and account of a pasted profile URL.

    Raises InvalidHandle with ``field`` ``profileUrl``.
    """
    try:
        found = link(tidied(text, "platform's"), _DOMAINS)
    except InvalidHandle as refusal:
        raise InvalidHandle(refusal.detail, field="profileUrl") from None
    rule = _rule_of(found) if found else None
    if rule is None:
        raise InvalidHandle(
            "This link isn't from Instagram, TikTok, YouTube, X or LinkedIn."
            if found
            else "This isn't a link. Paste one like https://www.instagram.com/janesmith/.",
            field="profileUrl",
        )
    return _read(rule, text, "profileUrl")


def youtube_filter(handle: str) -> tuple[Literal["id", "forHandle", "forUsername"], str]:
    """The parameter of ``channels.list`` that finds this handle, and its value.

    Reference: https://developers.google.com/youtube/v3/docs/channels/list
    """
    if CHANNEL_ID.fullmatch(handle):
        return "id", handle
    if handle.startswith("user/"):
        return "forUsername", handle.removeprefix("user/")
    return "forHandle", f"@{handle}"


@dataclass(frozen=True, slots=True)
class _Rule:
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


def _read(rule: _Rule, text: str, field: str) -> Handle:
    try:
        cleaned = tidied(text, rule.name)
        found = link(cleaned, _DOMAINS)
        if found is None and field == "profileUrl":
            raise InvalidHandle(f"This isn't a link. Paste one like {rule.url_example}.")
        typed = cleaned if found is None else _name_in(rule, found)
        handle = rule.check(typed)
        if link(handle, _DOMAINS):
            raise InvalidHandle(f"“{handle}” is a website. Try a handle like {rule.example}.")
    except InvalidHandle as refusal:
        raise InvalidHandle(refusal.detail, platform=rule.platform, field=field) from None
    result = Handle(rule.platform, handle, rule.key(handle), rule.url(handle))
    if len(result.url) > URL_LENGTH:
        raise InvalidHandle(
            f"This name is too long. Try one like {rule.example}.",
            platform=rule.platform,
            field=field,
        )
    return result


def _name_in(rule: _Rule, found: Link) -> str:
    owner = _rule_of(found)
    if owner is None:
        raise InvalidHandle(f"This link isn't from {rule.name}. Paste one like {rule.url_example}.")
    if owner is not rule:
        raise InvalidHandle(
            f"This link is from {owner.name}, not from {rule.name}. Choose {owner.name}, or paste "
            f"a link like {rule.url_example}."
        )
    return rule.in_link(found)


def _agreed(rule: _Rule, named: Handle, linked: Handle) -> Handle:
    """One account of two names; the link's where only the platform could tell that they differ."""
    if named.key == linked.key or _kind(named) != _kind(linked):
        return linked
    raise InvalidHandle(
        f"The handle says {named} and the link says {linked}. Leave one of them out.",
        platform=rule.platform,
        field="profileUrl",
    )


def _kind(handle: Handle) -> str:
    return youtube_filter(handle.handle)[0] if handle.platform == "YOUTUBE" else ""


def _never() -> Handle:
    raise AssertionError("one of the two was read")


def _rule_of(found: Link) -> _Rule | None:
    return next((rule for rule in _RULES.values() if found.belongs_to(rule.domains)), None)


def _only(name: str, allowed: str, words: str, platform: str, example: str) -> None:
    """Refuse a name with blanks or with a sign that is neither ASCII alphanumeric nor allowed."""
    refuse_blanks(name)
    for sign in name:
        if not (sign.isascii() and (sign.isalnum() or sign in allowed)):
            raise InvalidHandle(
                f"{shown(sign)} can't be in {platform} handle. Use {words}, like {example}."
            )


# --- Instagram -----------------------------------------------------------------------------------

_INSTAGRAM_EXAMPLE = "https://www.instagram.com/janesmith/"
_INSTAGRAM_POSTS = frozenset(["p", "tv", "reel", "reels", "share"])
_INSTAGRAM_PAGES = _INSTAGRAM_POSTS | frozenset(
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


def _instagram_in(found: Link) -> str:
    segments = found.segments
    first = segments[0].lower() if segments else ""
    if first in {"_u", "stories"} and len(segments) > 1 and segments[1].lower() != "highlights":
        return segments[1]
    if not first:
        raise InvalidHandle(
            f"This Instagram link names no account. Paste one like {_INSTAGRAM_EXAMPLE}."
        )
    if first in _INSTAGRAM_POSTS:
        raise InvalidHandle(
            "This link is a post, and it doesn't name its account. Paste the profile's own link, "
            f"like {_INSTAGRAM_EXAMPLE}."
        )
    if first in _INSTAGRAM_PAGES:
        raise InvalidHandle(
            f"This Instagram link isn't a profile. Paste one like {_INSTAGRAM_EXAMPLE}."
        )
    return segments[0]


def _instagram(name: str) -> str:
    name = bare(name)
    _only(name, "._", "letters, numbers, dots and underscores", "an Instagram", "@janesmith")
    if not 1 <= len(name) <= 30:
        raise InvalidHandle("An Instagram handle has at most 30 characters, like @janesmith.")
    if name.startswith(".") or name.endswith(".") or ".." in name:
        raise InvalidHandle(
            "An Instagram handle doesn't begin or end with a dot, nor has two in a row. "
            "Try one like @jane.smith."
        )
    if name.lower() in _INSTAGRAM_PAGES:
        raise InvalidHandle(f"“{name}” is a page of Instagram's own. Try one like @janesmith.")
    return name.lower()


# --- YouTube -------------------------------------------------------------------------------------

_YOUTUBE_EXAMPLE = "https://www.youtube.com/@janesmith"
_YOUTUBE_VIDEOS = frozenset(["watch", "v", "w", "embed", "e", "live", "clip", "shorts", "playlist"])
_YOUTUBE_PAGES = frozenset(
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


def _youtube_in(found: Link) -> str:
    segments = found.segments
    first = segments[0].lower() if segments else ""
    if found.belongs_to(("youtu.be", "youtube-nocookie.com")) or first in _YOUTUBE_VIDEOS:
        raise InvalidHandle(
            "This link is a video or a playlist, and it doesn't name its channel. Open it, then "
            f"paste the channel's link, like {_YOUTUBE_EXAMPLE}."
        )
    if not first:
        raise InvalidHandle(
            f"This YouTube link names no channel. Paste one like {_YOUTUBE_EXAMPLE}."
        )
    if first in _YOUTUBE_PREFIXES:
        return f"{first}/{''.join(segments[1:2])}"
    if first in _YOUTUBE_PAGES or first == "@":
        raise InvalidHandle(
            f"This YouTube link isn't a channel. Paste one like {_YOUTUBE_EXAMPLE}."
        )
    return segments[0]


_YOUTUBE_PREFIXES = frozenset(["channel", "c", "user"])


def _youtube(name: str) -> str:
    prefix, slash, rest = name.strip().partition("/")
    if slash and prefix.lower() in _YOUTUBE_PREFIXES:
        return _youtube_path(prefix.lower(), rest.rstrip("/"))
    return _youtube_name(bare(name))


def _youtube_path(prefix: str, rest: str) -> str:
    if prefix == "channel":
        if not CHANNEL_ID.fullmatch(rest):
            raise InvalidHandle(
                "A YouTube channel id is UC and 22 more letters, numbers, hyphens or underscores, "
                "like UC_x5XG1OV2P6uZZ5FSM9Ttw."
            )
        return rest
    if prefix == "user":
        name = bare(rest)
        _only(name, "_-.", "letters and numbers", "a YouTube", "user/janesmith")
        if not 1 <= len(name) <= 60:
            raise InvalidHandle("A YouTube user name has 1 to 60 characters, like user/janesmith.")
        return f"user/{name}"
    return _youtube_name(bare(rest))


def _youtube_name(name: str) -> str:
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


def _youtube_key(handle: str) -> str:
    # Upper case stays out of keys of names, so that no name is ever taken for an id.
    return handle if CHANNEL_ID.fullmatch(handle) else _lower(handle)


def _youtube_url(handle: str) -> str:
    kind, _ = youtube_filter(handle)
    path = {"id": f"channel/{handle}", "forUsername": quote(handle)}.get(kind, f"@{quote(handle)}")
    return f"https://www.youtube.com/{path}"


# --- X -------------------------------------------------------------------------------------------

_TWITTER_EXAMPLE = "https://x.com/janesmith"
_TWITTER_PAGES = frozenset(
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


def _twitter_in(found: Link) -> str:
    if not found.segments or found.segments[0].lower() in _TWITTER_PAGES:
        raise InvalidHandle(f"This X link names no account. Paste one like {_TWITTER_EXAMPLE}.")
    return found.segments[0]


def _twitter(name: str) -> str:
    name = bare(name)
    _only(name, "_", "letters, numbers and underscores", "an X", "@janesmith")
    if not 1 <= len(name) <= 15:
        raise InvalidHandle("An X handle has at most 15 characters, like @janesmith.")
    if name.lower() in _TWITTER_PAGES:
        raise InvalidHandle(f"“{name}” is a page of X's own. Try one like @janesmith.")
    return name


# --- LinkedIn ------------------------------------------------------------------------------------

_LINKEDIN_EXAMPLE = "https://www.linkedin.com/in/jane-smith/"
_LINKEDIN_PREFIXES = frozenset(["in", "company", "school"])


def _linkedin_in(found: Link) -> str:
    first = found.segments[0].lower() if found.segments else ""
    if found.belongs_to(("lnkd.in",)):
        raise InvalidHandle(
            "This is a short LinkedIn link, which doesn't name the account. Open it, then paste "
            f"the full link, like {_LINKEDIN_EXAMPLE}."
        )
    if first not in _LINKEDIN_PREFIXES or len(found.segments) < 2:
        raise InvalidHandle(
            f"This LinkedIn link isn't a profile. Paste one like {_LINKEDIN_EXAMPLE}."
        )
    return "/".join(found.segments[:2])


def _linkedin(name: str) -> str:
    prefix, slash, rest = bare(name).partition("/")
    kind, slug = (prefix.lower(), rest.rstrip("/")) if slash else ("in", prefix)
    if kind not in _LINKEDIN_PREFIXES:
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
    return _lower(slug if kind == "in" else f"{kind}/{slug}")


def _linkedin_url(handle: str) -> str:
    return f"https://www.linkedin.com/{quote(handle if '/' in handle else f'in/{handle}')}/"


def _lower(text: str) -> str:
    return unicodedata.normalize("NFKC", text.lower())


_RULES: Final[dict[str, _Rule]] = {
    rule.platform: rule
    for rule in (
        _Rule(
            platform="INSTAGRAM",
            name="Instagram",
            domains=("instagram.com", "instagr.am"),
            example="@janesmith",
            url_example=_INSTAGRAM_EXAMPLE,
            in_link=_instagram_in,
            check=_instagram,
            key=str,
            url=lambda handle: f"https://www.instagram.com/{handle}/",
        ),
        _Rule(
            platform="TIKTOK",
            name="TikTok",
            domains=("tiktok.com",),
            example="@janesmith",
            url_example="https://www.tiktok.com/@janesmith",
            in_link=tiktok_name_in,
            check=tiktok_name,
            key=str,
            url=lambda handle: f"https://www.tiktok.com/@{handle}",
        ),
        _Rule(
            platform="YOUTUBE",
            name="YouTube",
            domains=("youtube.com", "youtu.be", "youtube-nocookie.com"),
            example="@janesmith",
            url_example=_YOUTUBE_EXAMPLE,
            in_link=_youtube_in,
            check=_youtube,
            key=_youtube_key,
            url=_youtube_url,
        ),
        _Rule(
            platform="TWITTER",
            name="X",
            domains=("x.com", "twitter.com"),
            example="@janesmith",
            url_example=_TWITTER_EXAMPLE,
            in_link=_twitter_in,
            check=_twitter,
            key=_lower,
            url=lambda handle: f"https://x.com/{handle}",
        ),
        _Rule(
            platform="LINKEDIN",
            name="LinkedIn",
            domains=("linkedin.com", "lnkd.in"),
            example="jane-smith",
            url_example=_LINKEDIN_EXAMPLE,
            in_link=_linkedin_in,
            check=_linkedin,
            key=str,
            url=_linkedin_url,
        ),
    )
}
_DOMAINS: Final = tuple(domain for rule in _RULES.values() for domain in rule.domains)
