"""``/metrics`` for Prometheus: read from the database at each scrape, so that any process can answer.

What is counted over time is given as windows (the last five minutes, hour, day): run records are
deleted after their time, and a counter that falls would be taken for a restart.
"""

from __future__ import annotations

import hmac
import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from itertools import accumulate
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0 as CONTENT_TYPE
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from scraping.stopwatch import BOUNDS, outcome_of, stopwatch
from socials import platforms, quota
from talent import queue

logger = logging.getLogger(__name__)

PATH = "/metrics"
AREAS = {
    "api": "api", "admin": "back office", "static": "static", "media": "media", "connect": "public",
    "kit": "public", "oauth": "public", "callbacks": "callback",
}  # fmt: skip
WINDOWS = {"5m": "5 minutes", "1h": "1 hour", "24h": "1 day"}
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED")


class MetricsMiddleware:
    """Answers ``/metrics`` before hosts are checked: Prometheus often comes by address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path != PATH:
            return self._timed(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = _answer(request)
        response["Cache-Control"] = "no-store"
        return response

    def _timed(self, request: HttpRequest) -> HttpResponse:
        began_at = time.monotonic()
        response = self.get_response(request)
        seconds = time.monotonic() - began_at
        stopwatch.note("request", area(request), outcome_of(response.status_code), seconds)
        return response


def area(request: HttpRequest) -> str:
    """Of what kind a request is: one of few, whatever is asked."""
    first = request.path.split("/", 2)[1]
    if first in AREAS:
        return AREAS[first]
    return "poll" if "HX-Request" in request.headers else "page"


def _answer(request: HttpRequest) -> HttpResponse:
    if not may_read(request):
        return HttpResponse(
            "Send METRICS_TOKEN as a bearer token; without one, ask from this machine.\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": "Bearer"},
        )
    try:
        return HttpResponse(exposition(), content_type=CONTENT_TYPE)
    except Error as error:
        # The text of a database error can name hosts and users: the log may, the world may not.
        logger.warning("metrics can't be read: %s", error)
        return HttpResponse(
            "The database does not answer.\n", status=503, content_type="text/plain"
        )


def may_read(request: HttpRequest) -> bool:
    """With METRICS_TOKEN: whoever sends it. Without: this machine, not by way of a proxy."""
    if settings.METRICS_TOKEN:
        sent = request.headers.get("Authorization", "")
        return hmac.compare_digest(sent.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    if any(name in request.META for name in FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def exposition() -> bytes:
    """All metrics as Prometheus reads them. A fixed number of statements."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_FromDatabase())
    return bytes(generate_latest(registry))


class _FromDatabase(Collector):
    def collect(self) -> Iterator[Metric]:
        for read in (
            _accounts,
            _runs,
            _durations,
            _limits,
            _workers,
            _webhooks,
            _photos,
            _drift,
            _latencies,
        ):
            yield from read()


def _accounts() -> Iterator[Metric]:
    states = _gauge("connections", "Accounts by sync state.", "platform", "status")
    due = _gauge("connections_due", "Accounts whose sync is due and not begun.", "platform")
    oldest = _gauge("oldest_due_seconds", "How long the oldest due sync has waited.", "platform")
    stale = _gauge("connections_stale", "Not read for three times their target age.", "platform")
    failing = _gauge("connections_in_error", "Accounts in ERROR by cause.", "platform", "cause")
    reauth = _gauge("connections_to_reconnect", "Accounts without their permission.", "platform")
    for platform in platforms.synced():
        for family in (due, oldest, stale, reauth):
            family.add_metric([platform], 0)
    for platform, status, accounts, waiting, age, old, lost in _rows(
        """
        SELECT platform, sync_status, count(*),
            count(*) FILTER (WHERE sync_status = 'PENDING' AND next_attempt_at <= statement_timestamp()),
            COALESCE(EXTRACT(epoch FROM statement_timestamp() - min(next_attempt_at) FILTER (
                WHERE sync_status = 'PENDING' AND next_attempt_at <= statement_timestamp())), 0),
            count(*) FILTER (WHERE last_synced_at < statement_timestamp() - make_interval(
                mins => 3 * COALESCE(freshness_minutes, (%s::jsonb->>platform)::int, %s))),
            count(*) FILTER (WHERE NOT connected)
        FROM socials_connection GROUP BY platform, sync_status
        """,
        json.dumps(settings.FRESHNESS_MINUTES),
        settings.SYNC_FRESHNESS_MINUTES,
    ):
        if platform not in platforms.synced():
            continue
        states.add_metric([platform, status], accounts)
        for family, value in ((due, waiting), (stale, old), (reauth, lost)):
            _add(family, platform, value)
        if waiting:
            _add(oldest, platform, float(age))
    for platform, cause, accounts in _rows(
        "SELECT platform, error_code, count(*) FROM socials_connection "
        "WHERE sync_status = 'ERROR' GROUP BY platform, error_code"
    ):
        failing.add_metric([platform, cause], accounts)
    yield from (states, due, oldest, stale, failing, reauth)


def _runs() -> Iterator[Metric]:
    runs = _gauge(
        "sync_runs", "Attempts that ended within the window.",
        "platform", "outcome", "cause", "window",
    )  # fmt: skip
    counts = ", ".join(
        f"count(*) FILTER (WHERE finished_at > statement_timestamp() - interval '{span}')"
        for span in WINDOWS.values()
    )
    for platform, outcome, cause, *numbers in _rows(
        f"SELECT platform, outcome, error_code, {counts} FROM socials_sync_run "  # noqa: S608
        "WHERE finished_at > statement_timestamp() - interval '1 day' GROUP BY platform, outcome, error_code"
    ):
        for window, number in zip(WINDOWS, numbers, strict=True):
            runs.add_metric([platform, outcome, cause, window], number)
    yield runs


def _durations() -> Iterator[Metric]:
    spent = _gauge(
        "sync_duration_seconds", "Duration of good attempts of the last hour.",
        "platform", "quantile",
    )  # fmt: skip
    for platform, median, high in _rows(
        """
        SELECT platform, percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) / 1000,
            percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) / 1000
        FROM socials_sync_run
        WHERE finished_at > statement_timestamp() - interval '1 hour' AND outcome = 'ready' GROUP BY platform
        """
    ):
        spent.add_metric([platform, "0.5"], median)
        spent.add_metric([platform, "0.95"], high)
    yield spent


def _limits() -> Iterator[Metric]:
    used = _gauge("quota_used", "Units used in the current window.", "platform", "bucket")
    limit = _gauge("quota_limit", "Units that the window allows.", "platform", "bucket")
    levels = dict(
        _rows(
            "SELECT bucket, used FROM socials_quota_window "
            "WHERE starts_at <= statement_timestamp() AND ends_at > statement_timestamp()"
        )
    )
    for platform in platforms.synced():
        for bucket in platforms.get(platform).buckets:
            used.add_metric([platform, bucket.name], levels.get(bucket.name, 0))
            limit.add_metric([platform, bucket.name], quota.cap(bucket))
    circuits = _gauge("circuit_open", "1: nothing is asked of this source.", "platform", "source")
    for platform, source, state in _rows("SELECT platform, source, state FROM socials_circuit"):
        circuits.add_metric([platform, source], int(state != "closed"))
    yield from (used, limit, circuits)


def _workers() -> Iterator[Metric]:
    alive = _gauge("workers", "Worker processes with a sign of life within a minute.")
    ages = _gauge("worker_heartbeat_age_seconds", "Since a worker's last sign of life.", "worker")
    busy = _gauge("worker_busy", "Accounts that a worker has in hand.", "worker")
    lively = 0
    for worker, age, held in _rows(
        "SELECT id, EXTRACT(epoch FROM statement_timestamp() - heartbeat_at)::float, busy FROM socials_worker"
    ):
        ages.add_metric([worker], age)
        busy.add_metric([worker], held)
        lively += age <= 60
    alive.add_metric([], lively)
    jobs = _gauge("jobs_waiting", "Background jobs in the queue.")
    jobs.add_metric([], queue.waiting())
    yield from (alive, ages, busy, jobs)


def _webhooks() -> Iterator[Metric]:
    [(waiting, age, failed, off)] = _rows(
        """
        SELECT count(*) FILTER (WHERE status = 'pending'),
            COALESCE(EXTRACT(epoch FROM statement_timestamp() - min(created_at) FILTER (
                WHERE status = 'pending')), 0)::float,
            count(*) FILTER (WHERE status = 'failed' AND created_at > statement_timestamp() - interval '1 day'),
            (SELECT count(*) FROM socials_webhook WHERE disabled_at IS NOT NULL)
        FROM socials_webhook_delivery
        """
    )
    for name, meaning, value in (
        ("webhook_deliveries_pending", "Messages that wait or are tried again.", waiting),
        ("webhook_oldest_pending_seconds", "Age of the oldest of them.", age),
        ("webhook_deliveries_failed_24h", "Messages of the last day that were given up.", failed),
        ("webhooks_disabled", "Webhooks that were switched off for failing.", off),
    ):
        family = _gauge(name, meaning)
        family.add_metric([], value)
        yield family


def _photos() -> Iterator[Metric]:
    photos = _gauge("photo_runs_24h", "Photo refreshes of the last day.", "outcome", "cause")
    for outcome, cause, runs in _rows(
        "SELECT outcome, cause, count(*) FROM socials_photo_run "
        "WHERE at > statement_timestamp() - interval '1 day' GROUP BY outcome, cause"
    ):
        photos.add_metric([outcome, cause], runs)
    yield photos


def _drift() -> Iterator[Metric]:
    drift = _gauge(
        "drift_fields_24h", "Fields that no parser knows, seen within a day.", "platform", "source"
    )
    for platform, source, fields in _rows(
        "SELECT platform, source, count(*) FROM socials_drift_sighting "
        "WHERE last_seen_at > statement_timestamp() - interval '1 day' GROUP BY platform, source"
    ):
        drift.add_metric([platform, source], fields)
    yield drift


def _latencies() -> Iterator[Metric]:
    """Histograms of every process together, which add to them every ten seconds."""
    counts: dict[tuple[str, str, str], dict[float, int]] = defaultdict(dict)
    sums: dict[tuple[str, str, str], float] = defaultdict(float)
    for kind, name, outcome, bound, answers, seconds in _rows(
        "SELECT kind, name, outcome, bound, answers, seconds FROM socials_latency ORDER BY 1, 2, 3"
    ):
        counts[(kind, name, outcome)][bound] = answers
        sums[(kind, name, outcome)] += seconds
    for kind, label, meaning in (
        ("call", "platform", "Calls to platforms and other hosts, by how they answered."),
        ("request", "area", "Requests to us, by area and how we answered."),
    ):
        family = HistogramMetricFamily(
            f"greenroom_{kind}_seconds", meaning, labels=[label, "outcome"]
        )
        for key, told in counts.items():
            if key[0] == kind:
                family.add_metric(list(key[1:]), _cumulative(told), sums[key])
        yield family


def _cumulative(told: Mapping[float, int]) -> list[tuple[str, float]]:
    """Each bound's answers with those of all below it, as Prometheus wants them."""
    running = accumulate(told.get(bound, 0) for bound in (*BOUNDS, 0.0))
    return list(zip([*map(str, BOUNDS), "+Inf"], running, strict=True))


def _gauge(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"greenroom_{name}", meaning, labels=labels)


def _add(family: GaugeMetricFamily, platform: str, value: float) -> None:
    """Add to a platform's sample: its accounts come in several states."""
    for place, sample in enumerate(family.samples):
        if sample.labels["platform"] == platform:
            family.samples[place] = sample._replace(value=sample.value + value)


def _rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())
