"""Instagram's public name of a post: every source tells it, while their ids differ."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_POST = re.compile(r"/(?:p|reel|reels|tv)/(?P<code>[A-Za-z0-9_-]{5,60})(?:/|$)")


def shortcode(url: str | None) -> str:
    """The code in a post's address, with or without its owner's name in front; "" for any other."""
    try:
        path = urlsplit(url or "").path
    except ValueError:
        return ""
    found = _POST.search(path)
    return found["code"] if found else ""
