"""A process that the supervisor keeps alive, in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from config import processes
from config.env import BASE_DIR, VAR_DIR


@dataclass
class Child:
    """One supervised process."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(repr=False)
    keeps: tuple[int, ...] = ()
    """File descriptors that it holds as long as it lives."""
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    due: float = 0.0
    """When to start it again (monotonic), while it is down."""
    kill_at: float = 0.0
    """When to kill it, because it was told to stop and may not hear."""

    @property
    def log(self) -> Path:
        return VAR_DIR / "log" / f"{self.name}.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.keeps,
                preexec_fn=processes.dies_with_parent(signal.SIGTERM),  # noqa: PLW1509  one thread
            )
        self.started = time.monotonic()
        self.due = self.kill_at = 0.0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def terminate(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def sweep(self) -> None:
        """Kill whatever is left of its group: a main process can die before its helpers."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def last_words(self, lines: int = 12) -> str:
        with suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""
