"""The sandbox's push hub (WebSub): takes a subscription and asks the callback whether it is wanted.

Reference: https://pubsubhubbub.github.io/PubSubHubbub/pubsubhubbub-core-0.4.html
"""

from __future__ import annotations

import re
import secrets
import threading
from urllib.parse import urlencode, urlsplit

from scraping.errors import Failure
from scraping.http import Http, Limits
from socials.platforms.kit.sandbox import Request, Response
from socials.platforms.youtube.sandbox import refusals

LEASE_SECONDS = 432_000
LONGEST_LEASE = 864_000
LONGEST_SECRET = 200

_TOPIC = re.compile(
    r"https://www\.youtube\.com/(?:xml/)?feeds/videos\.xml\?channel_id=UC[A-Za-z0-9_-]{22}"
)
_http = Http(Limits.within(5))


def handle(request: Request) -> Response:
    """A subscription: 202 when its callback will be asked, 204 or 409 when it has been."""
    if request.method != "POST" or request.path not in {"/", "/subscribe"}:
        return refusals.no_such_page(request.path)
    form = request.form
    problem = _problem(form)
    if problem:
        return _text(400, problem)
    if form.get("hub.verify", "async") == "sync":
        return Response(204) if _verified(form) else _text(409, "Subscription verification failed")
    threading.Thread(target=_verified, args=(form,), name="hub", daemon=True).start()
    return Response(202)


def _problem(form: dict[str, str]) -> str:
    callback = urlsplit(form.get("hub.callback", ""))
    if callback.scheme not in {"http", "https"} or not callback.netloc or callback.fragment:
        return "Invalid parameter: hub.callback"
    if form.get("hub.mode") not in {"subscribe", "unsubscribe"}:
        return "Invalid parameter: hub.mode"
    if not _TOPIC.fullmatch(form.get("hub.topic", "")):
        return "Invalid parameter: hub.topic; restricted topic"
    if form.get("hub.verify", "async") not in {"sync", "async"}:
        return "Invalid parameter: hub.verify"
    if len(form.get("hub.secret", "")) >= LONGEST_SECRET:
        return "Invalid parameter: hub.secret"
    lease = form.get("hub.lease_seconds", str(LEASE_SECONDS))
    return "" if lease.isdecimal() else "Invalid parameter: hub.lease_seconds"


def _verified(form: dict[str, str]) -> bool:
    """Whether the callback says yes by giving the challenge back."""
    challenge = str(secrets.randbelow(10**20))
    lease = min(int(form.get("hub.lease_seconds") or LEASE_SECONDS), LONGEST_LEASE)
    question = {
        "hub.mode": form["hub.mode"],
        "hub.topic": form["hub.topic"],
        "hub.challenge": challenge,
        "hub.lease_seconds": str(lease),
    }
    if "hub.verify_token" in form:
        question["hub.verify_token"] = form["hub.verify_token"]
    sign = "&" if urlsplit(form["hub.callback"]).query else "?"
    try:
        reply = _http.get(f"{form['hub.callback']}{sign}{urlencode(question)}")
    except Failure:
        return False
    return reply.ok and reply.text() == challenge


def _text(status: int, message: str) -> Response:
    return Response(status, message.encode(), {"Content-Type": "text/plain"})
