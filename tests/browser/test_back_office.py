"""The back office's list of accounts changes by itself while it is looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from socials import connections
from socials.models import Connection
from talent.models import Talent, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_state_that_changes_is_shown_without_a_reload(
    open_page: Callable[..., Page], alice: User, jane: Talent
) -> None:
    connections.connect(jane, "INSTAGRAM", handle="janesmith")
    page = open_page(alice)
    page.clock.install()
    page.goto("/admin/socials/connection/")
    state = page.locator(".field-state .pill")
    expect(state).to_have_text("Pending")
    Connection.objects.update(sync_status="READY", next_attempt_at=None)
    page.clock.fast_forward(10_100)
    expect(state).to_have_text("Connected")
