"""Pages as the roster grows, and what a poll costs that finds nothing new."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from bench.figures import Figure
from bench.stage import empty, seed
from talent.models import Talent, User
from talent.roles import Role

TIMES = 15
ROUNDS = 3


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


urlpatterns = [path("bench/nothing", nothing), path("", include("config.urls"))]


def measure() -> list[Figure]:
    settings.ROOT_URLCONF = "bench.pages"
    client = signed_in()
    sizes: dict[int, list[float]] = {100: [], 10_000: []}
    for _ in range(ROUNDS):  # by turns, so that what else runs here weighs on both
        for number, found in sizes.items():
            found.extend(_list(client, number))
    small, large = (_quiet(found) for found in sizes.values())
    return [
        Figure(
            "talent list, first page, 10,000 ÷ 100", large / small, None, 1.3,
            made_of={"ms": large, "ms small": small},
        ),
        _poll(client),
    ]  # fmt: skip


def signed_in() -> Client:
    """A manager's browser."""
    settings.ALLOWED_HOSTS = ["testserver"]
    User.objects.filter(username="bench").delete()
    staff = User.objects.create_user("bench", "b@b.example", is_staff=True, role=Role.MANAGER)
    client = Client()
    client.force_login(staff, backend="talent.backends.RoleBackend")
    return client


def _list(client: Client, number: int) -> list[float]:
    empty()
    seed(number)
    _milliseconds(lambda: client.get("/"))
    return [_milliseconds(lambda: client.get("/")) for _ in range(TIMES)]


def _poll(client: Client) -> Figure:
    """A poll that finds nothing new, and an empty view for the same person, by turns."""
    talent = Talent.objects.order_by("pk")[0]
    address = f"/api/admin/talent/{talent.pk}/social-connections"
    etag = client.get(address)["ETag"]
    polls, nothings = [], []
    for _ in range(ROUNDS * TIMES):
        polls.append(
            _milliseconds(lambda: client.get(address, HTTP_IF_NONE_MATCH=etag), expect=304)
        )
        nothings.append(_milliseconds(lambda: client.get("/bench/nothing"), expect=204))
    poll, empty_view = _quiet(polls), _quiet(nothings)
    return Figure(
        "polls (304) a second ÷ empty views a second", empty_view / poll, 0.6,
        made_of={"ms": poll, "ms empty": empty_view},
    )  # fmt: skip


def _quiet(found: list[float]) -> float:
    """The lower quartile: whatever else the machine does only ever adds."""
    return statistics.quantiles(found, n=4)[0]


def _milliseconds(ask: Callable[[], Any], *, expect: int = 200) -> float:
    began = time.perf_counter()
    status = ask().status_code
    passed = (time.perf_counter() - began) * 1000
    assert status == expect, status
    return passed
