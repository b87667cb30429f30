"""Tokens and sessions: who gets in, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from talent.models import Activity, ApiToken, User

TALENT = "/api/admin/talent"


def token_of(*arguments: str) -> str:
    out = StringIO()
    call_command("create_api_token", *arguments, stdout=out)
    (secret,) = out.getvalue().splitlines()
    return secret


def status_with(secret: str, scheme: str = "Bearer") -> int:
    return APIClient().get(TALENT, HTTP_AUTHORIZATION=f"{scheme} {secret}").status_code


def test_the_command_prints_a_token_that_opens_the_api(alice: User) -> None:
    secret = token_of("alice", "--name", "Reporting", "--days", "30")
    assert status_with(secret) == 200
    assert status_with(secret, "bearer") == 200
    token = ApiToken.objects.get()
    assert token.name == "Reporting"
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    assert token.last_used_at is not None
    assert Activity.objects.get(action="token.issued").object.startswith("Reporting")


def test_the_token_is_kept_nowhere(alice: User) -> None:
    secret = token_of("alice")
    stored = [str(value) for row in ApiToken.objects.values() for value in row.values()]
    stored += [str(row) for row in Activity.objects.values()]
    assert not any(secret in value for value in stored)


@pytest.mark.parametrize("close", ["revoked", "expired", "inactive"])
def test_a_closed_token_opens_nothing(alice: User, close: str) -> None:
    secret = token_of("alice")
    assert status_with(secret) == 200
    if close == "revoked":
        call_command("revoke_api_token", secret, stdout=StringIO())
    elif close == "expired":
        ApiToken.objects.update(expires_at=timezone.now())
    else:
        User.objects.filter(pk=alice.pk).update(is_active=False)
    answer = APIClient().get(TALENT, HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="greenroom"'
    assert answer.json()["error"] == "NOT_AUTHENTICATED"


def test_tokens_are_revoked_by_name_and_others_stay(alice: User) -> None:
    first, second, other = (
        token_of("alice", "--name", "ci"),
        token_of("alice", "--name", "ci"),
        token_of("alice"),
    )
    out = StringIO()
    call_command("revoke_api_token", "ci", stdout=out)
    assert out.getvalue() == "2 tokens revoked.\n"
    assert [status_with(secret) for secret in (first, second, other)] == [401, 401, 200]
    with pytest.raises(CommandError, match="No open token"):
        call_command("revoke_api_token", "ci")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobody"], 'There is no user "nobody". Add --create-staff'),
        (["alice", "--role", "viewer"], "--create-staff"),
        (
            ["alice", "--create-staff", "--role", "viewer"],
            "is there already, with the role manager",
        ),
        (["tilda", "--create-staff"], "is there already, without a staff role"),
        (["alice", "--days", "0"], "--days takes 1 to"),
        (["alice", "--name", ""], "--name takes"),
        (["bad name!", "--create-staff"], "valid username"),
    ],
)
def test_a_refused_command_says_why_and_issues_nothing(
    alice: User, tilda: User, arguments: list[str], says: str
) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("create_api_token", *arguments)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.returncode == 1
    assert not ApiToken.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "writes"), [(None, 201), ("viewer", 403), ("manager", 201), ("superuser", 201)]
)
def test_a_staff_user_can_be_made_with_its_token(role: str | None, writes: int) -> None:
    options = ["--role", role] if role else []
    api = APIClient()
    secret = token_of("robot", "--create-staff", *options)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert api.get(TALENT).status_code == 200
    assert api.post(TALENT, {"name": "Jane"}, format="json").status_code == writes
    robot = User.objects.get(username="robot")
    assert not robot.has_usable_password()
    assert robot.is_superuser is (role == "superuser")
    assert status_with(token_of("robot", "--create-staff", *options)) == 200


@pytest.mark.django_db
def test_a_session_reads_and_needs_the_csrf_token_to_write(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="talent.backends.RoleBackend")
    assert browser.get(TALENT).status_code == 200
    body = {"name": "Jane Smith"}
    refused = browser.post(TALENT, body, content_type="application/json")
    assert refused.status_code == 403
    assert refused.json()["error"] == "PERMISSION_DENIED"
    assert "CSRF" in refused.json()["message"]
    browser.cookies["csrftoken"] = "a" * 32
    allowed = browser.post(
        TALENT, body, content_type="application/json", headers={"X-CSRFToken": "a" * 32}
    )
    assert allowed.status_code == 201


def test_a_wrong_token_is_refused_even_beside_a_session(alice_api: APIClient) -> None:
    assert alice_api.get(TALENT, HTTP_AUTHORIZATION="Bearer wrong").status_code == 401
    assert alice_api.get(TALENT, HTTP_AUTHORIZATION="Basic d3Jvbmc=").status_code == 200


def test_a_poll_a_second_does_not_write_the_time_of_use_each_time(
    client_of: Callable[[User], APIClient], alice: User, django_assert_num_queries: Any
) -> None:
    api = client_of(alice)
    api.get(TALENT)
    used = ApiToken.objects.get().last_used_at
    with django_assert_num_queries(3):
        api.get(TALENT)
    assert ApiToken.objects.get().last_used_at == used
