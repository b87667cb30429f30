"""Which provider is chosen, what start-up says of a wrong name, and what a run has cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.utils import timezone

from scraping import ledger
from scraping.errors import NotConfigured
from scraping.meter import RunReport
from scraping.models import ScrapeRun
from scraping.providers import PROVIDERS, get, get_scraping_provider
from scraping.tasks import settle_costs
from tests.scraping.conftest import ScriptedApify

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def configure(settings: Any, **values: str) -> None:
    settings.PLATFORM_SETTINGS = settings.PLATFORM_SETTINGS | values


@pytest.mark.parametrize(
    ("named", "token", "chosen"),
    [
        ("", "t", "apify"),
        ("apify", "t", "apify"),
        ("apify", "", "apify"),
        ("public", "t", "public"),
    ],
)
def test_the_provider_is_chosen_by_name_or_by_the_token(
    named: str, token: str, chosen: str, settings: Any
) -> None:
    configure(settings, SCRAPING_PROVIDER=named, APIFY_TOKEN=token)
    assert get_scraping_provider().name == chosen


@pytest.mark.parametrize(
    ("named", "setting"), [("", "APIFY_TOKEN"), ("bright", "SCRAPING_PROVIDER")]
)
def test_without_a_known_provider_the_setting_is_named(
    named: str, setting: str, settings: Any
) -> None:
    configure(settings, SCRAPING_PROVIDER=named, APIFY_TOKEN="")
    with pytest.raises(NotConfigured) as caught:
        get_scraping_provider()
    assert caught.value.setting == setting


def test_every_provider_of_the_table_can_be_had() -> None:
    assert [get(name).name for name in PROVIDERS] == list(PROVIDERS)


def test_an_unknown_provider_stops_the_start_and_the_known_ones_are_listed(settings: Any) -> None:
    configure(settings, SCRAPING_PROVIDER="bright")
    with pytest.raises(CommandError, match=r"bright.*\n.*apify, public"):
        call_command("check")


@pytest.mark.parametrize("seconds", ["0", "many", "-5", "600", ""])
def test_a_run_time_that_no_worker_can_wait_stops_the_start(seconds: str, settings: Any) -> None:
    configure(settings, APIFY_RUN_SECONDS=seconds)
    assert "scraping.E002" in [message.id for message in run_checks()]


def test_the_settings_as_they_come_are_in_order() -> None:
    assert [m for m in run_checks() if (m.id or "").startswith("scraping")] == []


def report(**changes: Any) -> RunReport:
    facts = {
        "provider": "apify", "platform": "TIKTOK", "actor": "user~actor", "started_at": NOW,
        "finished_at": NOW + timedelta(seconds=7.5), "outcome": "partial", "provider_run_id": "run1",
        "handles_asked": 3, "handles_delivered": 2, "items": 90, "cost_usd": Decimal("0.225"),
    }  # fmt: skip
    return RunReport(**(facts | changes))


@pytest.mark.django_db
def test_a_runs_cost_and_duration_are_written_down() -> None:
    ledger.record([report()])
    run = ScrapeRun.objects.get()
    assert (run.cost_usd, run.duration_ms, run.outcome) == (Decimal("0.22500"), 7500, "partial")
    assert (run.handles_asked, run.handles_delivered, run.items) == (3, 2, 90)


@pytest.mark.django_db
def test_a_run_that_is_told_twice_is_one_row_with_the_later_cost() -> None:
    ledger.record([report(), report(cost_usd=Decimal("0.3"), outcome="succeeded")])
    assert [(r.cost_usd, r.outcome) for r in ScrapeRun.objects.all()] == [
        (Decimal("0.3"), "succeeded")
    ]


@pytest.mark.django_db
def test_runs_that_never_began_are_each_a_row() -> None:
    failed = report(
        provider_run_id="", outcome="failed", cost_usd=None, error_code="NOT_CONFIGURED"
    )
    ledger.record([failed, failed])
    assert ScrapeRun.objects.filter(outcome="failed", cost_usd=None).count() == 2


@pytest.mark.django_db
def test_a_cost_that_was_still_being_counted_is_corrected_later(
    apify: ScriptedApify, settings: Any
) -> None:
    configure(settings, APIFY_API_URL=apify.url.rstrip("/"), APIFY_TOKEN="t")
    ended = timezone.now() - timedelta(seconds=30)
    young, old = timezone.now() - timedelta(seconds=5), timezone.now() - timedelta(hours=1)
    for name, at in (("run1", ended), ("run2", young), ("run3", old)):
        ledger.record([report(provider_run_id=name, started_at=at, finished_at=at)])
    assert settle_costs() == 1
    costs = dict(ScrapeRun.objects.values_list("provider_run_id", "cost_usd"))
    assert costs == {"run1": Decimal("0.2654"), "run2": Decimal("0.225"), "run3": Decimal("0.225")}
    assert settle_costs() == 0


@pytest.mark.django_db
def test_a_provider_that_cant_be_asked_leaves_the_ledger_as_it_is(settings: Any) -> None:
    configure(settings, APIFY_API_URL="http://127.0.0.1:9", APIFY_TOKEN="t")
    at = timezone.now() - timedelta(seconds=30)
    ledger.record([report(started_at=at, finished_at=at)])
    assert settle_costs() == 0
    assert ScrapeRun.objects.get().cost_usd == Decimal("0.225")
