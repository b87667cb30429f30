"""Cleans and takes apart what people paste as an account; and what two layers need of the rules:
TikTok's, and how a YouTube channel's id looks.

>>> tiktok("https://www.tiktok.com/@JaneSmith/video/7?lang=en")
'janesmith'
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from scraping.errors import InvalidHandle

LONGEST: Final = 2_000
"""Characters of a pasted text that are looked at; no profile link comes near it."""

CHANNEL_ID: Final = re.compile(r"UC[A-Za-z0-9_-]{22}")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://")
_HOST = re.compile(r"[^\s/?#\\@:]{1,253}(?::\d{1,5})?")
_BLANK_LETTERS = str.maketrans("", "", "\u115f\u1160\u3164\uffa0\u034f\u2800")
"""Signs that Unicode calls letters or symbols and that show as nothing."""

_AROUND: Final = "\"'<>“”\u2018\u2019«»\x00 \t\r\n\v\f\x85\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Link:
    """A pasted URL: its host in lower case and its decoded path; query and fragment are noise."""

    host: str
    segments: tuple[str, ...]

    def belongs_to(self, domains: Iterable[str]) -> bool:
        return any(self.host == domain or self.host.endswith(f".{domain}") for domain in domains)


def tidy(text: str) -> str:
    """The text as it was meant: without invisible and direction signs, full-width
    letters made plain, accents composed, blanks and quotes around it gone. Tidying twice changes nothing."""
    for _ in range(2):  # what is dropped may bring letters together that compose
        text = unicodedata.normalize("NFKC", text)
        text = "".join(c for c in text if unicodedata.category(c) not in {"Cf", "Cs"})
        text = text.translate(_BLANK_LETTERS)
    return unicodedata.normalize("NFKC", text).strip(_AROUND)


def link(text: str, domains: Iterable[str] = ()) -> Link | None:
    """Take a tidy text apart when it is a URL; ``None`` when it can only be a handle.

    Without a scheme it is a URL if its host is one of ``domains``, or if a path follows a dotted
    name. Raises InvalidHandle for a scheme other than http(s) and for broken percent-encoding.
    """
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in {"http", "https"}:
        raise InvalidHandle("A profile link begins with https://.")
    rest = text[scheme.end() :] if scheme else text.removeprefix("//")
    authority, slash, path = _cut_authority(rest)
    if not scheme and rest == text:
        found = Link(_plain_host(authority), ())
        dotted = "." in authority and not authority.startswith(".")
        if not _HOST.fullmatch(authority) or not (
            found.belongs_to(domains) or (dotted and (slash == "/" or text[:4].lower() == "www."))
        ):
            return None
    return Link(_plain_host(authority), _segments(path))


def tiktok(text: str) -> str:
    """The canonical TikTok handle (lower case, without @) of a typed handle or a profile URL.

    Raises InvalidHandle with words for the person who typed it.
    """
    cleaned = tidied(text, "TikTok")
    url = link(cleaned, ("tiktok.com",))
    if url is None:
        return tiktok_name(cleaned)
    if not url.belongs_to(("tiktok.com",)):
        raise InvalidHandle(f"This link isn't from TikTok. Paste one like {TIKTOK_EXAMPLE}.")
    return tiktok_name(tiktok_name_in(url))


TIKTOK_EXAMPLE: Final = "https://www.tiktok.com/@janesmith"
_TIKTOK_PAGES = frozenset(
    [
        "about",
        "business",
        "channel",
        "creators",
        "discover",
        "embed",
        "explore",
        "following",
        "foryou",
        "friends",
        "inbox",
        "legal",
        "live",
        "login",
        "messages",
        "music",
        "place",
        "player",
        "privacy",
        "search",
        "setting",
        "settings",
        "share",
        "signup",
        "sticker",
        "tag",
        "tiktokstudio",
        "trending",
        "upload",
        "v",
        "video",
    ]
)


def tiktok_name_in(url: Link) -> str:
    """The name that a TikTok URL carries. Raises InvalidHandle when it carries none."""
    first = url.segments[0] if url.segments else ""
    if url.host.split(".")[0] in {"vm", "vt"} or first.lower() == "t":
        raise InvalidHandle(
            "This is a short TikTok link, which doesn't name the account. Open it, then paste the "
            f"full profile link, like {TIKTOK_EXAMPLE}."
        )
    if not first:
        raise InvalidHandle(f"This TikTok link names no account. Paste one like {TIKTOK_EXAMPLE}.")
    if first == "@" or first.lower() in _TIKTOK_PAGES:
        raise InvalidHandle(
            f"This TikTok link isn't a profile. Paste the account's own, like {TIKTOK_EXAMPLE}."
        )
    return first


def tiktok_name(name: str) -> str:
    """Check and canonise a bare name. Raises InvalidHandle."""
    name = bare(name)
    refuse_blanks(name)
    for sign in name:
        if not (sign.isascii() and (sign.isalnum() or sign in "._")):
            raise InvalidHandle(
                f"{shown(sign)} can't be in a TikTok handle. Use letters, numbers, dots and "
                "underscores, like @janesmith."
            )
    if not 2 <= len(name) <= 24:
        raise InvalidHandle("A TikTok handle has 2 to 24 characters, like @janesmith.")
    if name.endswith("."):
        raise InvalidHandle("A TikTok handle doesn't end with a dot. Try one like @janesmith.")
    return name.lower()


def tidied(text: str, platform: str) -> str:
    """``tidy`` with its two refusals: nothing there, and far too much. Raises InvalidHandle."""
    if len(text) > LONGEST:
        raise InvalidHandle(
            f"This has {len(text):,} characters: too many for a handle or a link. "
            f"Type the {platform} handle alone, like @janesmith."
        )
    cleaned = tidy(text)
    if not cleaned.strip("@ "):
        raise InvalidHandle("Type a handle, like @janesmith, or paste a profile link.")
    return cleaned


def bare(name: str) -> str:
    """The name without the @ that people put before it."""
    return name.strip().lstrip("@").strip()


def refuse_blanks(name: str) -> None:
    """Raises InvalidHandle, with a guess, for a name with spaces inside."""
    words = name.split()
    if len(words) > 1:
        guess = "".join(words)
        hint = f" Did you mean @{guess}?" if guess.isalnum() and len(guess) <= 30 else ""
        raise InvalidHandle(f"A handle has no spaces.{hint or ' Try one like @janesmith.'}")


def shown(sign: str) -> str:
    """A refused character, as a person can find it."""
    if sign.isprintable() and not unicodedata.combining(sign):
        return f"“{sign}”"
    return f"An invisible character (U+{ord(sign):04X})"


def _cut_authority(rest: str) -> tuple[str, str, str]:
    for place, sign in enumerate(rest):
        if sign in "/?#\\":
            return rest[:place], sign, rest[place + 1 :] if sign == "/" else ""
    return rest, "", ""


def _plain_host(authority: str) -> str:
    host = authority.rpartition("@")[2].lower()
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).rstrip(".")


def _segments(path: str) -> tuple[str, ...]:
    clean = re.split(r"[?#]", path, maxsplit=1)[0]
    try:
        decoded = [tidy(unquote(part, errors="strict")) for part in clean.split("/")]
    except UnicodeDecodeError:
        raise InvalidHandle(
            "This link is damaged: a part after a % can't be read. Copy it again from the browser."
        ) from None
    return tuple(part for part in decoded if part)
