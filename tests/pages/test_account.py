"""One's own keys to the API, made and revoked on a page."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from rest_framework.test import APIClient

from talent.models import Activity, ApiToken, User


def made(browser: Client, name: str = "Weekly report", days: str = "90") -> str:
    """The token that the page shows."""
    page = browser.post("/account", {"name": name, "days": days}).content.decode()
    found = re.search(r'value="(grn_[\w-]+)"', page)
    assert found, page
    return found[1]


def asks(secret: str) -> int:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client.get("/api/admin/queue-stats").status_code


def test_a_token_is_shown_once_works_and_ends_when_it_is_revoked(
    alice_browser: Client, alice: User
) -> None:
    secret = made(alice_browser)
    assert asks(secret) == 200
    again = alice_browser.get("/account").content.decode()
    assert "Weekly report" in again
    assert secret not in again
    token = ApiToken.objects.get()
    assert token.expires_at
    assert alice_browser.post(f"/account/tokens/{token.pk}/revoke").status_code == 302
    assert asks(secret) == 401
    assert "No longer open" in alice_browser.get("/account").content.decode()
    actions = Activity.objects.filter(actor_id=alice.pk).values_list("action", flat=True)
    assert list(actions.order_by("pk")) == ["token.issued", "token.revoked"]
    assert secret not in str(list(Activity.objects.values()))


def test_everybody_finds_where_the_password_is_changed(
    victor: User, victor_browser: Client
) -> None:
    assert 'href="/admin/password_change/"' in victor_browser.get("/account").content.decode()
    victor.set_password("the old and long one")
    victor.save()
    elsewhere = Client()
    for browser in (victor_browser, elsewhere):
        browser.force_login(victor, backend="talent.backends.RoleBackend")
    wanted = {"new_password1": "another-1-entirely", "new_password2": "another-1-entirely"}
    victor_browser.post(
        "/admin/password_change/", {"old_password": "the old and long one", **wanted}
    )
    assert victor_browser.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302


def test_a_viewer_makes_a_token_that_can_do_what_she_can(victor_browser: Client) -> None:
    secret = made(victor_browser, days="")
    assert ApiToken.objects.get().expires_at is None
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get("/api/admin/talent").status_code == 200
    assert client.post("/api/admin/talent", {"name": "X"}, format="json").status_code == 403


def test_the_token_of_somebody_else_is_neither_shown_nor_revoked(
    alice_browser: Client, victor_browser: Client
) -> None:
    secret = made(alice_browser, "Alice's own")
    token = ApiToken.objects.get()
    assert "Alice&#x27;s own" not in victor_browser.get("/account").content.decode()
    victor_browser.post(f"/account/tokens/{token.pk}/revoke")
    assert asks(secret) == 200


def test_a_token_needs_a_name_and_there_is_an_end_to_them(alice_browser: Client) -> None:
    answer = alice_browser.post("/account", {"name": "  ", "days": "90"})
    assert answer.status_code == 422
    assert "like Weekly report" in answer.content.decode()
    for number in range(20):
        made(alice_browser, f"Token {number}")
    answer = alice_browser.post("/account", {"name": "One more", "days": "30"})
    assert answer.status_code == 422
    assert "Revoke one" in answer.content.decode()


def test_the_page_is_for_staff_and_a_foreign_form_does_nothing(
    tilda_browser: Client, alice: User
) -> None:
    assert tilda_browser.get("/account").status_code == 403
    assert Client().get("/account").status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice, backend="talent.backends.RoleBackend")
    assert strict.post("/account", {"name": "Evil"}).status_code == 403
    assert not ApiToken.objects.exists()


@pytest.mark.django_db
def test_revoking_is_a_post(alice_browser: Client) -> None:
    made(alice_browser)
    token = ApiToken.objects.get()
    assert alice_browser.get(f"/account/tokens/{token.pk}/revoke").status_code == 405


def test_a_superuser_sees_everybodys_tokens_and_revokes_them(
    alice_browser: Client, victor_browser: Client, ruth: User
) -> None:
    secrets = [made(alice_browser, "Weekly report"), made(victor_browser, "Numbers", days="")]
    superuser = Client()
    superuser.force_login(ruth, backend="talent.backends.RoleBackend")
    page = superuser.get("/account/tokens").content.decode()
    assert "Weekly report" in page
    assert "Victor Vane" in page
    assert not [secret for secret in secrets if secret in page]
    first, second = ApiToken.objects.order_by("pk")
    answer = superuser.post(f"/account/tokens/{first.pk}/revoke", {"from": "all"})
    assert answer["Location"] == "/account/tokens"
    chosen = {"action": "revoke", "_selected_action": [second.pk]}
    assert superuser.post("/admin/talent/apitoken/", chosen).status_code == 302
    assert [asks(secret) for secret in secrets] == [401, 401]
    told = Activity.objects.filter(action="token.revoked").values_list("actor_id", "details__user")
    assert list(told.order_by("pk")) == [(ruth.pk, "alice"), (ruth.pk, "victor")]


def test_nobody_else_sees_them(alice_browser: Client) -> None:
    made(alice_browser)
    for address in ("/account/tokens", "/admin/talent/apitoken/"):
        assert alice_browser.get(address).status_code == 403
    assert "apitoken" not in alice_browser.get("/admin/").content.decode()
    assert "Everybody" not in alice_browser.get("/account").content.decode()
