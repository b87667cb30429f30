"""Several tabs or browsers with one link at the same moment: each gets a true answer, one account."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.test import Client

from socials.models import Connection, Grant, Invite, PendingGrant, Revocation
from talent import roster
from talent.models import Activity, Talent, User
from tests.conftest import at_once
from tests.socials.oauth_stage import go, invited

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("platform_settings"),
]


@pytest.fixture
def link(jane: Talent, alice: User, platform_settings: Any) -> Invite:
    return invited(jane, by=alice)


def tab_of(client: Client) -> Client:
    """Another tab of the same browser."""
    tab = Client(raise_request_exception=False)
    tab.cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
    return tab


def test_a_yes_in_four_tabs_at_once_connects_once(client: Client, link: Invite) -> None:
    page = go(client, "tiktok", link)
    question = page.redirect_chain[-1][0]
    tabs = [tab_of(client) for _ in range(4)]
    answers = at_once(
        *(lambda tab=tab: tab.post(question, {"answer": "yes"}) for tab in tabs)  # type: ignore[misc]
    )
    # A tab that looks between the answer and its note in the browser is told that it was answered.
    assert {answer.status_code for answer in answers} <= {302, 410}
    led = {answer["Location"] for answer in answers if answer.status_code == 302}
    assert led == {f"/connect/{link.token}"}
    assert (Connection.objects.count(), Grant.objects.count()) == (1, 1)
    assert not PendingGrant.objects.exists()
    assert not Revocation.objects.exists()
    assert Connection.objects.get().sync_version == 1
    assert Activity.objects.filter(action="grant.given").count() == 1


def test_two_browsers_that_connect_one_account_at_once_end_with_one(link: Invite) -> None:
    browsers = [Client(raise_request_exception=False) for _ in range(2)]
    questions = [go(browser, "tiktok", link).redirect_chain[-1][0] for browser in browsers]
    answers = at_once(
        *(
            lambda b=browser, q=question: b.post(q, {"answer": "yes"})  # type: ignore[misc]
            for browser, question in zip(browsers, questions, strict=True)
        )
    )
    assert all(answer.status_code < 500 for answer in answers)
    assert (Connection.objects.count(), Grant.objects.count()) == (1, 1)


def test_a_yes_and_a_no_at_once_leave_no_half(client: Client, link: Invite) -> None:
    page = go(client, "tiktok", link)
    question = page.redirect_chain[-1][0]
    yes, no = tab_of(client), tab_of(client)
    answers = at_once(
        lambda: yes.post(question, {"answer": "yes"}), lambda: no.post(question, {"answer": "no"})
    )
    assert all(answer.status_code < 500 for answer in answers)
    assert Connection.objects.count() == Grant.objects.count()
    assert Revocation.objects.count() == 1 - Grant.objects.count()


def test_a_yes_while_the_talent_is_deleted_leaves_nothing(
    client: Client, link: Invite, jane: Talent, alice: User
) -> None:
    page = go(client, "tiktok", link)
    question = page.redirect_chain[-1][0]
    tab = tab_of(client)
    answers = at_once(
        lambda: tab.post(question, {"answer": "yes"}),
        lambda: roster.delete(jane.pk, actor=alice),
    )
    assert answers[0].status_code < 500
    assert not Talent.objects.filter(pk=jane.pk).exists()
    assert not Grant.objects.exists()
    assert Revocation.objects.count() == 1


def test_a_talent_who_is_deleted_before_her_yes_has_the_permission_given_back(
    client: Client, link: Invite, jane: Talent, alice: User
) -> None:
    go(client, "tiktok", link)
    roster.delete(jane.pk, actor=alice)
    assert not PendingGrant.objects.exists()
    assert Revocation.objects.count() == 1
