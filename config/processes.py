"""Ties between a process and its parent, which the kernel keeps even through kill -9."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def stop_with_parent(number: signal.Signals) -> None:
    """Have the kernel send us ``number`` when our parent dies. Elsewhere than on Linux: nothing."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def dies_with_parent(number: signal.Signals) -> Callable[[], None]:
    """A ``preexec_fn``: the child gets ``number`` when we die, even if that is at once."""
    parent = os.getpid()

    def before_exec() -> None:
        stop_with_parent(number)
        if os.getppid() != parent:
            os._exit(1)

    return before_exec


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether that process has a handler for the signal. False where /proc can't tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next((line for line in status.splitlines() if line.startswith("SigCgt:")), "SigCgt: 0")
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
