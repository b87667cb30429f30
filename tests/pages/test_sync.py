"""The sync dashboard: many accounts at once, and how far the work is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from socials.models import Connection, SyncRun
from socials.models.batch import Batch, BatchItem
from talent.models import Talent

REFRESH = "/sync/refresh"


def states() -> dict[str, str]:
    return dict(Connection.objects.values_list("handle", "sync_status"))


def test_a_platform_is_refreshed_after_a_question_that_names_how_many(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    assert "Nothing to refresh now." in alice_browser.get("/sync?refresh=all").content.decode()
    account(jane, "INSTAGRAM", "one")
    account(jane, "INSTAGRAM", "two")
    account(jane, "TIKTOK", "three")
    asked = alice_browser.get("/sync?refresh=INSTAGRAM").content.decode()
    assert "Refresh 2 Instagram profiles?" in asked
    assert states() == {"one": "READY", "two": "READY", "three": "READY"}

    answer = alice_browser.post(REFRESH, {"what": "INSTAGRAM"}, follow=True).content.decode()
    assert "2 Instagram profiles queued for sync" in answer
    assert states() == {"one": "PENDING", "two": "PENDING", "three": "READY"}
    assert "Syncing 2 profiles" in answer
    assert "0 of 2" in answer
    assert "by Alice Archer" in answer

    again = alice_browser.post(REFRESH, {"what": "INSTAGRAM"}, follow=True).content.decode()
    assert "Nothing to do: all of it is queued already." in again
    assert Batch.objects.count() == 1


def test_retrying_all_errors_leaves_out_what_only_time_or_the_talent_can_mend(
    alice_browser: Client, jane: Talent, failing: Callable[..., Connection]
) -> None:
    for code in ("NOT_FOUND", "PLATFORM_UNAVAILABLE", "RATE_LIMITED", "REAUTH_REQUIRED"):
        failing(jane, code, handle=code.lower())
    page = alice_browser.get("/sync").content.decode()
    assert "Retry all errors" in page
    alice_browser.post(REFRESH, {"what": "errors"})
    assert states() == {
        "not_found": "PENDING",
        "platform_unavailable": "PENDING",
        "rate_limited": "ERROR",
        "reauth_required": "ERROR",
    }


def test_all_photos_are_looked_for_again(alice_browser: Client, jane: Talent) -> None:
    assert "Refresh 1 photo?" in alice_browser.get("/sync?refresh=photos").content.decode()
    answer = alice_browser.post(REFRESH, {"what": "photos"}, follow=True).content.decode()
    assert "Refreshing 1 photo" in answer
    assert BatchItem.objects.get().talent_id == jane.pk


@pytest.mark.parametrize("what", ["", "TWITTER", "everything"])
def test_an_unknown_refresh_changes_nothing_and_says_so(alice_browser: Client, what: str) -> None:
    answer = alice_browser.post(REFRESH, {"what": what}, follow=True).content.decode()
    assert "That isn&#x27;t known." in answer
    assert not Batch.objects.exists()


def test_a_viewer_sees_the_work_and_no_button_for_it(
    victor_browser: Client, jane: Talent, failing: Callable[..., Connection]
) -> None:
    row = failing(jane, "NOT_FOUND")
    batch = Batch.objects.create(kind="sync", total=4)
    BatchItem.objects.bulk_create(
        BatchItem(batch=batch, talent_id=jane.pk, state=state, connection=row)
        for state in ("done", "done", "failed")
    )
    BatchItem.objects.create(batch=batch, talent_id=jane.pk, state="waiting", connection=row)
    Connection.objects.update(sync_status="PENDING", next_attempt_at=timezone.now())
    page = victor_browser.get("/sync?refresh=all").content.decode()
    assert "3 of 4" in page
    assert "1 failed" in page
    assert "refresh=" not in page
    assert "Refresh a batch" not in page
    assert "Retry all errors" not in page
    assert victor_browser.post(REFRESH, {"what": "all"}).status_code == 403


def test_each_of_the_last_hours_is_a_bar_that_says_when_syncs_failed(
    alice_browser: Client, jane: Talent, account: Callable[..., Connection]
) -> None:
    row = account(jane)
    now = timezone.now()
    for hours, outcome in ((1, "ready"), (3, "error")):
        end = now - timedelta(hours=hours, minutes=5)
        SyncRun.objects.create(
            connection=row, platform=row.platform, trigger="schedule", sync_version=1, attempt=1,
            started_at=end, finished_at=end, duration_ms=900, outcome=outcome,
            error_code="" if outcome == "ready" else "NOT_FOUND",
        )  # fmt: skip
    page = alice_browser.get("/sync").content.decode()
    drawn = page[page.index('class="hours"') :]
    bars = drawn[: drawn.index("</svg>")].split("<rect")[1:]
    assert [bar.split('"')[1] for bar in bars] == [*["none"] * 20, "bad", "none", "", "none"]
