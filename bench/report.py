"""All figures side by side: ``report.json``, ``report.txt`` and ``report.svg``, of whatever was measured.

``python -m bench.report`` makes them anew from the JSON files of earlier measurements.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from bench.figures import Figure, show

NAME = "report"
BEST = 100.0
"""The scale of the picture: from a tenth of a target to so many times better."""

WIDTH, ROW, TOP, LEFT, BAR = 1080, 26, 64, 470, 360
STYLE = """
  svg { --paper: #fff; --ink: #1c1b1f; --soft: #625f69; --line: #d9d6de; --met: #1a7f4b; --missed: #b3261e; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #17161a; --ink: #ece9f1; --soft: #a8a4b0; --line: #3a3840; --met: #5cc48d; --missed: #ff8a80; }
  }
  .paper { fill: var(--paper); } text { fill: var(--ink); font: 13px system-ui, sans-serif; }
  .soft { fill: var(--soft); } .group { font-weight: 600; } .head { font-size: 18px; font-weight: 600; }
  .end { text-anchor: end; } .middle { text-anchor: middle; }
  .met { fill: var(--met); } .missed { fill: var(--missed); }
  text.met, text.missed { paint-order: stroke; stroke: var(--paper); stroke-width: 5px; }
  .line { stroke: var(--line); } .target { stroke: var(--ink); stroke-dasharray: 3 3; }
"""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One file: what was measured together, and when."""

    name: str
    measured_at: str
    figures: Sequence[Figure]


def collect(folder: Path) -> list[Measurement]:
    """What the folder's JSON files hold; files of another kind are passed over."""
    found = []
    for path in sorted(folder.glob("*.json")):
        if path.stem == NAME:
            continue
        try:
            told = json.loads(path.read_text())
            figures = [_figure(each) for each in told["figures"]]
        except (ValueError, KeyError, TypeError):
            continue
        found.append(Measurement(path.stem, str(told.get("measured_at", "")), figures))
    return found


def write(folder: Path) -> list[Measurement]:
    """Put the three forms of the report beside the measurements."""
    measurements = collect(folder)
    (folder / f"{NAME}.json").write_text(
        json.dumps(_as_json(measurements), indent=2, default=str) + "\n"
    )
    told = StringIO()
    for each in measurements:
        told.write(f"{each.name}  ({each.measured_at})\n")
        show(each.figures, told)
        told.write("\n")
    (folder / f"{NAME}.txt").write_text(told.getvalue())
    (folder / f"{NAME}.svg").write_text(picture(measurements))
    return measurements


def score(figure: Figure) -> float | None:
    """How many times better than its target a figure is; below 1 it misses. None: it has none."""
    if figure.at_least is None and figure.at_most is None:
        return None
    if figure.at_least is not None:
        better, worse = figure.value, figure.at_least
    else:
        better, worse = float(figure.at_most or 0), figure.value
    if worse <= 0:
        return BEST if figure.met else 1 / BEST
    return better / worse


def picture(measurements: Sequence[Measurement]) -> str:
    """Bars of how many times better than its target each figure is, on a scale of tens."""
    rows = [row for each in measurements for row in _rows(each)]
    height = TOP + ROW * len(rows) + 48
    summary = _summary(measurements)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="title summary">',
        f'<title id="title">Greenroom, measured</title><desc id="summary">{escape(summary)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        f'<text class="head" x="16" y="30">Greenroom, measured</text>'
        f'<text class="soft" x="16" y="50">{escape(summary.partition(" Missed")[0])}</text>',
        *_scale(height),
    ]
    for place, row in enumerate(rows):
        parts.append(f'<g transform="translate(0 {TOP + ROW * place})">{row}</g>')
    return "\n".join([*parts, "</svg>", ""])


def _rows(measurement: Measurement) -> Iterable[str]:
    at = f'<tspan class="soft"> {escape(measurement.measured_at)}</tspan>'
    yield f'<text class="group" x="16" y="18">{escape(measurement.name)}{at}</text>'
    for figure in measurement.figures:
        yield _row(figure)


def _row(figure: Figure) -> str:
    value = f"{figure.value:,.4g} {figure.unit}".strip()
    told = f'<text x="28" y="18">{escape(_cut(figure.name, 56))}</text>'
    told += f'<text class="soft" x="{WIDTH - 16}" y="18" text-anchor="end">{escape(f"{value}, target {figure.target}" if figure.target else value)}</text>'
    times = score(figure)
    if times is None:
        return f'{told}<text class="soft" x="{LEFT}" y="18">no target</text>'
    mark, word = ("met", "✓ met") if figure.met else ("missed", "✗ missed")
    zero, end = _place(0.1), max(_place(times), _place(0.1) + 2)
    return (
        f'{told}<rect class="{mark}" x="{zero:.1f}" y="7" width="{end - zero:.1f}" height="13" rx="2"/>'
        f'<text class="{mark}" x="{min(end + 6, LEFT + BAR + 6):.1f}" y="18">{word}</text>'
    )


def _scale(height: int) -> Iterable[str]:
    for times in (0.1, 1.0, 10.0, BEST):
        x = _place(times)
        kind = "target" if times == 1.0 else "line"
        label = "target" if times == 1.0 else f"{times:g} times"
        yield f'<line class="{kind}" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - 40}"/>'
        yield f'<text class="soft middle" x="{x:.1f}" y="{height - 22}">{label}</text>'
    yield (
        f'<text class="soft middle" x="{LEFT + BAR / 2}" y="{height - 6}">'
        "times better than the target, a scale of tens</text>"
    )


def _place(times: float) -> float:
    """Where on the picture; beyond the ends of the scale at its ends."""
    within = min(max(times, 0.1), BEST)
    return LEFT + BAR * (math.log10(within) + 1) / (math.log10(BEST) + 1)


def _summary(measurements: Sequence[Measurement]) -> str:
    judged = [figure for each in measurements for figure in each.figures if figure.met is not None]
    missed = [figure.name for figure in judged if not figure.met]
    told = f"{len(judged) - len(missed)} of {len(judged)} targets met."
    return f"{told} Missed: {'; '.join(missed)}." if missed else told


def _as_json(measurements: Sequence[Measurement]) -> dict[str, Any]:
    return {
        "summary": _summary(measurements),
        "measurements": {
            each.name: {
                "measured_at": each.measured_at,
                "figures": [
                    {
                        "name": figure.name, "value": figure.value, "unit": figure.unit,
                        "target": figure.target, "met": figure.met, "score": score(figure),
                        "made_of": figure.made_of,
                    }
                    for figure in each.figures
                ],
            }
            for each in measurements
        },
    }  # fmt: skip


def _figure(told: dict[str, Any]) -> Figure:
    known = {field.name for field in fields(Figure)}
    return Figure(**{name: value for name, value in told.items() if name in known})


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def main() -> int:
    from bench.__main__ import FOLDER  # noqa: PLC0415  it imports this module

    measurements = write(FOLDER)
    sys.stdout.write(f"{_summary(measurements)} {FOLDER / NAME}.txt, .json, .svg\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
