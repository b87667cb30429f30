"""The sandbox's Apify: runs of the actors for Instagram, TikTok and YouTube, their datasets, errors.

A handle's mood shows inside the run, as it does at Apify: one bad account never fails the others.
Only a run of nothing but ``down…`` or ``ratelimited…`` handles is refused outright.
Reference: https://docs.apify.com/api/v2
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from socials.platforms.apify_sandbox import instagram, tiktok, youtube
from socials.platforms.apify_sandbox.inputs import INPUTS
from socials.platforms.apify_sandbox.runs import Run, Runs, stable_id, utc_now
from socials.platforms.kit.sandbox import Account, Mood, Request, Response

TOKEN = "sandbox-apify-token"  # noqa: S105  everybody may know it
RUN_SECONDS = 0.15
SLOW_SECONDS = 6.0
NO_LIMIT = 999_999_999_999
"""What Apify writes into the limit header when none was asked for."""

ACTOR_IDS = {
    "apify~instagram-profile-scraper": "dSCLg0C3YEZ83HzYX",
    "clockworks~tiktok-profile-scraper": "0FXVyOXXEmdGcV88a",
    "clockworks~tiktok-scraper": "GdWCkxBtKWOsKjdch",
    "streamers~youtube-scraper": "h7sDV53CddomktSi5",
}

ROWS: dict[str, Callable[[Account, str, int, str, datetime], list[Any]]] = {
    "INSTAGRAM": instagram.rows,
    "TIKTOK": tiktok.rows,
    "YOUTUBE": youtube.rows,
}

runs = Runs()


def handle(request: Request) -> Response:
    """One call of the API; ``/v2/acts`` and ``/v2/actors`` are the same."""
    token = request.bearer or request.query.get("token", "")
    if not token:
        return _error(401, "token-not-provided", "Authentication token was not provided.")
    if token != TOKEN:
        return _error(
            401,
            "user-or-token-not-found",
            "User was not found or authentication token is not valid",
        )
    for method, pattern, answer in ROUTES:
        found = re.fullmatch(pattern, request.path)
        if found and method == request.method:
            return answer(request, *found.groups())
    if any(re.fullmatch(pattern, request.path) for _, pattern, _ in ROUTES):
        return _error(405, "method-not-allowed", "This API end-point can't be called so.")
    return _error(404, "page-not-found", "We have bad news: there is no API endpoint at this URL.")


# --- runs ---------------------------------------------------------------------------------------


def _start(request: Request, name: str) -> Response:
    actor = _actor(name)
    if actor is None:
        return _error(404, "actor-not-found", "Actor was not found")
    if not request.headers.get("content-type", "").startswith("application/json"):
        return _error(415, "unsupported-content-type", "Send the input as application/json.")
    try:
        body = request.json()
    except ValueError:
        return _error(400, "run-input-body-not-valid-json", "The input body is not valid JSON.")
    if not isinstance(body, dict):
        return _error(400, "input-json-not-object", "The input is not a JSON object.")
    refusal = _refused_options(request.query)
    if refusal:
        return refusal
    platform = _platform_of(actor)
    asked, complaint = INPUTS[platform](body)
    if complaint:
        return _error(400, "invalid-input", f"Input is not valid: {complaint}")
    refusal = _refused_as_a_whole(asked)
    if refusal:
        return refusal
    return Response.of(
        {"data": _begin(actor, platform, body, asked, request).shown(utc_now())},
        201,
        {"Location": f"{request.base_url}/v2/actors/{actor}/runs/x"},
    )


def _begin(
    actor: str, platform: str, body: dict[str, Any], asked: list[tuple[str, str]], request: Request
) -> Run:
    now = utc_now()
    limit = int(body.get("resultsPerPage") or body.get("maxResults") or 1)
    items: list[Any] = []
    for given, handle in asked:
        items += ROWS[platform](Account(platform, handle), given, limit, request.origin, now)
    moods = {Account(platform, handle).mood for _, handle in asked}
    timeout = float(request.query.get("timeout") or 300)
    seconds = SLOW_SECONDS if Mood.SLOW in moods else RUN_SECONDS
    run = Run(
        id=stable_id("run", str(len(runs)), str(now)),
        actor_id=ACTOR_IDS.get(actor, stable_id("act", actor)),
        started_at=now,
        seconds=min(seconds, timeout),
        input=body,
        items=items[: int(request.query.get("maxItems") or len(items) or 1)],
        fails=Mood.DOWN in moods or seconds > timeout,
        garbled=moods == {Mood.GARBLED},
        options={"timeoutSecs": int(timeout)},
    )
    runs.add(run)
    return run


def _run(request: Request, run_id: str) -> Response:
    """Held for ``waitForFinish`` seconds at most, as long as the run goes on."""
    found = runs.find(lambda run: run.id == run_id)
    if not found:
        return _error(404, "record-not-found", "Actor run was not found")
    wait = request.query.get("waitForFinish", "0")
    if not wait.isdecimal():
        return _error(400, "invalid-parameter", "waitForFinish is not a number of seconds.")
    now, run = utc_now(), found[0]
    left = max((run.ends_at - now).total_seconds(), 0.0)
    held = min(left, int(wait), 60)
    shown = run.shown(now + timedelta(seconds=held) + timedelta(milliseconds=1))
    answer = Response.of({"data": shown})
    return Response(answer.status, answer.body, answer.headers, held)


def _abort(_: Request, run_id: str) -> Response:
    found = runs.find(lambda run: run.id == run_id)
    if not found:
        return _error(404, "record-not-found", "Actor run was not found")
    now = utc_now()
    if now < found[0].ends_at:
        found[0].aborted_at = now
    return Response.of({"data": found[0].shown(now)})


def _list(request: Request, name: str) -> Response:
    actor = _actor(name)
    if actor is None:
        return _error(404, "actor-not-found", "Actor was not found")
    actor_id = ACTOR_IDS.get(actor, stable_id("act", actor))
    found = runs.find(lambda run: run.actor_id == actor_id)
    if request.query.get("desc") not in {"1", "true"}:
        found.reverse()
    offset, limit = int(request.query.get("offset") or 0), int(request.query.get("limit") or 1000)
    page = [run.shown(utc_now()) for run in found[offset : offset + limit]]
    return Response.of(
        {
            "data": {
                "total": len(found), "offset": offset, "limit": limit, "count": len(page),
                "desc": request.query.get("desc") in {"1", "true"}, "items": page,
            }
        }
    )  # fmt: skip


def _input(_: Request, store_id: str) -> Response:
    found = runs.find(lambda run: f"kvs{run.id}"[:17] == store_id)
    if not found:
        return _error(404, "record-not-found", "Store was not found")
    return Response.of(found[0].input)


def _items(request: Request, dataset_id: str) -> Response:
    found = runs.find(lambda run: f"dat{run.id}"[:17] == dataset_id)
    if not found:
        return _error(404, "record-not-found", "Dataset was not found")
    run = found[0]
    if run.garbled:
        return Response(200, b'[{"authorMeta": {"name": "ga', {"Content-Type": "application/json"})
    offset, limit = request.query.get("offset", "0"), request.query.get("limit", str(NO_LIMIT))
    if not offset.isdecimal() or not limit.isdecimal():
        return _error(400, "invalid-parameter", "offset and limit are whole numbers.")
    everything = run.items if run.status(utc_now()) != "RUNNING" else []
    page = everything[int(offset) : int(offset) + int(limit)]
    return Response.of(
        page,
        200,
        {
            "X-Apify-Pagination-Offset": offset,
            "X-Apify-Pagination-Limit": limit,
            "X-Apify-Pagination-Count": str(len(page)),
            "X-Apify-Pagination-Total": str(len(everything)),
            "X-Apify-Pagination-Desc": "false",
        },
    )


def _me(_: Request) -> Response:
    return Response.of({"data": {"id": "7sT5jcggjjA9fNcxF", "username": "sandbox"}})


ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("POST", r"/v2/(?:acts|actors)/([^/]+)/runs", _start),
    ("GET", r"/v2/(?:acts|actors)/([^/]+)/runs", _list),
    ("GET", r"/v2/actor-runs/([^/]+)", _run),
    ("POST", r"/v2/actor-runs/([^/]+)/abort", _abort),
    ("GET", r"/v2/datasets/([^/]+)/items", _items),
    ("GET", r"/v2/key-value-stores/([^/]+)/records/INPUT", _input),
    ("GET", r"/v2/users/me", _me),
)


def _actor(name: str) -> str | None:
    """``user~name`` of that or of an id; None for an actor that is not known here."""
    if re.fullmatch(r"[A-Za-z0-9._-]+~[a-z0-9-]+", name):
        return name if any(sign in name for sign in ("instagram", "tiktok", "youtube")) else None
    return next((known for known, actor_id in ACTOR_IDS.items() if actor_id == name), None)


def _platform_of(actor: str) -> str:
    return next(p for p in ("INSTAGRAM", "TIKTOK", "YOUTUBE") if p.lower() in actor)


def _refused_options(query: Any) -> Response | None:
    if "maxItems" in query and not (query["maxItems"].isdecimal() and int(query["maxItems"]) > 0):
        return _error(
            400, "max-items-must-be-greater-than-zero", "Maximum charged results must be greater than 0."
        )  # fmt: skip
    if "timeout" in query and not query["timeout"].isdecimal():
        return _error(400, "invalid-parameter", "timeout is not a number of seconds.")
    return None


def _refused_as_a_whole(asked: list[tuple[str, str]]) -> Response | None:
    """Moods that the whole of Apify can have, when every account of the run has them."""
    moods = {Account("", handle).mood for _, handle in asked}
    if moods == {Mood.DOWN}:
        return _error(503, "internal-server-error", "We have bad news: this is our fault.")
    if moods == {Mood.RATELIMITED}:
        return _error(
            429, "rate-limit-exceeded",
            "You have exceeded the rate limit. Please try again later.", {"Retry-After": "30"},
        )  # fmt: skip
    if all(handle.startswith("nomoney") for _, handle in asked):
        return _error(
            402, "not-enough-usage-to-run-paid-actor",
            "By launching this job you will exceed your remaining usage.",
        )  # fmt: skip
    return None


def _error(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response.of({"error": {"type": kind, "message": message}}, status, headers)
