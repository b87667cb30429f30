"""What an attacker tries at every page at once: forged forms, hostile names, senseless values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client

from socials import invites, kits
from socials.models import Connection, Delivery, Profile, SyncRun, Webhook
from talent.activity import record
from talent.models import ApiToken, CreatorProfile, Talent, User
from tests.api.conftest import a_post
from tests.conftest import ROOT
from tests.pages.conftest import account
from tests.pages.test_roles import BACK_OFFICE, DOORS, MATRIX, PAGES, addresses, stage, url_of

__all__ = ["account", "stage"]

Stage = tuple[dict[str, int], dict[str, Any]]
OF_PLATFORMS = {"callback-youtube", "meta-deauthorize", "meta-data-deletion", "tiktok-webhook"}
WITHOUT_FACTS = {"admin:jsi18n", "admin:password_change", "admin:password_change_done"}
SCRIPT = "<script>alert(1)</script>"
EVIL = f"Eve'\"><img src=x onerror=alert(1)>{SCRIPT}{{{{7*7}}}}"
LINK = "javascript:alert(1)//"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def ruth_browser(ruth: User) -> Client:
    browser = Client()
    browser.force_login(ruth, backend="talent.backends.RoleBackend")
    return browser


@pytest.fixture
def hostile(
    stage: Stage, jane: Talent, alice: User, platform_settings: dict[str, str]
) -> Stage:  # fmt: skip
    """A stage on which every name, caption and address is an attack."""
    row = Connection.objects.get(pk=stage[1]["connection_id"])
    Talent.objects.update(name=EVIL, bio=EVIL, tags=[EVIL], location=EVIL[:100])
    User.objects.update(first_name=EVIL, last_name=SCRIPT, avatar_url=LINK)
    told = {"display_name": EVIL, "bio": EVIL, "avatar_url": LINK}
    Profile.objects.update(**told)
    CreatorProfile.objects.update(**told, tiktok_handle=EVIL)
    SyncRun.objects.update(message=EVIL, source=SCRIPT)
    Webhook.objects.update(description=EVIL, disabled_reason=EVIL)
    Delivery.objects.update(answer=EVIL, payload={"data": EVIL})
    ApiToken.objects.update(name=EVIL)
    # Addresses of posts and accounts are kept only as https: what stands in them may be hostile.
    within = f"https://x.example/{EVIL}"
    a_post(row, 1, caption=EVIL, url=within, thumbnail_url=within).save()
    Connection.objects.update(handle=EVIL, profile_url=within, sync_error=EVIL)
    alice.refresh_from_db()
    jane.refresh_from_db()
    changes = {"changes": {"name": [EVIL, EVIL]}}
    record("talent.updated", actor=alice, talent_id=jane.pk, object=EVIL, details=changes)
    record("webhook.added", actor=alice, talent_id=jane.pk, object=EVIL)
    invites.create(jane, wanted=["INSTAGRAM"], actor=alice)
    stage[1]["token"] = kits.create(jane, actor=alice).token
    return stage


def visited(browser: Client, stage: Stage, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for name, pattern in addresses():
        if name in names:
            yield name, browser.get(url_of(name, pattern, stage))


def test_no_form_is_taken_from_another_site(stage: Stage, ruth: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ruth, backend="talent.backends.RoleBackend")
    taken = set()
    for name, pattern in addresses():
        if name in MATRIX:
            with transaction.atomic():
                answer = browser.post(url_of(name, pattern, stage))
                transaction.set_rollback(True)
            if answer.status_code != 403:
                taken.add(name)
    assert taken == OF_PLATFORMS


def test_no_name_caption_or_address_becomes_markup(hostile: Stage, ruth_browser: Client) -> None:
    told = 0
    for name, answer in visited(ruth_browser, hostile, MATRIX):
        if answer.status_code == 200 and "html" in answer["Content-Type"]:
            page = answer.content.decode()
            assert SCRIPT not in page, name
            assert "<img src=x" not in page, name
            assert "Eve49" not in page, name
            assert not re.search(r"""(?:href|src|action)\s*=\s*["']?\s*javascript:""", page), name
            told += "alert(1)" in page
    assert told > 20


def test_nothing_that_staff_see_is_kept(stage: Stage, ruth_browser: Client) -> None:
    kept = {
        name
        for name, answer in visited(ruth_browser, stage, {**PAGES, **BACK_OFFICE})
        if answer.status_code == 200 and "no-store" not in answer.get("Cache-Control", "")
    }
    assert kept == WITHOUT_FACTS


SENSELESS = ("\x00", "9" * 40, "-1", b"\xed\xa0\x80", "é" * 500, "1e400", "")


def fields(method: str, first: int) -> str:
    """Every field that any page reads, each with a senseless value."""
    text = "".join(path.read_text() for path in sorted(ROOT.glob("*/pages/*.py")))
    names = sorted(set(re.findall(rf'{method}(?:\.get(?:list)?\(|\[)"(\w+)"', text)))
    assert len(names) > 10
    pairs = ((name, SENSELESS[(first + n) % len(SENSELESS)]) for n, name in enumerate(names))
    return "&".join(f"{name}={quote(value)}" for name, value in pairs)


@pytest.mark.parametrize("first", range(3))
def test_a_senseless_value_is_never_our_failure(
    stage: Stage, ruth_browser: Client, first: int
) -> None:
    query, form = fields("GET", first), fields("POST", first)
    for name, pattern in addresses():
        if name in {**PAGES, **DOORS}:
            address = f"{url_of(name, pattern, stage)}?{query}"
            for method in ("GET", "POST"):
                with transaction.atomic():
                    answer = ruth_browser.generic(method, address, form, content_type=FORM)
                    transaction.set_rollback(True)
                assert answer.status_code < 500, f"{method} {name}"


def test_an_id_beyond_every_number_is_not_found(stage: Stage, ruth_browser: Client) -> None:
    ids = {name: 10**30 for name in stage[1] if name.endswith("_id")}
    huge = stage[0], {**stage[1], **ids}
    for name, pattern in addresses():
        if name in PAGES and name != "intelligence-export":  # its address takes 18 digits
            for ask in (ruth_browser.get, ruth_browser.post):
                with transaction.atomic():
                    answer = ask(url_of(name, pattern, huge))
                    transaction.set_rollback(True)
                assert answer.status_code < 500, name
