"""The report of the measurements: whatever was measured, side by side, as JSON, table and picture."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from bench import report
from bench.figures import Figure, keep

SVG = "{http://www.w3.org/2000/svg}"


def test_figures_of_every_measurement_stand_side_by_side(tmp_path: Path) -> None:
    keep(tmp_path, "pages", [
        Figure("list, 10,000 ÷ 100 <talents>", 1.2, at_most=1.5),
        Figure("polls a second", 2.5),
        Figure("failed requests", 0, at_most=0, unit=""),
    ])  # fmt: skip
    keep(tmp_path, "throughput", [Figure("syncs ÷ plain", 15.0, at_least=20.0)])
    (tmp_path / "storm.json").write_text("[1, 2]")
    (tmp_path / "broken.json").write_text("{")
    report.write(tmp_path)
    report.write(tmp_path)  # its own files are not measurements

    told = json.loads((tmp_path / "report.json").read_text())
    assert told["summary"] == "2 of 3 targets met. Missed: syncs ÷ plain."
    assert list(told["measurements"]) == ["pages", "throughput"]
    assert told["measurements"]["throughput"]["figures"][0]["score"] == 0.75
    table = (tmp_path / "report.txt").read_text()
    assert "MISSED" in table
    assert "polls a second" in table

    picture = ElementTree.fromstring((tmp_path / "report.svg").read_text())
    assert picture.get("role") == "img"
    named = {each.get("id"): each.text for each in picture if each.get("id")}
    assert set((picture.get("aria-labelledby") or "").split()) == set(named)
    assert named["summary"] == told["summary"]
    words = ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]
    assert words.count("✓ met") == 2
    assert words.count("✗ missed") == 1
    assert "list, 10,000 ÷ 100 <talents>" in words
    assert "prefers-color-scheme: dark" in (picture.findtext(f"{SVG}style") or "")


def test_a_score_says_how_many_times_better_than_its_target_a_figure_is() -> None:
    assert report.score(Figure("more is better", 40, at_least=20)) == 2
    assert report.score(Figure("less is better", 50, at_most=100)) == 2
    assert report.score(Figure("none at all", 0, at_most=0)) == report.BEST
    assert report.score(Figure("some where none may be", 3, at_most=0)) == 0
    assert report.score(Figure("no target", 3)) is None
