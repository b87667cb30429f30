"""Local hours by a sum, against the standard library's own."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socials.intelligence import clocks

ZONES = (
    "UTC", "Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
    "Africa/Casablanca", "Pacific/Apia",
)  # fmt: skip
START = datetime(2024, 11, 1, 7, 13, tzinfo=UTC)
END = START + timedelta(days=730)


@given(st.sampled_from(ZONES), st.integers(0, int((END - START).total_seconds())))
@settings(max_examples=200)
def test_the_seconds_ahead_are_those_of_the_zone_at_every_moment(name: str, seconds: int) -> None:
    zone = clocks.known(name)
    moments, ahead = clocks.changes(zone, START, END)
    moment = START + timedelta(seconds=seconds)
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    assert ahead[bisect_right(moments, moment)] == offset.total_seconds()


def test_the_clocks_of_london_change_to_the_second() -> None:
    moments, ahead = clocks.changes(ZoneInfo("Europe/London"), START, START + timedelta(days=365))
    assert moments == [datetime(2025, 3, 30, 1, tzinfo=UTC), datetime(2025, 10, 26, 1, tzinfo=UTC)]
    assert ahead == [0, 3600, 0]


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "Europe"])
def test_what_is_no_time_zone_is_utc(name: str) -> None:
    assert clocks.known(name).key == "UTC"
