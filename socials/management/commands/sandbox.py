"""``manage.py sandbox``: the sandbox platforms on a port, until it is stopped."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from socials.sandbox import PLATFORMS, Sandbox, settings_for


class Command(BaseCommand):
    help = "Serve the sandbox platforms: every platform's wire, with plausible accounts."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=9400)
        parser.add_argument(
            "--env", action="store_true", help="print the settings that point the app here"
        )

    def handle(self, *args: Any, host: str, port: int, env: bool, **options: Any) -> None:
        try:
            sandbox = Sandbox(host, port)
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host} can't be used ({error.strerror}). Try another --port."
            ) from None
        if env:
            for name, value in settings_for(sandbox.origin).items():
                self.stdout.write(f"{name}={value}")
            self.stdout.write(f"SANDBOX_HOSTS={sandbox.origin.removeprefix('http://')}")
        prefixes = " ".join(f"/{prefix}" for prefix in PLATFORMS)
        self.stdout.write(f"Sandbox platforms at {sandbox.origin}  {prefixes}")
        self.stdout.flush()
        stopping = threading.Event()
        for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signal_number, lambda *_: stopping.set())
        with sandbox:
            stopping.wait()
