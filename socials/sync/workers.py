"""Who holds rows: the names of worker processes, their signs of life, and who of them is dead."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

from django.db.models import Q
from django.db.models.functions import Now

from socials.models import Connection, SyncStatus, Worker

BOOT = Path("/proc/sys/kernel/random/boot_id")


@cache
def host() -> str:
    """This machine, or this container of it: process ids mean something only within.

    Machines are cloned with their names, so the name is that of this boot.
    """
    names = [socket.gethostname()[:60]]
    with suppress(OSError):
        names.append(BOOT.read_text()[:8])
        names.append(f"{os.stat('/proc/self/ns/pid').st_ino:x}")  # noqa: PTH116
    return ".".join(names)


def name_of(pid: int) -> str:
    """A process's own name, which a later process of the same id can't have; "" when it is gone."""
    born = _born(pid)
    return f"{host()}:{pid}:{born}" if born else ""


def me() -> str:
    return name_of(os.getpid())


def is_dead(worker: str) -> bool:
    """Whether this worker of this host is gone. One of another host is never known to be."""
    where, _, process = worker.rpartition(":")[0].rpartition(":")
    if where != host() or not process.isdigit():
        return False
    return name_of(int(process)) != worker


def dead_owners() -> list[str]:
    """Holders of rows that were workers of this host and are gone."""
    held = Connection.objects.filter(
        sync_status=SyncStatus.SYNCING, lease_owner__startswith=f"{host()}:"
    )
    owners = held.values_list("lease_owner", flat=True).distinct()
    return [owner for owner in owners if is_dead(owner)]


def beat(worker: str, *, pid: int, busy: int, cluster: str = "") -> None:
    """Write a sign of life."""
    Worker.objects.bulk_create(
        [
            Worker(
                id=worker,
                cluster=cluster,
                host=socket.gethostname(),
                pid=pid,
                started_at=Now(),
                heartbeat_at=Now(),
                busy=busy,
            )
        ],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["heartbeat_at", "busy"],
    )


def forget_dead() -> None:
    """Drop the heartbeats of workers of this host that are gone, and anybody's of a day ago."""
    ids = Worker.objects.filter(id__startswith=f"{host()}:").values_list("id", flat=True)
    gone = Q(pk__in=[worker for worker in ids if is_dead(worker)])
    Worker.objects.filter(gone | Q(heartbeat_at__lt=Now() - timedelta(days=1))).delete()


def _born(pid: int) -> str:
    """The moment a process began, in ticks since boot; empty when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "" if Path("/proc/self").exists() else _lives(pid)
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _lives(pid: int) -> str:
    """Where the kernel doesn't tell more than that a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"
