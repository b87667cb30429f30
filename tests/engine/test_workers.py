"""Whose process is dead is known of this machine alone."""

from __future__ import annotations

import os
import subprocess
import sys

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
