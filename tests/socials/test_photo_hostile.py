"""Image servers at their worst: each answer has its cause, in bounded memory and time."""

from __future__ import annotations

from bench import hostile_images

LEFT_TO_THE_BENCH = {"drips", "says nothing", "jpeg of 25 megapixels", "palette"}
"""What takes time: tests/scraping has the first two with shorter limits."""


def test_each_is_refused_with_its_cause_or_kept_and_memory_is_bounded() -> None:
    names = [name for name in hostile_images.answers() if name not in LEFT_TO_THE_BENCH]
    found = hostile_images.run(names)
    outcomes = {name: code for name, (code, _) in found["outcomes"].items()}
    assert outcomes == {name: hostile_images.answers()[name][0] for name in names}
    slowest = max(seconds for _, seconds in found["outcomes"].values())
    assert slowest < 20  # a bomb of scans alone would take minutes
    assert found["peak_mb"] - found["before_mb"] < 450
