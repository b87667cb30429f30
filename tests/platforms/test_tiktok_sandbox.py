"""Our TikTok sandbox refuses what TikTok refuses."""

from __future__ import annotations

from typing import Any

import pytest

from scraping.http import Http, Limits, Reply
from socials.platforms.tiktok.sandbox.tokens import access_token
from socials.sandbox import Sandbox

GOOD = {"fields": "id,create_time"}


def call(sandbox: Sandbox, method: str, path: str, token: str = "", **options: Any) -> Reply:
    headers = {"Authorization": f"Bearer {token or access_token('jane')}"}
    return Http(Limits.within(5)).request(
        method, f"{sandbox.origin}/tiktok{path}", headers=headers, **options
    )


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/v2/user/info/", {}, 400, "invalid_params"),
        ("GET", "/v2/user/info/", {"params": {"fields": "shoe_size"}}, 400, "invalid_params"),
        ("POST", "/v2/video/list/", {"json": {}}, 400, "invalid_params"),
        ("POST", "/v2/video/list/", {"params": GOOD}, 400, "invalid_params"),
        ("POST", "/v2/video/list/", {"params": GOOD, "json": {"max_count": 21}}, 400, "invalid_params"),
        ("POST", "/v2/video/list/", {"params": GOOD, "json": {"max_count": "20"}}, 400, "invalid_params"),
        ("POST", "/v2/video/list/", {"params": GOOD, "json": {"cursor": "1"}}, 400, "invalid_params"),
        ("POST", "/v2/video/list/", {"params": GOOD, "data": {"max_count": "5"}}, 400, "invalid_params"),
        ("POST", "/v2/video/query/", {"params": GOOD, "json": {"filters": {"video_ids": ["1"] * 21}}}, 400, "invalid_params"),
        ("POST", "/v2/video/query/", {"params": GOOD, "json": {"filters": {"video_ids": [1]}}}, 400, "invalid_params"),
        ("POST", "/v2/video/query/", {"params": GOOD, "json": {}}, 400, "invalid_params"),
    ],
)  # fmt: skip
def test_a_request_against_the_documentation_is_refused(
    method: str, path: str, options: dict[str, Any], status: int, code: str, sandbox: Sandbox
) -> None:
    reply = call(sandbox, method, path, **options)
    assert (reply.status, reply.json()["error"]["code"]) == (status, code)
    assert "data" not in reply.json()


def test_a_path_without_its_last_slash_is_not_there(sandbox: Sandbox) -> None:
    assert call(sandbox, "GET", "/v2/user/info", params={"fields": "open_id"}).status == 404


def test_a_method_that_is_not_the_paths_is_refused(sandbox: Sandbox) -> None:
    assert call(sandbox, "GET", "/v2/video/list/", params=GOOD).status == 405


@pytest.mark.parametrize(
    "token",
    ["nonsense", access_token("jane", seconds=-1), access_token("expired1")],
    ids=["nonsense", "late", "refused"],
)
def test_a_token_that_is_no_good_is_refused(token: str, sandbox: Sandbox) -> None:
    reply = call(sandbox, "GET", "/v2/user/info/", token, params={"fields": "open_id"})
    assert (reply.status, reply.json()["error"]["code"]) == (401, "access_token_invalid")


def test_a_field_whose_scope_is_missing_fails_the_whole_call(sandbox: Sandbox) -> None:
    token = access_token("jane", scopes="b")
    reply = call(
        sandbox, "GET", "/v2/user/info/", token, params={"fields": "open_id,follower_count"}
    )
    assert (reply.status, reply.json()["error"]["code"]) == (401, "scope_not_authorized")
    reply = call(sandbox, "POST", "/v2/video/list/", token, params=GOOD, json={})
    assert reply.json()["error"]["code"] == "scope_not_authorized"


def test_only_the_fields_that_were_asked_for_are_told(sandbox: Sandbox) -> None:
    user = call(sandbox, "GET", "/v2/user/info/", params={"fields": "open_id,username"}).json()
    assert set(user["data"]["user"]) == {"open_id", "username"}
    videos = call(sandbox, "POST", "/v2/video/list/", params=GOOD, json={}).json()["data"]
    assert len(videos["videos"]) == 10
    assert set(videos["videos"][0]) == {"id", "create_time"}


def test_any_time_may_be_the_cursor(sandbox: Sandbox) -> None:
    body = {"cursor": 1_772_000_000_000, "max_count": 5}
    videos = call(sandbox, "POST", "/v2/video/list/", params=GOOD, json=body).json()["data"]
    assert all(video["create_time"] < 1_772_000_000 for video in videos["videos"])
    assert videos["cursor"] == videos["videos"][-1]["create_time"] * 1000
