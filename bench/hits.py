"""Many people who read at once: wrk where it is installed, else threads of our own."""

from __future__ import annotations

import http.client
import itertools
import json
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True, slots=True)
class Address:
    """A path, and what an If-None-Match asks of it."""

    path: str
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Hits:
    """What came of it; times in milliseconds. ``errors``: refused, cut, late, 4xx and 5xx."""

    requests: int
    errors: int
    seconds: float
    p50: float
    p95: float
    p99: float


def read(
    port: int,
    addresses: Sequence[Address],
    *,
    cookie: str,
    readers: int,
    seconds: int,
    meanwhile: Callable[[], None] = lambda: None,
) -> Hits:
    """So many readers ask for the addresses in turn; ``meanwhile`` is called until they end."""
    tool = "wrk" if shutil.which("wrk") else "python"
    with NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("".join(f"{address.path} {address.etag}\n" for address in addresses))
        listed.flush()
        asked = [str(port), listed.name, cookie, str(readers), str(seconds)]
        command = _wrk(*asked) if tool == "wrk" else [sys.executable, "-m", "bench.hits", *asked]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  ours
        while running.poll() is None:
            meanwhile()
            time.sleep(0.1)
        told, _ = running.communicate()
    return Hits(**json.loads(told.strip().splitlines()[-1]))


def _wrk(port: str, listed: str, cookie: str, readers: str, seconds: str) -> list[str]:
    return [
        "wrk", "-t2", f"-c{readers}", f"-d{seconds}s", "--timeout", "10s", "-H", f"Cookie: {cookie}",
        "-s", str(SCRIPT), f"http://127.0.0.1:{port}", "--", listed,
    ]  # fmt: skip


def _reader(
    port: int,
    turns: itertools.cycle[list[str]],
    cookie: str,
    until: float,
    told: list[float | None],
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while time.monotonic() < until:
        path, etag = (*next(turns), "")[:2]
        headers = {"Cookie": cookie, **({"If-None-Match": etag} if etag else {})}
        began = time.perf_counter()
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            told.append(None if answer.status >= 400 else time.perf_counter() - began)
        except (OSError, http.client.HTTPException):
            connection.close()
            told.append(None)


def main(port: str, listed: str, cookie: str, readers: str, seconds: str) -> None:
    lines = [line.split() for line in Path(listed).read_text().splitlines()]
    told: list[float | None] = []
    until = time.monotonic() + float(seconds)
    threads = [
        threading.Thread(
            target=_reader,
            args=(int(port), itertools.cycle(lines[place:] + lines[:place]), cookie, until, told),
        )
        for place in range(int(readers))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = sorted(seconds * 1000 for seconds in told if seconds is not None) or [0.0, 0.0]
    parts = statistics.quantiles(good, n=100)
    hits = {
        "requests": len(told), "errors": told.count(None), "seconds": float(seconds),
        "p50": parts[49], "p95": parts[94], "p99": parts[98],
    }  # fmt: skip
    sys.stdout.write(f"{json.dumps(hits)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
