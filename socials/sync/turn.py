"""Taking turns: how many of a cluster's workers loop at once, and when they should stop."""

from __future__ import annotations

import os
import select
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from socials.sync import workers

CLUSTER = "GREENROOM_CLUSTER"
"""The name of this worker's cluster, told by its guard."""

DRAIN_PIPE = "GREENROOM_DRAIN_PIPE"
"""A pipe that the guard holds open: when it ends, workers finish what they hold and stop."""

LOOPS, SENDING = 7_405, 7_406
"""What there are turns for: the namespaces of our advisory locks."""


@contextmanager
def turn(kind: int = LOOPS) -> Iterator[bool]:
    """Whether this worker may loop, or send, now. One worker of a cluster sends; one is left
    by the loops for everything else.

    The lock is the database session's, so a worker that dies gives its turn back.
    """
    slot = _take(kind)
    try:
        yield slot is not None
    finally:
        if slot is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [kind, slot])


def stopping() -> bool:
    """Whether this worker was asked to finish, or its guard is gone."""
    pipe = os.environ.get(DRAIN_PIPE)
    if not pipe:
        return False
    watch = select.poll()
    watch.register(int(pipe), select.POLLIN | select.POLLHUP)
    return bool(watch.poll(0))


def _take(kind: int) -> int | None:
    places = max(1, settings.Q_CLUSTER["workers"] - 1) if kind == LOOPS else 1
    cluster = os.environ.get(CLUSTER, workers.host())
    with connection.cursor() as cursor:
        for number in range(places):
            slot = zlib.crc32(f"{cluster}/{number}".encode()) - 2**31
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [kind, slot])
            if cursor.fetchone()[0]:
                return slot
    return None
