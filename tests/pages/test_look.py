"""What every page is drawn with: the platforms' marks, the letters, the weight of it all."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import django_htmx
import pytest
from django.conf import settings
from django.template.loader import render_to_string

from socials.models import Platform
from talent.templatetags.marks import PLATFORM_NAMES, glyph

BASE = Path(settings.BASE_DIR)
STATIC = BASE / "static"
COLOURS = {
    "INSTAGRAM": ("#ffdc7d", "#6a48d7"),
    "TIKTOK": ("#25f4ee", "#fe2c55", "#010101"),
    "YOUTUBE": ("#f03",),
    "TWITTER": ("#000",),
    "LINKEDIN": ("#0a66c2",),
}
SIZES = {"sm": "1rem", "md": "1.5rem", "lg": "2.25rem"}


@pytest.mark.parametrize("platform", Platform.values)
def test_every_platform_has_its_mark_in_its_colours_and_in_three_sizes(platform: str) -> None:
    sprite = render_to_string("_sprite.html")
    drawn = re.search(rf'<symbol id="g-{platform.lower()}".*?</symbol>', sprite, re.DOTALL)
    assert drawn is not None
    gradients = "".join(re.findall(r"<(?:radial|linear)Gradient.*?>.*?</", sprite, re.DOTALL))
    seen = drawn[0] + (gradients if "url(#" in drawn[0] else "")
    assert [colour for colour in COLOURS[platform] if colour not in seen] == []
    styles = (STATIC / "app.css").read_text()
    for size, side in SIZES.items():
        mark = glyph(platform, size)
        assert f'class="glyph {size}"' in mark
        assert f'aria-label="{PLATFORM_NAMES[platform]}"' in mark
        assert f"#g-{platform.lower()}" in mark
        rule = ".glyph" if size == "sm" else f".glyph.{size}"
        assert f"{rule} {{ width: {side}; height: {side};" in styles


def test_styles_and_scripts_weigh_less_than_60_kb_compressed() -> None:
    htmx = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
    ours = [file for kind in ("*.css", "*.js") for file in STATIC.rglob(kind)]
    weights = {file.name: len(gzip.compress(file.read_bytes())) for file in [*ours, htmx]}
    assert sum(weights.values()) < 60_000, weights


def test_every_class_of_the_stylesheets_is_worn() -> None:
    """A rule that nothing wears is deleted, not kept for later."""
    styles = "".join((STATIC / name).read_text() for name in ("app.css", "intelligence.css"))
    styles = re.sub(r"/\*.*?\*/|url\([^)]*\)|\{[^{}]*\}", " ", styles, flags=re.DOTALL)
    classes = set(re.findall(r"\.([a-z][a-z0-9-]*)", styles))
    put_together = re.compile(r"c-(instagram|tiktok|youtube)|tone-\d|n-\d|narrow|htmx-request")
    dead = {name for name in classes - _worn() if not put_together.fullmatch(name)}
    assert dead == set()


def _worn() -> set[str]:
    """Class names in templates, and words in the strings of the code that draws."""
    words: set[str] = set()
    for file in (BASE / "templates").rglob("*.html"):
        text = file.read_text()
        tags = re.findall(r"{[%{].*?[%}]}", text, re.DOTALL)
        plain = re.sub(r"{[%{].*?[%}]}", " ", text, flags=re.DOTALL)
        found = [*re.findall(r'"([^"]*)"', " ".join(tags)), *re.findall(r'class="([^"]*)"', plain)]
        words |= set(" ".join(found).split())
    for file in [*(BASE / "talent/templatetags").glob("*.py"), *STATIC.glob("*.js"),
                 *(BASE / "socials").rglob("*.py")]:  # fmt: skip
        words |= set(re.findall(r"[a-z][\w-]*", file.read_text()))
    return words
