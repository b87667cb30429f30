"""Lines and heat as plain geometry for SVG: no style, no script, gaps left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from socials.intelligence.types import Mark, Point

WIDTH, HEIGHT = 1000.0, 100.0
MARGIN = 12.0
"""Room above and below the line, so that its ends don't touch the frame."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A part of the width: days without a reading, or a day that is marked."""

    x: str
    width: str
    y: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """One account's line over a window, in a box of 1000 by 100."""

    line: str
    """Path data; a gap begins a new part."""
    area: str
    gaps: tuple[Strip, ...]
    stale: Strip | None
    """From the last reading to today, when it is not of today."""
    marks: tuple[Strip, ...]
    dot_x: str
    dot_y: str
    first: Point
    last: Point
    ticks: tuple[int, ...]
    """Top, middle and bottom of the scale."""

    @property
    def percent(self) -> float | None:
        before = self.first.followers
        return round((self.last.followers - before) / before * 100, 1) if before else None


def band(points: Sequence[Point], marks: Sequence[Mark], *, days: int, today: date) -> Band | None:
    """The line of one account's points (oldest first); None with fewer than two of them."""
    if len(points) < 2:
        return None
    start = max(today - timedelta(days=days - 1), points[0].date)
    span = max((today - start).days, 1)
    low, high = min(p.followers for p in points), max(p.followers for p in points)

    def x(day: date) -> float:
        return (day - start).days / span * WIDTH

    def y(followers: int) -> float:
        if high == low:
            return HEIGHT / 2
        return HEIGHT - MARGIN - (followers - low) / (high - low) * (HEIGHT - 2 * MARGIN)

    runs: list[list[Point]] = [[points[0]]]
    gaps = []
    for before, after in pairwise(points):
        if (after.date - before.date).days > 1:
            gaps.append(Strip(_n(x(before.date)), _n(x(after.date) - x(before.date))))
            runs.append([])
        runs[-1].append(after)
    parts = [[(x(p.date), y(p.followers)) for p in run] for run in runs]
    last = points[-1]
    step = (high - low) / (HEIGHT - 2 * MARGIN) * MARGIN
    return Band(
        line=" ".join(_path(part) for part in parts),
        area=" ".join(
            f"{_path(part)}L{_n(part[-1][0])} {HEIGHT:g}L{_n(part[0][0])} {HEIGHT:g}Z"
            for part in parts
            if len(part) > 1
        ),
        gaps=tuple(gaps),
        stale=Strip(_n(x(last.date)), _n(WIDTH - x(last.date)), _n(y(last.followers)))
        if last.date < today
        else None,
        marks=tuple(Strip(_n(x(mark.date)), "0") for mark in marks if mark.date >= start),
        dot_x=_n(x(last.date)),
        dot_y=_n(y(last.followers)),
        first=points[0],
        last=last,
        ticks=tuple(max(0, round(value)) for value in (high + step, (high + low) / 2, low - step)),
    )


def axis(*, start: date, today: date, most: int = 4) -> list[date]:
    """Evenly spaced days for the labels below, both ends included."""
    span = (today - start).days
    parts = min(most - 1, span)
    return (
        [start + timedelta(days=round(span * n / parts)) for n in range(parts + 1)]
        if parts
        else [today]
    )


def _path(part: Sequence[tuple[float, float]]) -> str:
    (first, *others) = part
    # A single day between two gaps is drawn as a short stroke: a path of one point has no ink.
    rest = "".join(f"L{_n(px)} {_n(py)}" for px, py in others) or "h2"
    return f"M{_n(first[0])} {_n(first[1])}{rest}"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Hour:
    posts: int
    level: int
    """0 to 4: how dark its cell is."""
    title: str


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def heat(times: Sequence[Sequence[int]]) -> list[tuple[str, list[Hour]]]:
    """A week of counts as cells, the busiest hour darkest."""
    most = max(map(max, times), default=0)
    return [
        (
            name,
            [
                Hour(
                    posts,
                    -(-posts * 4 // most) if most else 0,
                    f"{name} {hour:02}:00, {posts} {'post' if posts == 1 else 'posts'}",
                )
                for hour, posts in enumerate(row)
            ],
        )
        for name, row in zip(DAYS, times, strict=True)
    ]
