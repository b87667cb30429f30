"""Every refusal is the same envelope, whatever went wrong and wherever."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from socials.api import rows
from talent.models import Talent

TALENT = "/api/admin/talent"


def assert_envelope(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].startswith("application/json")
    told: dict[str, Any] = json.loads(answer.content)
    assert told["success"] is False
    assert told["error"] == code
    assert told["message"]
    assert b"Traceback" not in answer.content
    return told


@pytest.mark.parametrize(
    "url",
    [
        "/api", "/api/", "/api/nothing", "/api/admin/talent/", "/api/admin/talent/abc",
        "/api/admin/socials/1/nothing", "/api/admin/talent/1.json", "/api/%ff", "/api/" + "x" * 2000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.django_db
def test_an_unknown_address_is_a_json_404(
    manager: APIClient, settings: Any, url: str, debug: bool
) -> None:
    settings.DEBUG = debug
    assert_envelope(manager.get(url), 404, "NOT_FOUND")
    assert_envelope(manager.post(url, {}, format="json"), 404, "NOT_FOUND")


@pytest.mark.parametrize("pk", ["987654", "0", "9" * 18, "9" * 19, "9" * 40, "9" * 5000])
def test_an_id_that_nothing_has_is_404(manager: APIClient, pk: str) -> None:
    for url in (
        f"{TALENT}/{pk}",
        f"{TALENT}/{pk}/social-connections",
        f"/api/admin/socials/{pk}",
        f"/api/admin/socials/{pk}/posts",
        f"/api/admin/socials/{pk}/history",
        f"/api/admin/socials/{pk}/runs",
    ):
        assert_envelope(manager.get(url), 404, "NOT_FOUND")
    assert_envelope(manager.delete(f"{TALENT}/{pk}"), 404, "NOT_FOUND")
    assert_envelope(manager.patch(f"{TALENT}/{pk}", {}, format="json"), 404, "NOT_FOUND")
    assert_envelope(manager.post(f"/api/admin/socials/{pk}/sync"), 404, "NOT_FOUND")


def test_a_wrong_method_is_405_and_says_which_are_right(viewer: APIClient) -> None:
    answer = viewer.put(TALENT, {}, format="json")
    assert_envelope(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer["Allow"] == "GET, HEAD, POST"
    for method in ("OPTIONS", "TRACE", "PROPFIND"):
        assert_envelope(viewer.generic(method, TALENT), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "line 1, column 2"),
        (b"", "like Jane Smith"),
        (b'{"name": NaN}', "UTF-8"),
        (b'{"name": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "deeply"),
        (b"null", "JSON object"),
        (b'"name"', "JSON object"),
        (b'{"name": "Jane", "name": "Eve"}', "given twice"),
        (b'{"n": ' + b"9" * 5000 + b"}", "JSON"),
    ],
)
def test_a_body_that_is_not_a_json_object_is_400(
    manager: APIClient, body: bytes, says: str
) -> None:
    answer = manager.generic("POST", TALENT, body, content_type="application/json")
    told = assert_envelope(answer, 400, "VALIDATION_ERROR")
    assert says in json.dumps(told["details"])


def test_a_body_of_very_many_keys_is_looked_through_at_once(manager: APIClient) -> None:
    keys = [f'"{number:x}":0' for number in range(100_000)]
    body = "{" + ",".join([*keys, keys[-1]]) + "}"
    began = time.process_time()
    answer = manager.generic("POST", "/api/socials/oauth/callback", body, "application/json")
    assert time.process_time() - began < 5  # counted key by key it takes minutes
    told = assert_envelope(answer, 400, "VALIDATION_ERROR")
    assert told["details"] == {"body": ['The key "1869f" is given twice.']}


@pytest.mark.parametrize(
    ("path", "field", "item"),
    [
        (TALENT, "tags", 0),
        ("/api/admin/webhooks", "events", "x"),
        ("/api/admin/batches", "talentIds", "x"),
    ],
)
def test_a_list_that_is_far_too_long_is_refused_in_one_line(
    manager: APIClient, path: str, field: str, item: object
) -> None:
    answer = manager.post(path, {field: [item] * 11_000}, format="json")
    told = assert_envelope(answer, 400, "VALIDATION_ERROR")["details"]
    assert "no more than" in told[field][0]
    assert len(answer.content) < 1_000


def test_of_very_many_unknown_fields_some_are_named(manager: APIClient) -> None:
    answer = manager.post(TALENT, {f"x{n}": n for n in range(3_000)}, format="json")
    told = assert_envelope(answer, 400, "VALIDATION_ERROR")["details"]
    assert {"name", "x0"} <= set(told)
    assert len(told) < 30


def test_a_lone_surrogate_is_refused_by_its_field(manager: APIClient) -> None:
    body = b'{"name": "J\\ud800"}'
    answer = manager.generic("POST", TALENT, body, content_type="application/json")
    assert assert_envelope(answer, 400, "VALIDATION_ERROR")["details"]["name"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "image/png"])
def test_a_body_that_is_not_json_is_415(manager: APIClient, kind: str) -> None:
    answer = manager.generic("POST", TALENT, b"name=Jane", content_type=kind)
    assert_envelope(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["application/json; charset=zip", "application/json;charset=x"])
def test_a_charset_changes_nothing(manager: APIClient, kind: str) -> None:
    answer = manager.generic("POST", TALENT, '{"name": "Zoë"}'.encode(), content_type=kind)
    assert answer.status_code == 201
    assert answer.json()["data"]["name"] == "Zoë"


def test_a_body_that_is_too_large_is_413(manager: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = manager.post(TALENT, {"name": "Jane", "bio": "x" * 1000}, format="json")
    assert_envelope(answer, 413, "PAYLOAD_TOO_LARGE")
    assert not Talent.objects.exists()


def test_a_chunked_body_is_refused_in_words(manager: APIClient) -> None:
    answer = manager.post(TALENT, {}, format="json", HTTP_TRANSFER_ENCODING="chunked")
    assert "Content-Length" in assert_envelope(answer, 400, "VALIDATION_ERROR")["message"]


def test_whatever_a_client_accepts_it_gets_json(viewer: APIClient) -> None:
    answer = viewer.get(TALENT, HTTP_ACCEPT="text/html")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("debug", [True, False])
def test_an_unforeseen_failure_is_a_500_with_a_request_id_and_no_traceback(
    viewer: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    def break_down(*_: Any) -> None:
        raise RuntimeError("canary-secret")

    settings.DEBUG = debug
    monkeypatch.setattr(rows, "version_of", break_down)
    answer = viewer.get("/api/admin/socials/1")
    told = assert_envelope(answer, 500, "INTERNAL_ERROR")
    assert told["requestId"] == answer["X-Request-ID"]
    assert b"canary-secret" not in answer.content


def test_a_failure_outside_the_views_is_json_too(
    viewer: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any) -> None:
        raise RuntimeError("canary-secret")

    settings.DEBUG = True
    viewer.raise_request_exception = False
    monkeypatch.setattr("django.middleware.csrf.CsrfViewMiddleware.process_view", break_down)
    answer = viewer.get(TALENT)
    assert_envelope(answer, 500, "INTERNAL_ERROR")
    assert b"canary-secret" not in answer.content


@pytest.mark.django_db
def test_a_foreign_host_is_a_json_400(settings: Any) -> None:
    settings.DEBUG = True
    assert_envelope(Client().get(TALENT, HTTP_HOST="evil.example"), 400, "VALIDATION_ERROR")


def test_a_database_that_is_away_is_503(viewer: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(rows, "version_of", away)
    answer = viewer.get("/api/admin/socials/1")
    assert_envelope(answer, 503, "UNAVAILABLE")
    assert answer["Retry-After"] == "5"


def test_too_many_requests_are_429_with_the_time_to_wait(viewer: APIClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    statuses = [viewer.get(TALENT).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    answer = viewer.get(TALENT)
    assert_envelope(answer, 429, "RATE_LIMITED")
    assert 1 <= int(answer["Retry-After"]) <= 20


@pytest.mark.django_db
def test_wrong_tokens_are_counted_by_address(api: APIClient, settings: Any) -> None:
    settings.API_ANONYMOUS_REQUESTS_PER_MINUTE = 2
    api.credentials(HTTP_AUTHORIZATION="Bearer wrong")
    statuses = [api.get(TALENT).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
    assert api.get(TALENT, HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 429


def test_answers_are_not_kept_by_caches(viewer: APIClient) -> None:
    assert viewer.get(TALENT)["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("url", ["/api/nothing", "/api/admin/talent/"])
def test_an_unknown_address_is_404_whatever_is_sent_to_it(method: str, url: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert_envelope(getattr(strict, method)(url), 404, "NOT_FOUND")
