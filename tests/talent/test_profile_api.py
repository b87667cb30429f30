"""The profile API: one's own settings, and the TikTok account that is scraped in the background."""

from __future__ import annotations

import socket
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import TestCase
from django.utils import timezone
from django_q.models import OrmQ
from rest_framework.test import APIClient

from scraping.models import ScrapeRun
from socials.sandbox import Sandbox
from talent import profile, queue, tasks
from talent.models import CreatorProfile, ScrapeStatus, User, UserSettings

pytestmark = pytest.mark.django_db

URL = "/api/profile"


@pytest.fixture
def me(tilda: User) -> APIClient:
    client = APIClient()
    client.force_login(tilda, backend="talent.backends.RoleBackend")
    return client


def patch(client: APIClient, **body: Any) -> dict[str, Any]:
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = client.patch(URL, body, format="json")
    assert answer.status_code == 200, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data


def refused(client: APIClient, body: Any) -> dict[str, list[str]]:
    answer = client.patch(URL, body, format="json")
    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")
    details: dict[str, list[str]] = answer.json()["details"]
    return details


def queued() -> list[tuple[Any, ...]]:
    """The arguments of the scrapes that wait in the queue."""
    jobs = [row.task for row in OrmQ.objects.order_by("id")]
    return [job["args"] for job in jobs if job["func"] == profile.SCRAPE]


def creator() -> CreatorProfile:
    return CreatorProfile.objects.get()


def run_queued() -> None:
    """Run what is queued, as a worker would."""
    for arguments in queued():
        tasks.scrape_creator(*arguments)
    OrmQ.objects.all().delete()


# --- shape and permission ----------------------------------------------------------------------------


def test_a_profile_has_its_exact_shape_before_anything_is_saved(me: APIClient) -> None:
    answer = me.get(URL)
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "data": {
            "email": "tilda@talent.example", "display_name": "", "company": "", "role": "",
            "avatar_url": "", "tiktok_handle": "", "creator": None,
        },
    }  # fmt: skip


def test_a_stranger_is_asked_to_sign_in(api: APIClient) -> None:
    for answer in (api.get(URL), api.patch(URL, {"company": "x"}, format="json")):
        assert (answer.status_code, answer.json()["error"]) == (401, "NOT_AUTHENTICATED")


def test_other_methods_are_refused_and_told(me: APIClient) -> None:
    answer = me.post(URL, {}, format="json")
    assert answer.status_code == 405
    assert {"GET", "PATCH"} <= set(answer["Allow"].replace(" ", "").split(","))


def test_each_person_has_a_profile_of_her_own(me: APIClient, alice_api: APIClient) -> None:
    patch(me, company="Tilda Ltd")
    assert alice_api.get(URL).json()["data"]["company"] == ""


# --- settings ------------------------------------------------------------------------------------------


def test_any_subset_is_saved_and_the_rest_stays(me: APIClient) -> None:
    patch(me, display_name="Tilda", company="Acme", role="Founder")
    data = patch(me, role="")
    assert (data["display_name"], data["company"], data["role"]) == ("Tilda", "Acme", "")
    assert UserSettings.objects.count() == 1
    assert CreatorProfile.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"display_name": ""}, "display_name"), ({"display_name": "   "}, "display_name"),
        ({"display_name": "x" * 101}, "display_name"), ({"company": "x" * 101}, "company"),
        ({"role": "x" * 101}, "role"), ({"company": 5}, "company"), ({"role": None}, "role"),
        ({"email": "new@x.example"}, "email"), ({"displayName": "x"}, "displayName"),
        ({"tiktok_handle": "x" * 101}, "tiktok_handle"), ({"tiktok_handle": "two words"}, "tiktok_handle"),
        ({"tiktok_handle": 7}, "tiktok_handle"), ({"tiktok_handle": "@"}, "tiktok_handle"),
        ({"tiktok_handle": "https://www.instagram.com/jane/"}, "tiktok_handle"),
        ({"company": "nul\x00"}, "company"), ([], "body"),
    ],
)  # fmt: skip
def test_what_cant_be_is_refused_and_names_its_field(body: Any, field: str, me: APIClient) -> None:
    assert list(refused(me, body)) == [field]


def test_a_refused_handle_saves_nothing_else_and_shows_a_right_one(me: APIClient) -> None:
    details = refused(me, {"company": "Acme", "tiktok_handle": "no spaces please"})
    assert "@" in details["tiktok_handle"][0]
    assert me.get(URL).json()["data"]["company"] == ""
    assert queued() == []


def test_a_hundred_letters_are_fine(me: APIClient) -> None:
    assert patch(me, display_name="x" * 100)["display_name"] == "x" * 100


# --- the handle ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "jane.smith", "@jane.smith", "  @Jane.Smith ", "https://www.tiktok.com/@jane.smith",
        "tiktok.com/@jane.smith/video/7505706702050823446?lang=en",
        "https://m.tiktok.com/@jane.smith?_t=" + "x" * 120,
    ],
)  # fmt: skip
def test_a_handle_is_reduced_saved_and_queued_once(typed: str, me: APIClient, tilda: User) -> None:
    data = patch(me, tiktok_handle=typed, company="Acme")
    assert data["tiktok_handle"] == "jane.smith"
    assert data["creator"]["scrape_status"] == "PENDING"
    assert (data["creator"]["tiktok_followers"], data["creator"]["scrape_error"]) == (None, None)
    assert queued() == [(tilda.pk, "jane.smith")]
    assert UserSettings.objects.get().company == "Acme"


def test_the_same_handle_again_is_not_queued_twice(me: APIClient) -> None:
    for typed in ("jane.smith", "@Jane.Smith", "https://www.tiktok.com/@jane.smith"):
        patch(me, tiktok_handle=typed)
    assert len(queued()) == 1


def test_a_scrape_that_is_young_enough_is_not_repeated_and_an_old_one_is(
    me: APIClient, platform_settings: dict[str, str], settings: Any
) -> None:
    settings.PROFILE_SCRAPE_MIN_HOURS = 6
    patch(me, tiktok_handle="jane.smith")
    run_queued()
    patch(me, tiktok_handle="jane.smith")
    assert queued() == []
    CreatorProfile.objects.update(scraped_at=timezone.now() - timedelta(hours=7))
    data = patch(me, tiktok_handle="jane.smith")
    assert len(queued()) == 1
    assert data["creator"]["scrape_status"] == "PENDING"
    assert data["creator"]["tiktok_followers"] > 0, "the last numbers stay meanwhile"


def test_a_failed_scrape_is_repeated_when_asked(me: APIClient) -> None:
    patch(me, tiktok_handle="jane.smith")
    CreatorProfile.objects.update(scrape_status=ScrapeStatus.ERROR, scrape_error="…")
    OrmQ.objects.all().delete()
    assert patch(me, tiktok_handle="jane.smith")["creator"]["scrape_status"] == "PENDING"
    assert len(queued()) == 1


def test_an_empty_handle_unlinks_the_account_and_forgets_its_numbers(
    me: APIClient, platform_settings: dict[str, str]
) -> None:
    patch(me, tiktok_handle="jane.smith")
    run_queued()
    data = patch(me, tiktok_handle="")
    assert (data["tiktok_handle"], data["creator"]) == ("", None)
    assert (creator().tiktok_followers, creator().display_name) == (None, "")
    patch(me, tiktok_handle="")
    assert queued() == []


def test_another_handle_does_not_show_the_former_ones_numbers(
    me: APIClient, platform_settings: dict[str, str]
) -> None:
    patch(me, tiktok_handle="jane.smith")
    run_queued()
    data = patch(me, tiktok_handle="sam.jones")
    assert data["creator"]["tiktok_followers"] is None
    assert data["creator"]["display_name"] is None


# --- the queue ---------------------------------------------------------------------------------------------


def test_the_profile_stands_when_the_queue_is_down(
    me: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> None:
        raise ConnectionError("the broker is gone")

    monkeypatch.setattr(queue, "async_task", down)
    began = time.monotonic()
    patch(me, tiktok_handle="jane.smith", company="Acme")
    assert time.monotonic() - began < 2
    data = me.get(URL).json()["data"]
    assert (data["tiktok_handle"], data["company"]) == ("jane.smith", "Acme")
    assert data["creator"]["scrape_status"] == "ERROR"
    assert "queue isn't answering" in data["creator"]["scrape_error"]
    monkeypatch.undo()
    assert patch(me, tiktok_handle="jane.smith")["creator"]["scrape_status"] == "PENDING"


def test_the_answer_does_not_wait_for_the_provider(me: APIClient, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings.PLATFORM_SETTINGS = settings.PLATFORM_SETTINGS | {"APIFY_API_URL": address}
        began = time.monotonic()
        patch(me, tiktok_handle="jane.smith")
        assert time.monotonic() - began < 1


def test_a_change_that_is_rolled_back_queues_nothing(tilda: User) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True), transaction.atomic():
        profile.change(tilda, {"tiktok_handle": "jane.smith"})
        transaction.set_rollback(True)
    assert queued() == []
    assert CreatorProfile.objects.count() == 0


# --- the scrape ---------------------------------------------------------------------------------------------


def test_a_scrape_fills_every_column_and_is_written_in_the_ledger(
    me: APIClient, platform_settings: dict[str, str]
) -> None:
    patch(me, tiktok_handle="jane.smith")
    run_queued()
    data = me.get(URL).json()["data"]["creator"]
    assert (data["scrape_status"], data["scrape_error"]) == ("READY", None)
    assert data["display_name"] == "Jane Smith"
    for name in ("tiktok_followers", "hearts", "videos", "following"):
        assert data[name] > 0
    assert data["verified"] in (True, False)
    assert data["avatar_url"].startswith("http")
    assert data["bio"]
    assert data["scraped_at"].endswith("Z")
    run = ScrapeRun.objects.get()
    assert (run.provider, run.platform, run.outcome) == ("apify", "TIKTOK", "succeeded")
    assert (run.handles_asked, run.handles_delivered) == (1, 1)
    assert run.cost_usd is not None
    assert run.items == 1, "a profile alone is bought with one row"


@pytest.mark.parametrize(
    ("handle", "words"),
    [
        ("nonexistent1", "doesn't exist"), ("private1", "is private"), ("down1", "isn't answering"),
        ("garbled1", "don't understand"), ("nomoney1", "allowance"),
    ],
)  # fmt: skip
def test_a_failed_scrape_is_visible_in_plain_words(
    handle: str, words: str, me: APIClient, platform_settings: dict[str, str], settings: Any
) -> None:
    settings.SYNC_RETRY_DELAYS = (0,)
    patch(me, tiktok_handle=handle)
    run_queued()
    data = me.get(URL).json()["data"]
    assert data["tiktok_handle"] == handle
    assert data["creator"]["scrape_status"] == "ERROR"
    assert words in data["creator"]["scrape_error"]
    assert "Traceback" not in data["creator"]["scrape_error"]


def test_a_flaky_platform_is_asked_three_times(
    me: APIClient, platform_settings: dict[str, str], settings: Any
) -> None:
    settings.SYNC_RETRY_DELAYS = (0, 0, 0)
    patch(me, tiktok_handle="flaky1")
    run_queued()
    assert creator().scrape_status == ScrapeStatus.READY
    assert ScrapeRun.objects.count() == 3


def test_without_a_provider_the_error_names_the_setting(me: APIClient, settings: Any) -> None:
    settings.PLATFORM_SETTINGS = settings.PLATFORM_SETTINGS | {"APIFY_TOKEN": "", "SCRAPING_PROVIDER": ""}  # fmt: skip
    patch(me, tiktok_handle="jane.smith")
    run_queued()
    assert "APIFY_TOKEN" in creator().scrape_error


def test_a_scrape_for_a_handle_that_was_changed_meanwhile_is_dropped(
    me: APIClient, tilda: User, platform_settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    patch(me, tiktok_handle="jane.smith")
    real = tasks.get_scraping_provider

    def changed_meanwhile() -> Any:
        patch(me, tiktok_handle="sam.jones")
        return real()

    monkeypatch.setattr(tasks, "get_scraping_provider", changed_meanwhile)
    assert tasks.scrape_creator(tilda.pk, "jane.smith") is False
    row = creator()
    assert (row.tiktok_handle, row.scrape_status) == ("sam.jones", ScrapeStatus.PENDING)
    assert (row.tiktok_followers, row.display_name) == (None, "")


def test_a_job_that_is_delivered_twice_scrapes_once(
    me: APIClient, tilda: User, platform_settings: dict[str, str]
) -> None:
    patch(me, tiktok_handle="jane.smith")
    assert tasks.scrape_creator(tilda.pk, "jane.smith") is True
    assert tasks.scrape_creator(tilda.pk, "jane.smith") is False
    assert ScrapeRun.objects.count() == 1


def test_a_job_for_a_person_who_is_gone_does_nothing(
    tilda: User, platform_settings: dict[str, str]
) -> None:
    assert tasks.scrape_creator(tilda.pk + 1, "jane.smith") is False
    assert ScrapeRun.objects.count() == 0


def test_a_defect_is_a_visible_failure_and_not_a_stuck_scrape(
    me: APIClient, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SYNC_RETRY_DELAYS = (0,)

    def defect() -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(tasks, "get_scraping_provider", defect)
    patch(me, tiktok_handle="jane.smith")
    run_queued()
    assert creator().scrape_status == ScrapeStatus.ERROR
    assert "our side" in creator().scrape_error


def test_scrapes_that_were_lost_are_taken_up(me: APIClient, alice_api: APIClient) -> None:
    patch(me, tiktok_handle="jane.smith")
    patch(alice_api, tiktok_handle="sam.jones")
    OrmQ.objects.all().delete()
    long_ago = timezone.now() - timedelta(minutes=6)
    CreatorProfile.objects.update(scrape_requested_at=long_ago)
    CreatorProfile.objects.filter(tiktok_handle="sam.jones").update(scrape_status="SYNCING")
    assert tasks.rescue_scrapes() == 2
    assert [arguments[1] for arguments in queued()] == ["jane.smith"]
    interrupted = CreatorProfile.objects.get(tiktok_handle="sam.jones")
    assert interrupted.scrape_status == ScrapeStatus.ERROR
    assert tasks.rescue_scrapes() == 0


def test_what_the_source_does_not_tell_does_not_wipe_what_is_stored(
    me: APIClient, tilda: User, platform_settings: dict[str, str], sandbox: Sandbox
) -> None:
    patch(me, tiktok_handle="noimage1")
    run_queued()
    CreatorProfile.objects.update(
        avatar_url="https://cdn.example/old.jpg", scrape_status=ScrapeStatus.PENDING
    )
    tasks.scrape_creator(tilda.pk, "noimage1")
    assert creator().avatar_url == "https://cdn.example/old.jpg"
