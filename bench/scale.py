"""100,000 accounts and five million posts: what grows with the tables, and what only with the work.

Everything is measured with 1,000 accounts too, the same number of them due. The plans of all
statements (EXPLAIN ANALYZE) are kept beside the figures, in ``plans/``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from bench.__main__ import FOLDER
from bench.figures import Figure, median
from bench.stage import empty, seed, seed_past
from socials import quota
from socials.models import Connection
from socials.sync import planner, rescue
from talent.models import User
from talent.roles import Role

SMALL, LARGE = 1_000, 100_000
POSTS, POINTS, RUNS = 50, 10, 10
DUE = 200
TIMES = 15
PLANS = FOLDER / "plans"
Act = Callable[[], object]


def measure() -> list[Figure]:
    settings.ALLOWED_HOSTS = ["testserver"]
    found = {accounts: _at(accounts) for accounts in (SMALL, LARGE)}
    seeding = found[LARGE].pop("seeding")
    found[SMALL].pop("seeding")
    return [
        *(
            Figure(
                f"{name}, 100,000 accounts ÷ 1,000", found[LARGE][name] / small, None,
                None if name in WHOLE else 1.5,
                made_of={"ms": found[LARGE][name], "ms small": small},
            )
            for name, small in found[SMALL].items()
        ),
        Figure(
            "posts seeded a second", LARGE * POSTS / seeding * 1000, unit="",
            made_of={"posts": LARGE * POSTS, "seconds": seeding / 1000},
        ),
    ]  # fmt: skip


WHOLE = ("queue-stats", "sync page", "talent list by followers")
"""What looks at every account, and so has no bound."""


def _at(accounts: int) -> dict[str, float]:
    """Milliseconds of each act with so many accounts."""
    empty()
    began = time.perf_counter()
    seed(accounts, due=DUE)
    seed_past(posts=POSTS, points=POINTS, runs=RUNS)
    found = {"seeding": (time.perf_counter() - began) * 1000}
    for name, act in _acts().items():
        found[name] = _milliseconds(act)
        (PLANS / f"{name} {accounts}.txt").write_text(_plans_of(act))
    planner.queue_due("YOUTUBE", limit=DUE)
    found["claim"] = _milliseconds(_claim)
    (PLANS / f"claim {accounts}.txt").write_text(_plans_of(_claim))
    return found


def _acts() -> Mapping[str, Act]:
    """What workers do, and what people look at. Each leaves the database as it was."""
    client, account = _visitor(), Connection.objects.order_by("pk")[SMALL // 2]
    api = f"/api/admin/socials/{account.pk}"
    PLANS.mkdir(exist_ok=True)
    return {
        "planner": lambda: _is(DUE, planner.queue_due("YOUTUBE", limit=DUE)),
        "sweep of lost rows": rescue.rescue_expired,
        "looking for work": lambda: Connection.objects.all().platforms_due(["YOUTUBE"]),
        "price learnt from a day's runs": lambda: quota.learnt_price("YOUTUBE", "youtube_data"),
        "talent list": lambda: _get(client, "/"),
        "talent list by followers": lambda: _get(client, "/?sort=-followers"),
        "talent page": lambda: _get(client, f"/talent/{account.talent_id}"),
        "page of posts": lambda: _get(client, f"{api}/posts?limit=50"),
        "history": lambda: _get(client, f"{api}/history?days=30"),
        "runs": lambda: _get(client, f"{api}/runs"),
        "queue-stats": lambda: _get(client, "/api/admin/queue-stats"),
        "sync page": lambda: _get(client, "/sync"),
    }


def _claim() -> None:
    _is(DUE, len(Connection.objects.all().claim(DUE, platform="YOUTUBE", owner="bench")))


def _is(wanted: int, found: int) -> None:
    assert found == wanted, (found, wanted)


def _visitor() -> Client:
    User.objects.filter(username="bench").delete()
    staff = User.objects.create_user("bench", "b@b.example", is_staff=True, role=Role.MANAGER)
    client = Client()
    client.force_login(staff, backend="talent.backends.RoleBackend")
    return client


def _get(client: Client, address: str) -> None:
    _is(200, client.get(address).status_code)


def _milliseconds(act: Act) -> float:
    def each(times: int) -> float:
        with _undone():
            began = time.perf_counter()
            for _ in range(times):
                act()
            return (time.perf_counter() - began) * 1000 / times

    each(1)
    # Of what takes less than a millisecond, ten are measured as one.
    times = 10 if each(1) < 1 else 1
    return round(median(TIMES, lambda: each(times))[0], 2)


@contextmanager
def _undone() -> Any:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# --- plans ---

_PLANNED = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


def _plans_of(act: Act) -> str:
    """The plan of every statement that an act makes, each run once more and undone."""
    plans: list[str] = []

    def explain(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        if _PLANNED.match(sql) and not many:
            with transaction.atomic(), connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", values)
                told = "\n".join(line for (line,) in cursor.fetchall())
                plans.append(f"{' '.join(sql.split())}\n\n{told}\n")
                transaction.set_rollback(True)
        return execute(sql, values, many, context)

    with _undone(), connection.execute_wrapper(explain):
        act()
    return "\n\n".join(plans)
