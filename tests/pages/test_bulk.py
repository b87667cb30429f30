"""Many talents at once from the list: who may, what is done to whom, and how far it is."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from socials import batches
from socials.models import Connection
from socials.models.batch import Batch
from talent.models import Talent, User


@pytest.fixture
def two(make_talent: Callable[..., Talent], account: Callable[..., Connection]) -> list[Talent]:
    ada, bo = make_talent("Ada Arden"), make_talent("=Bo Blake")
    account(ada, "INSTAGRAM", "ada.cooks")
    account(bo, "TIKTOK", "bodances", sync_status="PENDING", next_attempt_at=timezone.now())
    return [ada, bo]


def told(browser: Client) -> list[str]:
    return re.findall(
        r'<div class="toast [^>]*>.*?<span>(.*?)</span>', browser.get("/").content.decode()
    )


def test_sync_queues_the_ticked_talents_and_tells_how_far_it_is(
    alice_browser: Client, two: list[Talent]
) -> None:
    ids = [talent.pk for talent in two]
    answer = alice_browser.post("/talents/bulk?q=b&page=1", {"talent": ids, "do": "sync"})
    assert (answer.status_code, answer["Location"]) == (302, "/?q=b")
    assert told(alice_browser) == ["1 profile queued for sync, 1 queued already"]
    assert "Syncing: 0 of 2 done" in alice_browser.get("/").content.decode()

    batch = Batch.objects.get()
    Connection.objects.filter(platform="INSTAGRAM").update(
        sync_status="READY", next_attempt_at=None
    )
    part = alice_browser.get(f"/talents/batch/{batch.pk}").content.decode()
    assert "1 of 2 done" in part
    assert "hx-trigger" in part

    Connection.objects.filter(platform="TIKTOK").update(
        sync_status="ERROR", error_code="NOT_FOUND", attempt=3, next_attempt_at=None
    )
    end = alice_browser.get(f"/talents/batch/{batch.pk}")
    assert "1 of 2 done, 1 failed" in end.content.decode()
    assert "hx-trigger" not in end.content.decode()
    assert "1 profile synced, 1 failed" in end["HX-Trigger"]
    assert 'max="2"' not in alice_browser.get("/").content.decode()


def test_photos_are_refreshed_as_one_batch(alice_browser: Client, two: list[Talent]) -> None:
    alice_browser.post("/talents/bulk", {"talent": [two[0].pk], "do": "photos"})
    assert told(alice_browser) == ["Refreshing 1 photo"]
    batch = Batch.objects.get()
    assert batches.progress(batch.pk).total == 1
    assert batch.kind == "profile-images"


def test_talents_get_a_manager(alice_browser: Client, alice: User, two: list[Talent]) -> None:
    ids = [talent.pk for talent in two]
    alice_browser.post("/talents/bulk", {"talent": ids, "do": "assign", "manager": alice.pk})
    assert Talent.objects.filter(manager=alice).count() == 2
    alice_browser.post("/talents/bulk", {"talent": ids[:1], "do": "assign", "manager": "none"})
    assert Talent.objects.filter(manager=alice).count() == 1
    alice_browser.post("/talents/bulk", {"talent": ids, "do": "assign", "manager": ""})
    assert Talent.objects.filter(manager=alice).count() == 1
    assert told(alice_browser)[-1] == "Choose a manager first, then press Assign."


def test_a_viewer_cannot_be_given_talents(
    alice_browser: Client, victor: User, two: list[Talent]
) -> None:
    alice_browser.post(
        "/talents/bulk", {"talent": [two[0].pk], "do": "assign", "manager": 999_999_999}
    )
    assert Talent.objects.filter(manager=None).count() == 2


def test_the_selection_is_exported_without_live_formulas(
    alice_browser: Client, two: list[Talent]
) -> None:
    answer = alice_browser.post("/talents/bulk", {"talent": [two[1].pk], "do": "export"})
    assert "attachment" in answer["Content-Disposition"]
    table = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert [row["name"] for row in table] == ["'=Bo Blake"]


def test_all_is_everybody_that_the_filter_finds_unless_a_row_was_unticked(
    alice_browser: Client, alice: User, make_talent: Callable[..., Talent]
) -> None:
    ids = [make_talent(f"Talent {number:02}").pk for number in range(30)]
    make_talent("Other")
    form = {"do": "assign", "manager": alice.pk, "all": "1", "shown": "25"}
    alice_browser.post("/talents/bulk?q=talent&size=25", {**form, "talent": ids[:24]})
    assert Talent.objects.filter(manager=alice).count() == 24
    alice_browser.post("/talents/bulk?q=talent&size=25", {**form, "talent": ids[:25]})
    assert Talent.objects.filter(manager=alice).count() == 30


@pytest.mark.parametrize(
    "form", [{"do": "sync"}, {"do": "sync", "talent": "x"}, {"do": "nonsense"}]
)
def test_nothing_selected_or_unknown_changes_nothing(
    alice_browser: Client, two: list[Talent], form: dict[str, str]
) -> None:
    assert alice_browser.post("/talents/bulk", form).status_code == 302
    assert len(told(alice_browser)) == 1
    assert not Batch.objects.exists()


def test_a_viewer_sees_none_of_it_and_is_refused(
    victor_browser: Client, alice_browser: Client, two: list[Talent]
) -> None:
    assert 'name="talent"' in alice_browser.get("/").content.decode()
    page = victor_browser.get("/").content.decode()
    assert 'id="bulk"' not in page
    assert "checkbox" not in page
    form = {"do": "export", "talent": two[0].pk}
    assert victor_browser.post("/talents/bulk", form).status_code == 403
    assert Client().post("/talents/bulk", form).status_code == 302


def test_a_forged_form_is_refused(alice: User, two: list[Talent]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="talent.backends.RoleBackend")
    answer = browser.post("/talents/bulk", {"do": "sync", "talent": two[0].pk})
    assert answer.status_code == 403
    assert not Batch.objects.exists()


def test_a_batch_that_is_gone_is_not_found(alice_browser: Client) -> None:
    assert alice_browser.get("/talents/batch/999999").status_code == 404
