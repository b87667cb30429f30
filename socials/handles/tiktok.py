"""TikTok's handles: the username, lower case. The rule itself is ``scraping.handles``: the profile API
shares it.
"""

from __future__ import annotations

from scraping.handles import tiktok_name, tiktok_name_in
from socials.handles.rule import Rule

RULE = Rule(
    platform="TIKTOK",
    name="TikTok",
    domains=("tiktok.com",),
    example="@janesmith",
    url_example="https://www.tiktok.com/@janesmith",
    in_link=tiktok_name_in,
    check=tiktok_name,
    key=str,
    url=lambda handle: f"https://www.tiktok.com/@{handle}",
)
