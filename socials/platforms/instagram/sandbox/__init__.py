"""The sandbox's Instagram: Graph under ``/meta`` (agency) and ``/instagram`` (talents), and tokens.

Strict about requests, as Meta is: version, token, fields, metrics and cursors are all checked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from socials.platforms.instagram.sandbox import errors, people, tokens, web
from socials.platforms.instagram.sandbox.fields import (
    BadSyntax,
    UnknownField,
    Wanted,
    parse,
    render,
)
from socials.platforms.instagram.sandbox.people import BadCursor, Person
from socials.platforms.kit.sandbox import Account, Handler, Item, Mood, Request, Response, memory

META_ACCESS_TOKEN = "sandbox-meta-token"  # noqa: S105  the sandbox's own
META_IG_USER_ID = "17841400000000001"
META_APP_SECRET = "sandbox-meta-secret"  # noqa: S105  the sandbox's own
SLOW_SECONDS = 2.0
NOT_PROFESSIONAL = {Mood.NONEXISTENT, Mood.PRIVATE, Mood.PERSONAL}
FAILURES_BEFORE_FINE = 2
CALLS_BEFORE_USAGE = 10

_VERSIONED = re.compile(r"^/(?:v(?P<version>\d+)\.\d+/)?(?P<path>[A-Za-z0-9_/.-]+)$")


def handle(request: Request) -> Response:
    """Serve a request below ``/meta`` or ``/instagram``."""
    agency = request.base_url.endswith("/meta")
    if not agency and request.path in _OTHER_PATHS:
        return _OTHER_PATHS[request.path](request)
    found = _VERSIONED.match(request.path)
    if found is None:
        return errors.refusal(f"Unknown path components: {request.path}", 2500)
    if request.method != "GET":
        return errors.refusal(f"Unsupported {request.method.lower()} request.", 100)
    try:
        response = (_discover if agency else _own)(request, found["path"].strip("/"))
    except BadSyntax as bad:
        return errors.refusal(str(bad), 2500)
    except (BadCursor, UnknownField) as bad:
        return errors.refusal(f"(#100) {bad}", 100)
    headers = {**response.headers, "facebook-api-version": f"v{found['version'] or 26}.0"}
    return replace(response, headers=headers)


# --- /meta: Business Discovery with the agency's token -------------------------------------------


def _discover(request: Request, path: str) -> Response:
    token = _token(request)
    if not token:
        return errors.no_token(path)
    if token != META_ACCESS_TOKEN:
        return errors.invalid_token()
    if not _is_signed(request, token):
        return errors.refusal("Invalid appsecret_proof provided in the API argument", 100)
    if path != META_IG_USER_ID:
        return errors.missing_object(path)
    asked = parse(request.query.get("fields", "id"))
    discovery = next((field for field in asked if field.name == "business_discovery"), None)
    if discovery is None:
        return Response.of(render({"id": _own_id}, asked, "IGUser"))
    account = Account("INSTAGRAM", discovery.arguments.get("username", "").lower())
    if not account.handle or account.mood in NOT_PROFESSIONAL:
        return errors.unknown_user(account.handle)
    person = Person(account, datetime.now(UTC), request.origin, own=False)

    def discovered(wanted: Wanted) -> object:
        return render(person.node(), wanted.fields, "IGUser")

    node = {"id": _own_id, "business_discovery": discovered}
    return _in_its_mood(account, "meta") or _answer(
        account, render(node, asked, "IGUser"), _app_usage()
    )


def _own_id(_: Wanted) -> str:
    return META_IG_USER_ID


def _is_signed(request: Request, token: str) -> bool:
    """The proof is optional, and right when it is there."""
    proof = request.query.get("appsecret_proof")
    right = hmac.new(META_APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
    return proof is None or hmac.compare_digest(proof, right)


def _app_usage() -> dict[str, str]:
    """The header comes only once the app has called often enough."""
    calls = memory.times("meta|calls")
    if calls < CALLS_BEFORE_USAGE:
        return {}
    percent = min(calls // 100, 60)
    return {
        "X-App-Usage": json.dumps(
            {"call_count": percent, "total_time": percent // 2, "total_cputime": percent // 3}
        )
    }


# --- /instagram: a talent's own account with the talent's token ----------------------------------


def _own(request: Request, path: str) -> Response:
    token = _token(request)
    if not token:
        return errors.no_token(path)
    account = tokens.owner(token)
    if isinstance(account, Response):
        return account
    moody = _in_its_mood(account, "instagram")
    if moody:
        return moody
    person = Person(account, datetime.now(UTC), request.origin, own=True)
    identifier, _, edge = path.partition("/")
    wanted = parse(request.query.get("fields", ""))
    if identifier in {"me", person.user_id, person.app_user_id}:
        if edge == "media":
            return _answer(account, _media(request, person, identifier, wanted), _usage(person))
        if not edge:
            return _answer(account, render(person.node(), wanted, "IGUser"), _usage(person))
    item = people.item_of(person, identifier)
    if item is None or edge not in {"", "insights"}:
        return errors.missing_object(path)
    if edge == "insights":
        return _insights(request, person, item)
    return _answer(account, render(person.media_node(item), wanted, "IGMedia"), _usage(person))


def _media(
    request: Request, person: Person, identifier: str, wanted: tuple[Wanted, ...]
) -> dict[str, object]:
    """The media edge by itself: cursors in the query, and a ``next`` that holds the token."""
    items, more = person.page(request.query)
    data = [render(person.media_node(item), wanted, "IGMedia") for item in items]
    if not items:
        return {"data": data}
    cursors = people.cursors(items)
    paging: dict[str, object] = {"cursors": cursors}
    if more:
        query = urlencode({**request.query, "after": cursors["after"]})
        paging["next"] = f"{request.base_url}/v26.0/{identifier}/media?{query}"
    return {"data": data, "paging": paging}


def _insights(request: Request, person: Person, item: Item) -> Response:
    if item.index < people.POSTED_BEFORE_CONVERSION:
        return errors.before_conversion()
    allowed = people.metrics(item)
    asked = list(filter(None, request.query.get("metric", "").split(",")))
    for position, name in enumerate(asked):
        if name not in allowed:
            return errors.unknown_metric(position, sorted(allowed))
    if not asked:
        return errors.refusal("(#100) The parameter metric is required", 100)
    data = []
    for name in asked:
        value = {"value": person.insight(item, name)}
        # Both documented forms occur.
        form: dict[str, object] = {"total_value": value} if item.index % 2 else {"values": [value]}
        data.append(
            {
                "name": name,
                "period": "lifetime",
                **form,
                "title": name.replace("_", " ").capitalize(),
                "description": "",
                "id": f"{people.media_id(item)}/insights/{name}/lifetime",
            }
        )
    return _answer(person.account, {"data": data}, _usage(person))


def _usage(person: Person) -> dict[str, str]:
    usage = {
        "type": "instagram",
        "call_count": 1,
        "total_cputime": 1,
        "total_time": 1,
        "estimated_time_to_regain_access": 0,
    }
    return {"X-Business-Use-Case-Usage": json.dumps({person.user_id: [usage]})}


# --- both ----------------------------------------------------------------------------------------


def _token(request: Request) -> str:
    return request.query.get("access_token") or request.bearer


def _answer(account: Account, value: object, headers: Mapping[str, str]) -> Response:
    """The account itself is what a slow mood delays, so that a whole reading takes one delay."""
    is_account = isinstance(value, dict) and not {"data", "media_type"} & value.keys()
    delay = SLOW_SECONDS if account.mood is Mood.SLOW and is_account else 0.0
    return replace(Response.of(value, headers=headers), delay_seconds=delay)


def _in_its_mood(account: Account, door: str) -> Response | None:
    """What an account's mood answers instead of its numbers."""
    match account.mood:
        case Mood.EXPIRED:
            return errors.expired_token()
        case Mood.DOWN:
            return errors.down()
        case Mood.RATELIMITED:
            return errors.throttled()
        case Mood.GARBLED:
            return errors.garbled()
        case Mood.FLAKY:
            if memory.times(f"{door}|flaky|{account.handle}") < FAILURES_BEFORE_FINE:
                return errors.passing_fault()
    return None


_OTHER_PATHS: Mapping[str, Handler] = {
    "/oauth/authorize": tokens.authorize,
    "/oauth/access_token": tokens.exchange,
    "/access_token": tokens.long_lived,
    "/refresh_access_token": tokens.refresh,
    "/api/v1/users/web_profile_info/": web.profile,
}
