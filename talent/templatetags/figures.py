"""Numbers and times in the words that people read."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django import template
from django.utils import timezone

register = template.Library()

NOTHING = "—"
MINUTE, HOUR, DAY = 60, 3600, 86_400


@register.filter
def thousands(number: int | None) -> str:
    """1243918 → 1,243,918; a number that nobody told is a dash, never a zero."""
    return NOTHING if number is None else f"{number:,}"


@register.filter
def compact(number: int | None) -> str:
    """1243918 → 1.24M: three significant digits."""
    if number is None:
        return NOTHING
    for size, unit in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")):
        # 999,950 would round to "1000K": it is "1.00M"
        if abs(number) >= size * 0.9995:
            value = number / size
            digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
            return f"{value:.{digits}f}{unit}"
    return str(number)


def span(seconds: float) -> str:
    """A length of time in its largest sensible unit: "12 min", "3 days"."""
    seconds = max(0, seconds)
    if seconds < MINUTE:
        return f"{round(seconds)} s"
    if seconds < 90 * MINUTE:
        return f"{round(seconds / MINUTE)} min"
    if seconds < 36 * HOUR:
        return f"{round(seconds / HOUR)} h"
    return f"{round(seconds / DAY)} days"


@register.filter
def duration(seconds: float | None) -> str:
    """How long something took: "1.8 s", "12 min"."""
    if seconds is None:
        return NOTHING
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)


@register.filter
def ago(when: datetime | None) -> str:
    """ "just now", "12 min ago", and after a month the date."""
    if when is None:
        return NOTHING
    passed = timezone.now() - when
    if passed < timedelta(seconds=45):
        return "just now"
    if passed > timedelta(days=30):
        return day(when)
    return f"{span(passed.total_seconds())} ago"


@register.filter
def until(when: datetime | None) -> str:
    """ "now", "in 4 s", "in 48 min", and beyond a day and a half the date."""
    if when is None:
        return NOTHING
    left = (when - timezone.now()).total_seconds()
    if left <= 0:
        return "now"
    return f"in {span(left)}" if left < 36 * HOUR else f"on {day(when)}"


@register.filter
def day(when: datetime) -> str:
    """ "16 Nov", with the year when it is another one."""
    local = timezone.localtime(when)
    year = "" if local.year == timezone.localtime().year else f" {local.year}"
    return f"{local.day} {local:%b}{year}"


@register.filter
def clock(when: datetime | None) -> str:
    """The time of day, in UTC as all of Greenroom's clocks."""
    return NOTHING if when is None else f"{timezone.localtime(when):%H:%M}"


@register.filter
def percent(share: float | None) -> str:
    """98.4%; a dash when nothing was counted."""
    if share is None:
        return NOTHING
    text = f"{share:.1f}"
    return f"{text.removesuffix('.0')}%"


@register.filter
def plural(number: int, words: str) -> str:
    """``3|plural:"profile,profiles"`` → "3 profiles"."""
    one, _, many = words.partition(",")
    return f"{number:,} {one if number == 1 else many}"


@register.filter
def signed(number: int | None) -> str:
    """1053 → +1,053; a real minus sign, and none before zero."""
    if number is None:
        return NOTHING
    return f"{'+' if number > 0 else '−' if number < 0 else ''}{abs(number):,}"  # noqa: RUF001


@register.filter
def signed_percent(share: float | None) -> str:
    """+3.2%."""
    if share is None:
        return NOTHING
    return f"{'+' if share > 0 else '−' if share < 0 else ''}{abs(share):.1f}%"  # noqa: RUF001


@register.filter
def way(number: float | None) -> str:
    """The class of a change: up, down or none."""
    return "" if not number else "up" if number > 0 else "down"


@register.filter
def rounded(number: float | None) -> int | None:
    return None if number is None else round(number)


@register.filter
def words(listed: str) -> list[str]:
    """``"00,03"|words`` → its parts, for a loop."""
    return listed.split(",")


@register.filter
def spaced(name: str) -> str:
    """postsPerWeek → "Posts per week"."""
    return re.sub(r"([A-Z])", r" \1", name).capitalize()


@register.filter
def seconds(milliseconds: int | None) -> str:
    return duration(None if milliseconds is None else milliseconds / 1000)


CAUSE_NAMES = {
    "REAUTH_REQUIRED": "Reconnect needed",
    "PLATFORM_UNAVAILABLE": "Not answering",
    "BAD_RESPONSE": "Unreadable answer",
    "INTERNAL": "Fault on our side",
}


@register.filter
def cause_name(code: str) -> str:
    """NOT_FOUND → "Not found"."""
    return CAUSE_NAMES.get(code) or code.replace("_", " ").capitalize()


TRIGGER_NAMES = {
    "connect": "New account",
    "manual": "A person",
    "schedule": "Schedule",
    "oauth": "New permission",
    "push": "The platform",
    "retry": "Retry",
}


@register.filter
def trigger_name(trigger: str) -> str:
    """Who or what asked for a sync: manual → "A person"."""
    return TRIGGER_NAMES.get(trigger, trigger.capitalize())


@register.filter
def bucket_name(bucket: str) -> str:
    """A quota as people read it: youtube.units → "units"."""
    return bucket.partition(".")[2].replace("_", " ") or bucket
