"""Pages as the roster grows, and what a poll costs that finds nothing new."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from bench.figures import Figure, median
from bench.stage import empty, seed
from talent.models import Talent, User
from talent.roles import Role

TIMES = 15


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


urlpatterns = [path("bench/nothing", nothing), path("", include("config.urls"))]


def measure() -> list[Figure]:
    settings.ROOT_URLCONF = "bench.pages"
    client = signed_in()
    pages = {number: _list(client, number) for number in (100, 10_000)}
    return [
        Figure(
            "talent list, first page, 10,000 ÷ 100", pages[10_000][0] / pages[100][0], None, 1.5,
            made_of={"ms": pages[10_000][0], "ms small": pages[100][0]},
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


def _list(client: Client, number: int) -> tuple[float, list[float]]:
    empty()
    seed(number)
    return _milliseconds(lambda: client.get("/"))


def _poll(client: Client) -> Figure:
    talent = Talent.objects.order_by("pk")[0]
    address = f"/api/admin/talent/{talent.pk}/social-connections"
    etag = client.get(address)["ETag"]
    poll, _ = _milliseconds(lambda: client.get(address, HTTP_IF_NONE_MATCH=etag), expect=304)
    empty_view, _ = _milliseconds(lambda: client.get("/bench/nothing"), expect=204)
    return Figure(
        "polls (304) a second ÷ empty views a second", empty_view / poll,
        made_of={"ms": poll, "ms empty": empty_view},
    )  # fmt: skip


def _milliseconds(ask: Callable[[], Any], *, expect: int = 200) -> tuple[float, list[float]]:
    def once() -> float:
        began = time.perf_counter()
        status = ask().status_code
        seconds = time.perf_counter() - began
        assert status == expect, status
        return seconds * 1000

    once()
    return median(TIMES, once)
