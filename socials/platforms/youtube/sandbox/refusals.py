"""Google's error envelopes, in the wording that was seen of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from socials.platforms.kit.sandbox import Response

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
RETRY_SECONDS = 30


def envelope(
    status: int,
    reason: str,
    message: str,
    *,
    domain: str = "global",
    location: str = "",
    location_type: str = "parameter",
    state: str = "",
    details: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One error, told twice as Google does: for old clients and for new ones."""
    one: dict[str, Any] = {"message": message, "domain": domain, "reason": reason}
    if location:
        one |= {"location": location, "locationType": location_type}
    error: dict[str, Any] = {"code": status, "message": message, "errors": [one]}
    if state:
        error["status"] = state
    if details:
        error["details"] = details
    return Response.of({"error": error}, status, headers)


def no_such_page(path: str) -> Response:
    body = f"<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title><p>The requested URL <code>{len(path)}</code> was not found on this server."
    return Response(404, body.encode(), {"Content-Type": "text/html; charset=UTF-8"})


def unknown_parameter(name: str) -> Response:
    message = f"Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could not be found in request message."
    return envelope(
        400, "invalid", message, state="INVALID_ARGUMENT",
        details=[
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"description": message}],
            }
        ],
    )  # fmt: skip


def missing(name: str) -> Response:
    return envelope(
        400, "missingRequiredParameter", f"The request does not include the required {name} parameter.",
        domain="youtube.parameter", location=name,
    )  # fmt: skip


def no_filter(expected: str) -> Response:
    return envelope(
        400, "missingRequiredParameter", f"No filter selected. Expected one of: {expected}",
        domain="youtube.parameter", location="parameters.", location_type="other",
    )  # fmt: skip


def incompatible(names: str) -> Response:
    return envelope(
        400, "incompatibleParameters", f"Incompatible parameters specified in the request: {names}",
        domain="youtube.parameter", location="parameters.", location_type="other",
    )  # fmt: skip


def unknown_part(name: str) -> Response:
    return envelope(400, "unknownPart", f"{name}", domain="youtube.part", location="part")


def too_many_ids() -> Response:
    return envelope(
        400, "invalidFilters", "The request specifies an invalid filter parameter.",
        domain="youtube.parameter", location="parameters.", location_type="other",
    )  # fmt: skip


def out_of_range(name: str, value: str, least: int, most: int) -> Response:
    message = f"Invalid value '{value}'. Values must be within the range: [{least}, {most}]"
    return envelope(400, "invalidParameter", message, location=name, state="INVALID_ARGUMENT")


def invalid_page_token() -> Response:
    return envelope(
        400, "invalidPageToken", "The request specifies an invalid page token.",
        domain="youtube.parameter", location="pageToken",
    )  # fmt: skip


def no_key() -> Response:
    return envelope(
        403, "forbidden",
        "Method doesn't allow unregistered callers (callers without established identity). Please "
        "use API Key or other form of API consumer identity to call this API.",
        state="PERMISSION_DENIED",
    )  # fmt: skip


def invalid_key() -> Response:
    message = "API key not valid. Please pass a valid API key."
    return envelope(
        400, "badRequest", message, state="INVALID_ARGUMENT",
        details=[
            {
                "@type": ERROR_INFO,
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "youtube.googleapis.com"},
            },
            {
                "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                "locale": "en-US",
                "message": message,
            },
        ],
    )  # fmt: skip


def invalid_token() -> Response:
    return envelope(
        401, "authError", "Invalid Credentials",
        location="Authorization", location_type="header", state="UNAUTHENTICATED",
    )  # fmt: skip


def login_required() -> Response:
    return envelope(
        401, "required", "Login Required.",
        location="Authorization", location_type="header", state="UNAUTHENTICATED",
        details=[
            {"@type": ERROR_INFO, "reason": "CREDENTIALS_MISSING", "domain": "googleapis.com"}
        ],
    )  # fmt: skip


def playlist_not_found() -> Response:
    return envelope(
        404, "playlistNotFound",
        "The playlist identified with the request's <code>playlistId</code> parameter cannot be found.",
        domain="youtube.playlistItem", location="playlistId",
    )  # fmt: skip


def too_fast() -> Response:
    """A limit for each minute and user; the day's shape is the same with ``1/d/{project}``."""
    return envelope(
        429, "rateLimitExceeded",
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of "
        "service 'youtube.googleapis.com'.",
        state="RESOURCE_EXHAUSTED",
        details=[
            {
                "@type": ERROR_INFO,
                "reason": "RATE_LIMIT_EXCEEDED",
                "domain": "googleapis.com",
                "metadata": {
                    "service": "youtube.googleapis.com",
                    "quota_location": "global",
                    "quota_metric": "youtube.googleapis.com/default",
                    "quota_limit": "defaultPerMinutePerUser",
                    "quota_limit_value": "1800",
                    "quota_unit": "1/min/{project}/{user}",
                    "consumer": "projects/1",
                },
            }
        ],
        headers={"Retry-After": str(RETRY_SECONDS)},
    )  # fmt: skip


def down() -> Response:
    return envelope(
        503, "backendError", "The service is currently unavailable.", state="UNAVAILABLE"
    )


def garbled() -> Response:
    return Response(
        200, b"<!DOCTYPE html><html><title>Sorry...</title>", {"Content-Type": "text/html"}
    )
