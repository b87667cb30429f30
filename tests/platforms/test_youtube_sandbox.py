"""The sandbox's YouTube is held to Google's own discovery document and client library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import googleapiclient
import jsonschema
import pytest
import requests
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import HttpRequest

from socials.platforms.kit.sandbox import memory
from socials.platforms.youtube.sandbox.data import API_KEY, token_of
from socials.platforms.youtube.sandbox.ids import channel_id, names
from socials.sandbox import Sandbox

DOCUMENT = json.loads(
    (
        Path(googleapiclient.__file__).parent
        / "discovery_cache" / "documents" / "youtube.v3.json"
    ).read_text()
)  # fmt: skip
JANE = channel_id("janesmith")

pytestmark = pytest.mark.usefixtures("forgetful")


@pytest.fixture(autouse=True)
def one_moment(time_machine: Any) -> None:
    """The sandbox's people grow by the clock: here it stands."""
    time_machine.move_to(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=False)


@pytest.fixture
def forgetful() -> None:
    memory.clear()


@pytest.fixture
def google(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Google's client with the discovery document that it is shipped with."""
    with build(
        "youtube",
        "v3",
        developerKey=API_KEY,
        static_discovery=True,
        client_options={"api_endpoint": f"{sandbox.origin}/youtube/"},
    ) as client:
        yield client


@cache
def schema(name: str) -> dict[str, Any]:
    """A schema of the discovery document as JSON Schema that allows no further field."""

    def strict(node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in node:
            return {"$ref": f"#/$defs/{node['$ref']}"}
        kept: dict[str, Any] = {"type": node["type"]}
        if node["type"] == "object" and "properties" in node:
            kept["properties"] = {n: strict(inner) for n, inner in node["properties"].items()}
            kept["additionalProperties"] = False
        elif node["type"] == "object":
            kept["additionalProperties"] = strict(node["additionalProperties"])
        if node["type"] == "array":
            kept["items"] = strict(node["items"])
        if "enum" in node:
            kept["enum"] = node["enum"]
        if node.get("format") in {"uint64", "int64"} and node["type"] == "string":
            kept["pattern"] = r"^-?\d{1,20}$"
        return kept

    return {
        "$ref": f"#/$defs/{name}",
        "$defs": {name: strict(node) for name, node in DOCUMENT["schemas"].items()},
    }


def valid(request: HttpRequest) -> dict[str, Any]:
    """The answer to Google's client, proven against the schema that its method declares."""
    answer: dict[str, Any] = request.execute()
    # The client knows its method by the id of the discovery document.
    jsonschema.validate(answer, schema(_response_of(request.methodId)))
    return answer


def _response_of(method_id: str) -> str:
    _, resource, method = method_id.split(".")
    return str(DOCUMENT["resources"][resource]["methods"][method]["response"]["$ref"])


def refused(request: HttpRequest) -> HttpError:
    with pytest.raises(HttpError) as told:
        request.execute()
    return told.value


CHANNEL_PARTS = "id,snippet,statistics,contentDetails,status,brandingSettings"


def test_the_document_knows_the_methods_that_we_call() -> None:
    assert int(DOCUMENT["revision"]) >= 20260101
    assert "batchGetStats" in DOCUMENT["resources"]["videos"]["methods"]


@pytest.mark.parametrize(
    "handle",
    ["janesmith", "hidden.helen", "empty.emil", "quietquinn", "renamed.rita", "noimage.nora"],
)
def test_channels_are_answered_by_the_schema(google: Any, handle: str) -> None:
    answer = valid(google.channels().list(part=CHANNEL_PARTS, forHandle=f"@{handle}"))
    assert [item["id"] for item in answer["items"]] == [channel_id(handle)]
    by_id = valid(google.channels().list(part=CHANNEL_PARTS, id=channel_id(handle)))
    assert by_id["items"] == answer["items"]


def test_a_list_of_channels_without_any_has_no_items(google: Any) -> None:
    answer = valid(google.channels().list(part="snippet", forHandle="@nonexistent.nick"))
    assert "items" not in answer
    assert answer["pageInfo"]["totalResults"] == 0


def test_channels_come_five_a_page_unless_more_are_asked_for(google: Any) -> None:
    ids = ",".join(channel_id(f"name{number}") for number in range(12))
    request = google.channels().list(part="id", id=ids)
    sizes = []
    while request is not None:
        answer = valid(request)
        sizes.append(len(answer["items"]))
        request = google.channels().list_next(request, answer)
    assert sizes == [5, 5, 2]
    assert len(valid(google.channels().list(part="id", id=ids, maxResults=50))["items"]) == 12


def test_uploads_are_turned_page_by_page_to_their_end(google: Any) -> None:
    uploads = f"UU{JANE[2:]}"
    request = google.playlistItems().list(
        part="snippet,contentDetails,status", playlistId=uploads, maxResults=50
    )
    seen: list[str] = []
    while request is not None:
        answer = valid(request)
        seen += [item["contentDetails"]["videoId"] for item in answer["items"]]
        request = google.playlistItems().list_next(request, answer)
    assert len(seen) == len(set(seen)) == answer["pageInfo"]["totalResults"]


def test_a_channel_that_never_uploaded_has_no_playlist(google: Any) -> None:
    uploads = f"UU{channel_id('empty.emil')[2:]}"
    error = refused(google.playlistItems().list(part="snippet", playlistId=uploads))
    assert (error.status_code, error.error_details[0]["reason"]) == (404, "playlistNotFound")


def listed(google: Any, handle: str) -> list[str]:
    uploads = f"UU{channel_id(handle)[2:]}"
    answer = google.playlistItems().list(part="contentDetails", playlistId=uploads, maxResults=50)
    return [item["contentDetails"]["videoId"] for item in answer.execute()["items"]]


def test_videos_and_their_numbers_agree(google: Any) -> None:
    ids = ",".join(listed(google, "janesmith"))
    videos = valid(google.videos().list(part="id,snippet,statistics,contentDetails,status", id=ids))
    stats = valid(
        google.videos().batchGetStats(part="id,snippet,statistics,contentDetails", id=ids)
    )
    by_id = {item["id"]: item for item in stats["items"]}
    assert by_id.keys() == {item["id"] for item in videos["items"]}
    for item in videos["items"]:
        told = {k: v for k, v in item["statistics"].items() if k != "favoriteCount"}
        assert by_id[item["id"]]["statistics"] == told
        assert by_id[item["id"]]["contentDetails"]["duration"].endswith("s")


def test_deleted_and_unknown_videos_are_left_out(google: Any) -> None:
    ids = listed(google, "janesmith")
    answer = valid(google.videos().list(part="id", id=",".join([*ids[:8], "unknownvide"])))
    assert len(answer["items"]) == 7
    assert valid(google.videos().list(part="id", id="unknownvide"))["items"] == []


def test_some_hide_likes_and_some_have_comments_off(google: Any) -> None:
    videos = google.videos().list(part="statistics", id=",".join(listed(google, "janesmith")))
    numbers = [item["statistics"] for item in valid(videos)["items"]]
    assert any("likeCount" not in told for told in numbers)
    assert any("commentCount" not in told for told in numbers)
    quiet = google.videos().list(part="statistics", id=",".join(listed(google, "quietquinn")))
    assert not any("commentCount" in item["statistics"] for item in valid(quiet)["items"])


def test_numbers_grow_and_never_fall(google: Any, time_machine: Any) -> None:
    before = google.channels().list(part="statistics", id=JANE).execute()["items"][0]["statistics"]
    time_machine.move_to(datetime.now(UTC) + timedelta(days=30))
    after = google.channels().list(part="statistics", id=JANE).execute()["items"][0]["statistics"]
    for name in ("viewCount", "subscriberCount", "videoCount"):
        assert int(after[name]) >= int(before[name])
    assert int(after["videoCount"]) > int(before["videoCount"])


def test_a_sandbox_that_is_started_anew_knows_the_same_channels(google: Any) -> None:
    before = google.channels().list(part="snippet", id=JANE).execute()
    names._names.clear()
    assert google.channels().list(part="snippet", id=JANE).execute() == before


def test_who_granted_a_token_is_told_by_mine(sandbox: Sandbox) -> None:
    reply = ask(sandbox, "channels", token="ok", part="id", mine="true")
    assert reply.json()["items"][0]["id"] == channel_id("janesmith")


# --- refusals ------------------------------------------------------------------------------------


def ask(sandbox: Sandbox, method: str, *, token: str = "", **parameters: str) -> requests.Response:
    url = f"{sandbox.origin}/youtube/youtube/v3/{method}"
    headers = {"Authorization": f"Bearer {token_of('janesmith')}"} if token else {}
    if not token:
        parameters = {"key": API_KEY, **parameters}
    return requests.get(f"{url}?{urlencode(parameters)}", headers=headers, timeout=5)


FIFTY_ONE = ",".join(f"video{number:06d}" for number in range(51))


@pytest.mark.parametrize(
    ("method", "parameters", "status", "reason"),
    [
        ("channels", {"part": "id", "forHandle": "@a", "key": "wrong"}, 400, "badRequest"),
        ("channels", {"part": "id", "forHandle": "@a", "key": ""}, 403, "forbidden"),
        ("channels", {"forHandle": "@a"}, 400, "missingRequiredParameter"),
        ("channels", {"part": "id"}, 400, "missingRequiredParameter"),
        ("channels", {"part": "id", "id": JANE, "forHandle": "@a"}, 400, "incompatibleParameters"),
        ("channels", {"part": "id,everything", "id": JANE}, 400, "unknownPart"),
        ("channels", {"part": "id", "id": JANE, "handle": "a"}, 400, "invalid"),
        ("channels", {"part": "id", "id": JANE, "maxResults": "51"}, 400, "invalidParameter"),
        ("channels", {"part": "id", "id": FIFTY_ONE}, 400, "invalidFilters"),
        ("channels", {"part": "id", "mine": "true"}, 401, "required"),
        ("playlistItems", {"part": "id"}, 400, "missingRequiredParameter"),
        ("playlistItems", {"part": "id", "playlistId": f"UU{JANE[2:]}", "pageToken": "x"}, 400, "invalidPageToken"),
        ("playlistItems", {"part": "id", "playlistId": "PLother"}, 404, "playlistNotFound"),
        ("videos", {"part": "id", "id": FIFTY_ONE}, 400, "invalidFilters"),
        ("videos", {"part": "id", "id": "a", "maxResults": "50"}, 400, "incompatibleParameters"),
        ("videos:batchGetStats", {"part": "id", "id": FIFTY_ONE}, 400, "invalidFilters"),
        ("videos:batchGetStats", {"part": "id,status", "id": "a"}, 400, "unknownPart"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_refused_in_googles_words(
    sandbox: Sandbox, method: str, parameters: dict[str, str], status: int, reason: str
) -> None:
    reply = ask(sandbox, method, **parameters)
    assert reply.status_code == status
    assert reply.json()["error"]["errors"][0]["reason"] == reason


@pytest.mark.parametrize("path", ["search", "channels/", "../v2/channels", "videos%3AbatchGetStat"])
def test_an_unknown_address_is_a_page(sandbox: Sandbox, path: str) -> None:
    reply = ask(sandbox, path, part="id", id=JANE)
    assert (reply.status_code, reply.headers["Content-Type"][:9]) == (404, "text/html")


def test_only_get_is_answered(sandbox: Sandbox) -> None:
    url = f"{sandbox.origin}/youtube/youtube/v3/channels?part=id&id={JANE}&key={API_KEY}"
    assert requests.post(url, timeout=5).status_code == 404


def test_an_expired_token_is_refused(sandbox: Sandbox) -> None:
    reply = requests.get(
        f"{sandbox.origin}/youtube/youtube/v3/channels?part=id&mine=true",
        headers={"Authorization": f"Bearer {token_of('expired.eve')}"},
        timeout=5,
    )
    assert reply.status_code == 401
    assert reply.json()["error"]["errors"][0]["reason"] == "authError"


def test_a_limit_is_told_with_its_end(google: Any) -> None:
    error = refused(google.channels().list(part="id", forHandle="@ratelimited.rob"))
    assert (error.status_code, error.resp["retry-after"]) == (429, "30")
    assert error.error_details[0]["reason"] == "RATE_LIMIT_EXCEEDED"


def test_an_outage_is_an_outage_for_googles_client_too(google: Any) -> None:
    assert refused(google.channels().list(part="id", forHandle="@down.dora")).status_code == 503
