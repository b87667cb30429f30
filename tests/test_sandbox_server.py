"""The sandbox server: real HTTP, honest about what it does not serve, quick to stop."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime

import pytest
import requests
from PIL import Image

from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account
from socials.sandbox import PLATFORMS, Sandbox


@pytest.mark.parametrize("platform", ["INSTAGRAM", "TIKTOK", "YOUTUBE"])
def test_an_avatar_is_a_real_image_of_the_wanted_size(sandbox: Sandbox, platform: str) -> None:
    address = cdn.avatar(
        sandbox.origin, Account(platform, "amelie.laurent"), datetime.now(UTC), size=200
    )
    assert address is not None
    reply = requests.get(address, timeout=5)
    image = Image.open(io.BytesIO(reply.content))
    assert (reply.status_code, image.size, image.format) == (200, (200, 200), "JPEG")


def test_an_account_without_a_photo_has_no_address_and_one_with_a_stand_in_says_so(
    sandbox: Sandbox,
) -> None:
    now = datetime.now(UTC)
    assert cdn.avatar(sandbox.origin, Account("TIKTOK", "noimage.nora"), now) is None
    stand_in = cdn.avatar(sandbox.origin, Account("TIKTOK", "placeholder.paul"), now)
    assert stand_in is not None
    assert "default" in stand_in
    assert requests.get(stand_in, timeout=5).status_code == 200


@pytest.mark.parametrize("platform", ["INSTAGRAM", "TIKTOK"])
def test_an_address_of_last_month_is_refused_in_the_platforms_words(
    sandbox: Sandbox, platform: str
) -> None:
    late = cdn.avatar(sandbox.origin, Account(platform, "jane"), datetime(2026, 1, 1, tzinfo=UTC))
    assert late is not None
    reply = requests.get(late, timeout=5)
    assert (reply.status_code, reply.text) == (403, "URL signature expired")


def test_an_altered_address_is_refused(sandbox: Sandbox) -> None:
    address = cdn.avatar(sandbox.origin, Account("INSTAGRAM", "jane"), datetime.now(UTC))
    assert address is not None
    assert requests.get(address.replace("jane", "june"), timeout=5).status_code == 403


def test_an_unknown_prefix_names_the_known_ones(sandbox: Sandbox) -> None:
    reply = requests.get(f"{sandbox.origin}/myspace/tom", timeout=5)
    assert reply.status_code == 404
    assert all(prefix in reply.text for prefix in PLATFORMS)


def test_a_connection_is_kept_alive_over_many_requests(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        for _ in range(3):
            reply = session.get(f"{sandbox.origin}/cdn/youtube/avatar/jane.jpg", timeout=5)
            assert reply.headers.get("Connection") != "close"
        assert reply.status_code == 200


def test_a_body_that_is_too_large_is_refused(sandbox: Sandbox) -> None:
    reply = requests.post(f"{sandbox.origin}/cdn/x", data=b"x" * 1_100_000, timeout=5)
    assert reply.status_code == 413


def test_it_stops_at_once_though_a_client_stays_connected() -> None:
    with requests.Session() as session:
        with Sandbox() as running:
            session.get(f"{running.origin}/cdn/youtube/avatar/jane.jpg", timeout=5)
            began = time.monotonic()
        assert time.monotonic() - began < 2
        with pytest.raises(requests.ConnectionError):
            session.get(f"{running.origin}/cdn/youtube/avatar/jane.jpg", timeout=5)
