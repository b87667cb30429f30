"""Instagram's public name of a post, out of any form of its address."""

from __future__ import annotations

import pytest

from scraping.shortcodes import shortcode


@pytest.mark.parametrize(
    "url",
    [
        "https://www.instagram.com/p/DAbc_1-9/",
        "https://www.instagram.com/reel/DAbc_1-9/?igsh=x",
        "https://www.instagram.com/jane.smith/reel/DAbc_1-9",
        "https://instagram.com/tv/DAbc_1-9/#top",
    ],
)
def test_every_form_of_the_address_gives_one_name(url: str) -> None:
    assert shortcode(url) == "DAbc_1-9"


@pytest.mark.parametrize(
    "url", [None, "", "https://www.instagram.com/jane/", "https://[x/p/Cab/", "p/"]
)
def test_what_is_no_post_gives_none(url: str | None) -> None:
    assert shortcode(url) == ""
