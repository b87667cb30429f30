"""Every misbehaviour of a platform ends in the state and the cause that people are promised."""

from __future__ import annotations

from typing import Any

import pytest

from socials import connections
from socials.models import Connection
from socials.sync.engine import Loop
from talent.models import Talent

pytestmark = pytest.mark.django_db(transaction=True)

ENDS = {
    "nonexistent.one": ("ERROR", "NOT_FOUND"),
    "private.one": ("ERROR", "PRIVATE_ACCOUNT"),
    "down.one": ("ERROR", "PLATFORM_UNAVAILABLE"),
    "garbled.one": ("ERROR", "BAD_RESPONSE"),
    "ratelimited.one": ("PENDING", "RATE_LIMITED"),
    "flaky.one": ("READY", ""),
    "noimage.one": ("READY", ""),
    "placeholder.one": ("READY", ""),
    "renamed.one": ("READY", ""),
    "janesmith": ("READY", ""),
}
OTHERWISE = {
    # YouTube knows no private channels: it shows none.
    ("YOUTUBE", "private.one"): ("ERROR", "NOT_FOUND"),
}


@pytest.mark.parametrize("handle", ENDS)
@pytest.mark.parametrize("platform", ["INSTAGRAM", "TIKTOK", "YOUTUBE"])
def test_each_mood_ends_as_promised(
    platform_settings: dict[str, str], settings: Any, jane: Talent, platform: str, handle: str
) -> None:
    settings.SYNC_RETRY_DELAYS = (0.0, 0.0, 0.0)
    row, _ = connections.connect(jane, platform, handle=handle)
    Loop().run()
    row = Connection.objects.get(pk=row.pk)
    expected = OTHERWISE.get((platform, handle), ENDS[handle])
    assert (row.sync_status, row.error_code) == expected, row.sync_error
    assert (row.sync_status == "READY") == hasattr(row, "profile")
