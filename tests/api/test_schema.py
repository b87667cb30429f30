"""The API's description of itself: valid, complete, and readable in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from rest_framework.test import APIClient

from talent.api.schema import openapi
from talent.models import User
from tests.api.test_roles import MATRIX

DESCRIBING = {"schema", "docs"}


@pytest.fixture
def document(viewer: APIClient) -> dict[str, Any]:
    return dict(viewer.get("/api/schema").json())


def plain(address: str) -> str:
    """A route as the document writes it."""
    path = re.sub(r"<\w+:\w+>", "{id}", "/api/" + address, count=1)
    return path.replace("<int:delivery_id>", "{deliveryId}")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_the_document_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    openapi.cache_clear()
    openapi()
    assert capsys.readouterr().err == ""


def test_every_address_and_method_is_described(document: dict[str, Any]) -> None:
    described = {(path, method) for path, method, _ in operations(document)}
    offered = {
        (plain(address), method)
        for address, methods in MATRIX.items()
        if address not in DESCRIBING
        for method in methods
    }
    assert described == offered


def test_every_operation_names_its_errors_with_an_example(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        answers = operation["responses"]
        assert {"401", "403", "429", "500", "503"} <= set(answers), (method, path)
        if "{id}" in path:
            assert "404" in answers, (method, path)
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= set(answers), (method, path)
        for status, answer in answers.items():
            assert answer["description"] or status.startswith("2"), (method, path, status)
            if status >= "400":
                assert answer["content"]["application/json"]["examples"], (method, path, status)


def test_every_example_is_true_to_its_schema(document: dict[str, Any]) -> None:
    shown = 0
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json", {})
            for example in content.get("examples", {}).values():
                whole = {**content["schema"], "components": document["components"]}
                errors = [
                    error.message
                    for error in Draft202012Validator(whole).iter_errors(example["value"])
                ]
                assert errors == [], (method, path, status)
                shown += int(status < "400")
            assert status in {"204", "304"} or content.get("examples"), (method, path, status)
    assert shown > 30


def test_every_field_that_goes_out_is_always_there(document: dict[str, Any]) -> None:
    optional = {"Quality": {"likes", "views"}, "PageFacts": {"count"}}
    optional |= {name: {"details"} for name in ("Error400", "Error400InvalidState")}
    schemas = document["components"]["schemas"]
    bodies = str([operation.get("requestBody") for _, _, operation in operations(document)])
    bodies += str([schema for name, schema in schemas.items() if name in bodies])
    for name, schema in schemas.items():
        if name in bodies or "properties" not in schema:
            continue
        missing = set(schema["properties"]) - set(schema["required"]) - optional.get(name, set())
        assert missing <= {"message"}, (name, missing)


def test_the_page_tells_every_operation_and_loads_nothing_from_elsewhere(
    document: dict[str, Any], victor: User
) -> None:
    browser = Client()
    browser.force_login(victor, backend="talent.backends.RoleBackend")
    answer = browser.get("/api/docs")
    page = answer.content.decode()
    assert answer.status_code == 200
    for path, _, operation in operations(document):
        assert path in page
        assert f'id="{operation["operationId"]}"' in page
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert "<style" not in page
    assert " style=" not in page
    assert not re.findall(r"<script(?![^>]*src=)", page)


@pytest.mark.django_db
def test_a_browser_that_is_not_signed_in_is_led_to_sign_in() -> None:
    answer = Client().get("/api/docs", HTTP_ACCEPT="text/html,*/*")
    assert answer.status_code == 302
    assert answer["Location"] == "/login?next=/api/docs"
