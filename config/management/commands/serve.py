"""``manage.py serve``: the web server, static files included."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from gunicorn.app.base import BaseApplication

from config.env import env


class Command(BaseCommand):
    help = "Serve the web pages and the API with a production server."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        _check_free(host, port)
        if not settings.DEBUG and _static_files_are_stale():
            self.stderr.write("Collecting static files …")
            call_command("collectstatic", interactive=False, verbosity=0)
        Server(
            bind=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            worker_class="gthread",
            workers=env.int("WEB_WORKERS", default=2),
            threads=env.int("WEB_THREADS", default=8),
            timeout=60,
            graceful_timeout=8,
            keepalive=5,
            control_socket_disable=True,
            loglevel=settings.LOG_LEVEL.lower(),
        ).run()


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings, and none from files or the environment."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # Imported in each web process, as gunicorn means it.
        from config.wsgi import application  # noqa: PLC0415

        return application


def _check_free(host: str, port: int) -> None:
    """Raises CommandError when the address can't be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host} can't be used ({error.strerror}). Try another --port."
            ) from None


def _static_files_are_stale() -> bool:
    """Whether a source is newer than what was collected, or nothing was."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.exists():
        return True
    collected = manifest.stat().st_mtime
    return any(
        Path(storage.path(name)).stat().st_mtime > collected
        for finder in get_finders()
        for name, storage in finder.list([])
    )
