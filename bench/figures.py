"""A figure as it is printed and kept: a number, what it should be, and what it was made of."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "times"
    made_of: Mapping[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"


def median(times: int, measure: Callable[[], float]) -> tuple[float, list[float]]:
    """The median of so many measurements, and all of them."""
    found = [measure() for _ in range(times)]
    return statistics.median(found), [round(value, 4) for value in found]


def keep(folder: Path, name: str, figures: Iterable[Figure]) -> Path:
    """Write a measurement down as JSON."""
    path = folder / f"{name}.json"
    told = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "figures": [{**asdict(figure), "met": figure.met} for figure in figures],
    }
    path.write_text(json.dumps(told, indent=2, default=str) + "\n")
    return path


def show(figures: Iterable[Figure], file: TextIO | None = None) -> None:
    """Print them as a table."""
    table = Table("figure", "value", "target", "", "made of", box=None, pad_edge=False)
    for figure in figures:
        mark = {True: "met", False: "MISSED", None: ""}[figure.met]
        made_of = ", ".join(f"{name} {_short(value)}" for name, value in figure.made_of.items())
        table.add_row(
            figure.name, f"{figure.value:,.2f} {figure.unit}", figure.target, mark, made_of
        )
    Console(width=200, file=file).print(table)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, list):
        return "/".join(_short(part) for part in value)
    return str(value)
