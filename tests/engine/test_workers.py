"""Whose process is dead is known of this machine alone."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from socials.models import Worker
from socials.sync import workers


def test_a_process_that_has_ended_is_dead_and_one_that_lives_is_not() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = workers.name_of(process.pid)
    assert not workers.is_dead(name)
    process.communicate()
    assert workers.is_dead(name)


def test_a_process_of_another_machine_of_the_same_name_is_not_taken_for_dead() -> None:
    gone = f"{workers.host()}:{os.getpid()}:0"
    assert workers.is_dead(gone)
    assert not workers.is_dead(gone.replace(workers.BOOT.read_text()[:8], "0ther0ne"))


@pytest.mark.django_db
def test_heartbeats_end_with_their_process_or_a_day_after_their_machine() -> None:
    for name, hours in (
        (workers.me(), 0),
        (f"{workers.host()}:1:0", 0),
        ("a:1:1", 23),
        ("b:1:1", 25),
    ):
        Worker.objects.create(
            id=name, host="h", pid=1, started_at=Now(), heartbeat_at=Now() - timedelta(hours=hours)
        )
    workers.forget_dead()
    assert set(Worker.objects.values_list("id", flat=True)) == {workers.me(), "a:1:1"}
