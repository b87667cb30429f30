"""What the documented and the captured answers of YouTube become: one file each, and its outcome."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from scraping.errors import Failure
from socials.types import Count, Depth, Reading
from tests.platforms.youtube_stage import (
    KEY,
    TESTS,
    TOKEN,
    Stage,
    channel,
    channels,
    entry,
    page,
    payload,
    video,
)

EXPECTED = {
    path.stem: json.loads(path.read_text())
    for path in sorted((TESTS / "expected" / "youtube").glob("*.json"))
}
CHANNEL_ID = "UCK8sQmJBp8GCxrOtXWBpyEA"


def named(part: str) -> list[str]:
    return [name for name, expected in EXPECTED.items() if part in expected]


@pytest.fixture
def stage(httpserver: HTTPServer) -> Stage:
    return Stage(httpserver)


def told(value: Any) -> Any:
    """A value of ours as the expectations write it."""
    if isinstance(value, Count):
        return [value.value, str(value.quality)]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


def test_every_payload_has_its_outcome() -> None:
    payloads = {path.stem for path in (TESTS / "payloads" / "youtube").glob("*.json")}
    assert payloads == EXPECTED.keys()


@pytest.mark.parametrize("name", named("profile"))
def test_a_channel_becomes_a_profile(stage: Stage, name: str) -> None:
    stage.answers(channels=lambda asked: (200, payload(name)))
    reading = stage.read_one("asked")
    assert isinstance(reading, Reading), reading
    expected = EXPECTED[name]["profile"]
    assert reading.profile.extra["uploads_playlist"] == expected.pop("uploads")
    assert {key: told(getattr(reading.profile, key)) for key in expected} == expected
    assert reading.posts_total == reading.profile.posts.value


@pytest.mark.parametrize("name", named("failure"))
def test_a_refusal_becomes_a_typed_failure(stage: Stage, name: str) -> None:
    expected = EXPECTED[name]
    headers = expected.get("headers", {})
    stage.answers(channels=lambda asked: (expected["status"], payload(name), headers))
    failure = stage.read_one("asked", token=expected.get("token", False))
    assert isinstance(failure, Failure), failure
    assert {key: told(getattr(failure, key)) for key in expected["failure"]} == expected["failure"]
    assert (failure.platform, failure.source) == ("YOUTUBE", "youtube_data")
    assert failure.detail
    assert not [secret for secret in (KEY, TOKEN) if secret in repr(vars(failure))]


@pytest.mark.parametrize("name", [n for n in named("posts") if EXPECTED[n]["method"] == "videos"])
def test_videos_become_posts(stage: Stage, name: str) -> None:
    expected = EXPECTED[name]["posts"]
    entries = [entry(post["external_id"]) for post in expected]
    stage.answers(
        channels=lambda asked: (200, channels(channel(CHANNEL_ID))),
        playlistItems=lambda asked: (200, page(*entries)),
        videos=lambda asked: (200, payload(name)),
    )
    reading = stage.read_one("asked")
    assert isinstance(reading, Reading), reading
    assert posts_as(reading, expected) == expected
    assert reading.partial == ()


def test_the_numbers_of_due_videos_become_posts(stage: Stage) -> None:
    expected = EXPECTED["stats"]["posts"]
    stage.answers(
        channels=lambda asked: (200, channels(channel(CHANNEL_ID))),
        stats=lambda asked: (200, payload("stats")),
    )
    reading = stage.read_cheaply(
        CHANNEL_ID, known_posts=3, due_posts=tuple(post["external_id"] for post in expected)
    )
    assert isinstance(reading, Reading), reading
    assert posts_as(reading, expected) == expected
    assert reading.gone_posts == ()


@pytest.mark.parametrize("name", named("listing"))
def test_a_list_of_uploads_names_its_public_videos(stage: Stage, name: str) -> None:
    expected = EXPECTED[name]
    stage.answers(
        channels=lambda asked: (200, channels(channel(CHANNEL_ID, videos=9))),
        playlistItems=lambda asked: (expected["status"], payload(name)),
        videos=lambda asked: (
            200,
            {"items": [
                video(i, at) for i, at in zip(
                    asked["id"].split(","),
                    ("2026-11-19T10:00:00Z", "2026-11-17T10:00:00Z", "2026-11-16T10:00:00Z"),
                    strict=True,
                )
            ]},
        ),
    )  # fmt: skip
    reading = stage.read_one("asked")
    assert isinstance(reading, Reading), reading
    seen = {
        "stop_reason": str(reading.stop_reason),
        "partial": list(reading.partial),
        "posts": [post.external_id for post in reading.posts],
        "listed_since": told(reading.listed_since),
    }
    assert seen == expected["listing"]


def posts_as(reading: Reading, expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {post.external_id: post for post in reading.posts}
    assert len(found) == len(expected)
    return [
        {key: told(getattr(found[post["external_id"]], key)) for key in post} for post in expected
    ]


def test_the_view_definition_is_the_one_of_the_day_of_reading(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.platforms.youtube_stage.NOW", datetime(2026, 8, 26, tzinfo=UTC))
    stage.answers(
        channels=lambda asked: (200, channels(channel(CHANNEL_ID))),
        stats=lambda asked: (200, payload("stats")),
    )
    reading = stage.read_one(
        external_id=CHANNEL_ID, depth=Depth.CHEAP, known_posts=3, due_posts=("Protobuf000",)
    )
    assert isinstance(reading, Reading)
    assert {post.view_definition for post in reading.posts} == {"youtube.views"}
