"""The last word below /api: an answer made elsewhere (a debug page, a redirect) becomes JSON."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from talent.api.errors import BROKEN, NOWHERE, current_request_id, envelope

WORDS = {
    400: "The request could not be understood.",
    403: "This is not allowed.",
    404: NOWHERE,
    405: "This method is not offered here.",
    413: "The body is too large.",
}
CHUNKED = "Send the body with a Content-Length; chunked bodies are not read."


class JsonErrors:
    """Stands first, so that errors of the other middlewares and of Django itself pass through it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_api(request.path_info):
            return self.get_response(request)
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            return JsonResponse(envelope(400, CHUNKED, details={"body": [CHUNKED]}), status=400)
        response = self.get_response(request)
        if response.status_code < 400 or "json" in response.get("Content-Type", ""):
            return response
        return as_json(response)


def is_api(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def as_json(response: HttpResponse) -> JsonResponse:
    """The same status and headers, with the envelope for a body."""
    status = response.status_code
    if status >= 500:
        request_id = current_request_id()
        body = envelope(status, BROKEN, requestId=request_id)
    else:
        body = envelope(status, WORDS.get(status, "The request was refused."))
    answer = JsonResponse(body, status=status)
    for name in ("Allow", "Retry-After", "WWW-Authenticate", "X-Request-ID"):
        if name in response:
            answer[name] = response[name]
    return answer
