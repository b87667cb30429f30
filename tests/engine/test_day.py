"""A day of YouTube's quota, simulated: the adapter, its prices and the reservations are our own."""

from __future__ import annotations

from typing import Any

import pytest

from bench.day import simulate
from socials import quota

pytestmark = pytest.mark.django_db


def test_youtubes_quota_keeps_three_thousand_channels_under_an_hour(settings: Any) -> None:
    """A tenth of the default quota (10,000 units in each bucket) keeps a tenth of the channels."""
    settings.PLATFORM_SETTINGS = dict(settings.PLATFORM_SETTINGS)
    kept, rounds = simulate(300, units=1_000)
    assert (kept, rounds > 24) == (300, True)
    used = {level.bucket: level.used for level in quota.levels("YOUTUBE")}
    assert 0 < used["youtube.units"] <= 1_000
    assert 0 < used["youtube.stats"] <= 1_000
