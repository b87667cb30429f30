"""``manage.py serve``: the web server, static files included."""

from __future__ import annotations

import os
import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from config import static
from config.env import env
from socials import latencies


class Command(BaseCommand):
    help = "Serve the web pages and the API with a production server."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if not _given_a_socket():
            _check_free(host, port)
        static.collect()
        Server(
            bind=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            worker_class="gthread",
            workers=env.int("WEB_WORKERS", default=2),
            threads=env.int("WEB_THREADS", default=8),
            timeout=60,
            graceful_timeout=8,
            keepalive=5,
            control_socket_disable=True,
            logger_class=Log,
            post_request=_after_request,
            worker_exit=_at_the_end,
            loglevel=settings.LOG_LEVEL.lower(),
        ).run()


class Log(Logger):  # type: ignore[misc]
    """Gunicorn's lines among ours, in the same format."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


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


def _after_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    latencies.keep()


def _at_the_end(server: Any, worker: Any) -> None:
    latencies.keep(now=True)


def _given_a_socket() -> bool:
    """Whether systemd holds the port and hands it to us: then gunicorn takes that one."""
    return os.environ.get("LISTEN_PID") == str(os.getpid())


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
