"""What pages and the API read: honest about each sync, and as quick for many as for few."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from socials import attempts, connections, dashboard, line, queries, rosters
from socials.errors import CAUSES, Action
from socials.models import Circuit, Connection, Profile, QuotaWindow, SyncRun, Worker
from socials.rosters import RosterFilter
from talent import roster


def connect(talent, platform="INSTAGRAM", handle="jane", **facts):
    """An account in the state that is told; READY by default, a minute ago."""
    row, _ = connections.connect(talent, platform, handle=handle)
    status = facts.setdefault("sync_status", "READY")
    if status != "PENDING":
        facts.setdefault("next_attempt_at", None)
    if status == "SYNCING":
        facts |= {"lease_owner": "w", "lease_expires_at": timezone.now()}
    if status == "READY":
        facts.setdefault("last_synced_at", timezone.now() - timedelta(minutes=1))
    Connection.objects.filter(pk=row.pk).update(**facts)
    row.refresh_from_db()
    return row


def read(row, followers):
    Profile.objects.create(
        connection=row, followers=followers, source="x", fetched_at=timezone.now()
    )


def ended(row, outcome="ready", ago=timedelta(minutes=1), milliseconds=1000):
    at = timezone.now() - ago
    return SyncRun.objects.create(
        connection=row, platform=row.platform, trigger="connect", sync_version=1, attempt=1,
        started_at=at, finished_at=at, duration_ms=milliseconds, outcome=outcome,
        error_code="NOT_FOUND" if outcome == "error" else "",
    )  # fmt: skip


def count(question, *args, **kwargs):
    with CaptureQueriesContext(connection) as asked:
        question(*args, **kwargs)
    return len(asked)


# --- the Social profiles card --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "facts", "word"),
    [
        ("INSTAGRAM", {"sync_status": "PENDING"}, "Pending"),
        ("INSTAGRAM", {"sync_status": "SYNCING"}, "Syncing"),
        ("INSTAGRAM", {"sync_status": "READY"}, "Connected"),
        ("INSTAGRAM", {"sync_status": "READY", "connected": False}, "Reconnect"),
        ("INSTAGRAM", {"sync_status": "READY", "error_code": "PERMISSION_MISSING"}, "Reconnect"),
        ("INSTAGRAM", {"sync_status": "ERROR", "error_code": "NOT_FOUND"}, "Error"),
        ("INSTAGRAM", {"sync_status": "ERROR", "error_code": "REAUTH_REQUIRED"}, "Reconnect"),
        ("INSTAGRAM", {"sync_status": "ERROR", "error_code": "PERMISSION_MISSING"}, "Reconnect"),
        ("TWITTER", {}, "Link only"),
    ],
)
def test_every_state_has_its_word(jane, platform, facts, word):
    connect(jane, platform, **facts)
    [card] = queries.connection_cards(jane.pk)
    assert card.word == word


@pytest.mark.parametrize("code", list(CAUSES))
def test_every_cause_is_told_in_words_with_names_filled_in(jane, code):
    connect(jane, sync_status="ERROR", error_code=code)
    [card] = queries.connection_cards(jane.pk)
    assert card.trouble.code == code
    assert card.trouble.action in Action
    for text in (card.trouble.title, card.trouble.sentence):
        assert text
        assert "{" not in text
    if code == "PRIVATE_ACCOUNT":
        assert "invite Jane to connect" in card.trouble.sentence


def test_a_queued_account_tells_its_place_in_the_line(make_talent):
    for n in range(3):
        row = connect(
            make_talent(f"T {n}"), handle=f"t{n}", sync_status="PENDING",
            next_attempt_at=timezone.now() - timedelta(seconds=30 - n),
        )  # fmt: skip
    [card] = queries.connection_cards(row.talent_id)
    assert str(card.place) == "3rd in line"
    for _ in range(10):
        ended(row)
    [card] = queries.connection_cards(row.talent_id)
    assert str(card.place) == "3rd in line, about 2 min"


def test_an_account_that_waits_for_a_later_time_stands_in_no_line(jane):
    connect(
        jane, sync_status="PENDING", error_code="QUOTA_EXHAUSTED",
        next_attempt_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    [card] = queries.connection_cards(jane.pk)
    assert card.place is None
    assert card.next_attempt_at > timezone.now()


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "Next in line"), (2, "2nd in line"), (11, "11th in line"), (23, "23rd in line")],
)
def test_places_are_counted_as_people_count(number, words):
    assert str(line.Place(number, None)) == words


def test_more_accounts_cost_no_more_queries(jane):
    connect(jane, sync_status="PENDING")
    few = count(queries.connection_cards, jane.pk)
    for n in range(10):
        connect(jane, handle=f"jane{n}", sync_status="PENDING")
    assert count(queries.connection_cards, jane.pk) == few == 2


# --- the roster ----------------------------------------------------------------------------------


def names(**wanted):
    return [row.name for row in rosters.roster_page(RosterFilter(**wanted)).rows]


def test_the_roster_is_found_by_name_email_tag_and_handle(make_talent):
    connect(make_talent("Mila Okafor", email="m@x.example", tags=["Food"]), handle="milacooks")
    make_talent("Sam Ito")
    for search in ("mila", "OKAFOR mila", "m@x", "food", "@milacooks", "cooks"):
        assert names(search=search) == ["Mila Okafor"], search
    assert names(search="mila sam") == []
    assert names(search="100%") == []


def test_the_roster_is_filtered_and_ordered(make_talent, alice):
    mila, sam, jo = (make_talent(name) for name in ("Mila", "Sam", "Jo"))
    read(connect(mila, handle="mila"), 10)
    read(connect(sam, "TIKTOK", handle="sam", sync_status="ERROR", error_code="NOT_FOUND"), 20)
    roster.update(jo.pk, manager_id=alice.pk)
    roster.archive(sam.pk)
    assert names() == ["Jo", "Mila"]
    assert names(status="archived") == ["Sam"]
    assert names(status="all", ordering="-followers") == ["Sam", "Mila", "Jo"]
    assert names(status="all", platform="TIKTOK") == ["Sam"]
    assert names(status="all", sync_status="ERROR") == ["Sam"]
    assert names(status="all", state="attention") == ["Sam"]
    assert names(manager=alice.pk) == ["Jo"]


def test_more_talents_cost_no_more_queries(make_talent):
    def more(numbers):
        for n in numbers:
            talent = make_talent(f"Talent {n}")
            read(connect(talent, handle=f"t{n}"), n)
            connect(talent, "TIKTOK", handle=f"t{n}", sync_status="ERROR", error_code="NOT_FOUND")

    questions = [
        lambda: rosters.roster_page(RosterFilter(ordering="-followers")),
        lambda: rosters.roster_page(
            RosterFilter(search="talent", state="error", ordering="synced")
        ),
        queries.attention,
        queries.queue_stats,
        dashboard.freshness_bands,
        dashboard.failing_by_cause,
        attempts.recent_runs,
    ]
    more(range(2))
    few = [count(question) for question in questions]
    more(range(2, 12))
    assert [count(question) for question in questions] == few


# --- the queue -----------------------------------------------------------------------------------


def test_an_empty_queue_says_so(db):
    stats = queries.queue_stats()
    assert (stats.pending, stats.syncing, stats.error) == (0, 0, 0)
    assert stats.oldest_pending_seconds is stats.success_rate_24h is stats.p50_seconds is None
    assert stats.throughput_per_minute == 0
    assert set(stats.platforms) == {"INSTAGRAM", "TIKTOK", "YOUTUBE"}
    assert stats.errors_by_cause == {}


def test_depth_and_age_count_what_is_due(make_talent):
    now = timezone.now()
    connect(make_talent("A"), sync_status="PENDING", next_attempt_at=now - timedelta(seconds=42))
    connect(make_talent("B"), sync_status="PENDING", next_attempt_at=now + timedelta(hours=2))
    connect(make_talent("C"), sync_status="SYNCING")
    connect(make_talent("D"), "TIKTOK", sync_status="ERROR", error_code="NOT_FOUND")
    connect(make_talent("E"), "TIKTOK", sync_status="ERROR", error_code="NOT_FOUND")
    connect(make_talent("F"), "TIKTOK", sync_status="ERROR", error_code="PRIVATE_ACCOUNT")
    stats = queries.queue_stats()
    assert (stats.pending, stats.syncing, stats.error) == (2, 1, 3)
    assert 42 <= stats.oldest_pending_seconds < 50
    assert stats.platforms["INSTAGRAM"].pending == 2
    assert stats.platforms["TIKTOK"].error == 3
    assert list(stats.errors_by_cause.items()) == [("NOT_FOUND", 2), ("PRIVATE_ACCOUNT", 1)]


def test_rates_and_times_come_from_the_last_day(jane):
    row = connect(jane)
    for n in range(1, 10):
        ended(row, milliseconds=n * 100)
    ended(row, "error", milliseconds=60_000)
    ended(row, "retry")
    ended(row, "ready", ago=timedelta(hours=25), milliseconds=99_000)
    stats = queries.queue_stats()
    assert (stats.succeeded_24h, stats.failed_24h, stats.success_rate_24h) == (9, 1, 90.0)
    assert stats.p50_seconds == 0.5
    assert stats.p95_seconds == 0.86
    assert stats.throughput_per_minute == 2.0


def test_freshness_counts_active_talents_against_their_own_target(make_talent):
    now = timezone.now()
    connect(make_talent("Fresh"), last_synced_at=now - timedelta(minutes=59))
    connect(make_talent("Late"), last_synced_at=now - timedelta(minutes=61))
    patient = make_talent("Patient")
    connect(patient, last_synced_at=now - timedelta(minutes=61), freshness_minutes=120)
    connect(make_talent("Never"), sync_status="PENDING")
    connect(make_talent("Gone", status="archived"), last_synced_at=now - timedelta(days=9))
    freshness = queries.queue_stats().platforms["INSTAGRAM"].freshness
    assert (freshness.target, freshness.within_target, freshness.stale) == (60, 2, 2)
    bands = {band.label: band.accounts for band in dashboard.freshness_bands() if band.accounts}
    assert bands == {"15 to 60 min": 1, "1 to 6 h": 2, "never": 1}


def test_workers_circuits_and_quotas_are_shown_as_they_stand(db):
    now = timezone.now()
    for name, ago in (("alive", 3), ("late", 94), ("gone", 3_600)):
        Worker.objects.create(
            id=name, host="h", pid=1, started_at=now, heartbeat_at=now - timedelta(seconds=ago)
        )
    Circuit.objects.create(platform="TIKTOK", source="a", state="closed")
    Circuit.objects.create(platform="TIKTOK", source="b", state="open")
    QuotaWindow.objects.create(
        bucket="instagram.account:1", starts_at=now - timedelta(minutes=5),
        ends_at=now + timedelta(minutes=55), used=83, cap=100,
    )  # fmt: skip
    stats = queries.queue_stats()
    assert [worker.id for worker in stats.workers] == ["alive", "late"]
    assert stats.platforms["TIKTOK"].circuit == "open"
    assert stats.platforms["INSTAGRAM"].circuit == "closed"
    instagram = stats.platforms["INSTAGRAM"].quota
    assert (instagram.used, instagram.limit) == (83, 100)
    youtube = stats.platforms["YOUTUBE"].quota
    assert (youtube.used, youtube.limit) == (0, 10_000)
    assert youtube.resets_at > now


def test_failures_are_grouped_by_cause_with_the_first_few_of_each(make_talent):
    for n in range(5):
        connect(make_talent(f"T {n}"), handle=f"t{n}", sync_status="ERROR", error_code="NOT_FOUND")
    connect(make_talent("Private"), sync_status="ERROR", error_code="PRIVATE_ACCOUNT")
    first, second = dashboard.failing_by_cause(each=3)
    assert (first.cause.code, first.accounts, len(first.first)) == ("NOT_FOUND", 5, 3)
    assert (second.cause.code, second.first[0].talent) == ("PRIVATE_ACCOUNT", "Private")
    assert second.first[0].shown == "@jane"


def test_an_account_that_loops_leaves_room_for_others_among_the_recent_runs(make_talent):
    looping, other = connect(make_talent("A")), connect(make_talent("B"))
    good = ended(looping, ago=timedelta(hours=1))
    for minutes in range(50, 40, -1):
        failed = ended(looping, "error", ago=timedelta(minutes=minutes))
    between = ended(other, ago=timedelta(minutes=45, seconds=30))
    again = ended(looping, ago=timedelta(minutes=1))
    shown = [(runs.newest, runs.times) for runs in attempts.recent_runs()]
    assert shown == [(again, 1), (failed, 10), (between, 1), (good, 1)]
    assert [runs.newest for runs in attempts.recent_runs(limit=2)] == [again, failed]
    assert [runs.times for runs in attempts.recent_runs(among=5)] == [1, 4]
