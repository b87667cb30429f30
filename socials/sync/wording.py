"""A failure in words for staff."""

from __future__ import annotations

from scraping.errors import Failure
from socials import handles
from socials.errors import CAUSES, repeats
from socials.models import Connection
from socials.sync.cleaning import clean


def words(failure: Failure, row: Connection) -> str:
    """The failure as staff read it: what happened, then what is known of it."""
    cause = CAUSES[failure.code]
    names = {
        "P": row.get_platform_display(),
        "h": handles.at(row.platform, row.handle),
        "T": row.talent.first_name,
    }
    title = cause.title.format(**names)
    told = _sentence(clean(failure.detail, 500), row)
    if repeats(told, title):
        told = cause.sentence.format(**names)
    return told if told.startswith(title.rstrip(".")) else f"{title} {told}"


def _sentence(told: str, row: Connection) -> str:
    """A platform's or an adapter's note as a sentence; a handle keeps its own spelling."""
    first = told.partition(" ")[0]
    if first.isalpha() and first.islower() and first != row.handle:
        told = told[0].upper() + told[1:]
    return told if not told or told[-1] in ".!?…" else f"{told}."
