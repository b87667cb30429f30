"""The sandbox's refusals, worded as Meta words them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from socials.platforms.kit.sandbox import Response

TRACE = "A_sandboxTraceSandboxTr"


def refusal(
    message: str, code: int, subcode: int = 0, *, status: int = 400, **more: Any
) -> Response:
    """Meta's error envelope."""
    error: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code}
    if subcode:
        error["error_subcode"] = subcode
    headers = {}
    if code == 190:
        challenge = 'OAuth "Facebook Platform" "invalid_token" '
        headers["WWW-Authenticate"] = f'{challenge}"{message}"'
    return Response.of({"error": {**error, **more, "fbtrace_id": TRACE}}, status, headers)


def missing_object(identifier: str) -> Response:
    return refusal(
        f"Unsupported get request. Object with ID '{identifier}' does not exist, cannot be loaded "
        "due to missing permissions, or does not support this operation. Please read the Graph API "
        "documentation at https://developers.facebook.com/docs/graph-api",
        100,
        33,
        type="GraphMethodException",
    )


def expired_token() -> Response:
    return refusal(
        "Error validating access token: Session has expired on Thursday, 01-Jan-26 10:00:00 PST. "
        "The current time is Friday, 02-Jan-26 06:41:07 PST.",
        190,
        463,
    )


def invalid_token() -> Response:
    return refusal("Invalid OAuth access token - Cannot parse access token", 190)


def no_token(path: str) -> Response:
    if path == "me":
        return refusal(
            "An active access token must be used to query information about the current user.",
            2500,
        )
    return refusal("An access token is required to request this resource.", 104)


def unknown_user(handle: str) -> Response:
    return refusal(
        "Invalid user id",
        110,
        2207013,
        is_transient=False,
        error_user_title="Cannot find User",
        error_user_msg=f"The user with username: {handle} cannot be found.",
    )


def throttled() -> Response:
    """429 with its end, though the real ones mostly say 400 and nothing of the end."""
    response = refusal(
        "There have been too many calls to this Instagram account. Wait a bit and try again.",
        80002,
        2446079,
        status=429,
    )
    return replace(response, headers={**response.headers, "Retry-After": "30"})


def passing_fault() -> Response:
    return refusal(
        "An unexpected error has occurred. Please retry your request later.",
        2,
        status=500,
        is_transient=True,
    )


def down() -> Response:
    page = b"<!DOCTYPE html><html><title>Sorry, something went wrong</title></html>"
    return Response(503, page, {"Content-Type": "text/html; charset=utf-8"})


def garbled() -> Response:
    return Response(200, b"<!DOCTYPE html><html><title>Error", {"Content-Type": "text/html"})


def before_conversion() -> Response:
    return refusal(
        "Invalid parameter",
        100,
        2108006,
        error_data={"blame_field_specs": [[""]]},
        is_transient=False,
        error_user_title="Media posted before business account conversion",
        error_user_msg="The media was posted before the most recent time that the user's account "
        "was converted to a business account from a personal account.",
    )


def unknown_metric(position: int, allowed: list[str]) -> Response:
    return refusal(
        f"(#100) metric[{position}] must be one of the following values: {', '.join(allowed)}", 100
    )


def rejected_code(message: str) -> Response:
    """The code exchange has an error form of its own."""
    return Response.of({"error_type": "OAuthException", "code": 400, "error_message": message}, 400)
