"""Every failure leaves the API in one envelope: code, plain words, and the fields to mend."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import structlog
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.db.models import Model
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from psycopg.errors import DeadlockDetected, SerializationFailure
from rest_framework import exceptions, status
from rest_framework.response import Response

from scraping.errors import InvalidHandle
from talent.rules import FieldRefused, camel

log = structlog.get_logger(__name__)

CODES = {
    400: "VALIDATION_ERROR",
    401: "NOT_AUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    502: "SYNC_FAILED",
    503: "UNAVAILABLE",
}
NOWHERE = "There is nothing at this address. The API's map is at /api/docs."
AT_THE_SAME_MOMENT = "Somebody changed this at the same moment. Look again, then retry."
BROKEN = "Something went wrong on our side. Quote the request id when you report it."


class Conflict(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "This clashes with what is already there."


class PayloadTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class SyncFailed(exceptions.APIException):
    status_code = status.HTTP_502_BAD_GATEWAY
    default_detail = "The platform could not be read."


class Unavailable(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The database isn't answering. Try again in a moment."


def absent(model: type[Model]) -> Http404:
    """The refusal of an id that nothing of this kind has."""
    return Http404(f"There is no {model._meta.verbose_name} with this id.")


@contextmanager
def gone_is_404(model: Any) -> Iterator[None]:
    """What is not there, or no more, is refused by its kind: a model."""
    try:
        yield
    except model.DoesNotExist:
        raise absent(model) from None


def envelope(
    status_code: int,
    message: str,
    *,
    details: dict[str, list[str]] | None = None,
    code: str = "",
    **more: Any,
) -> dict[str, Any]:
    """The body of an error answer."""
    body: dict[str, Any] = {
        "success": False,
        "error": code
        or CODES.get(status_code, "INTERNAL_ERROR" if status_code >= 500 else CODES[400]),
        "message": message,
    }
    if details:
        body["details"] = details
    return body | more


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response:
    """Turn whatever a view raised into the envelope. Nothing escapes, also not with DEBUG on."""
    fact = _as_api_exception(exception)
    if fact is None:
        request_id = current_request_id()
        log.error("api.failed", request_id=request_id, exc_info=exception)
        return Response(
            envelope(500, BROKEN, requestId=request_id),
            status=500,
            headers={"X-Request-ID": request_id},
        )
    details = _details(fact.detail) if isinstance(fact, exceptions.ValidationError) else None
    message = _summary(details) if details else str(fact.detail)
    return Response(
        envelope(fact.status_code, message, details=details, code=getattr(fact, "error_code", "")),
        status=fact.status_code,
        headers=_headers(fact),
    )


def current_request_id() -> str:
    """The id that the log lines of this request carry."""
    return str(structlog.contextvars.get_contextvars().get("request_id") or uuid4())


def _as_api_exception(exception: Exception) -> exceptions.APIException | None:
    """The API's word for what was raised; None for what nobody foresaw."""
    match exception:
        case exceptions.ParseError():
            return exceptions.ValidationError({"body": [str(exception.detail)]})
        case exceptions.APIException():
            return exception
        case Http404():
            return exceptions.NotFound(str(exception.args[0]) if exception.args else NOWHERE)
        case DjangoPermissionDenied():
            return exceptions.PermissionDenied()
        case InvalidHandle():
            return exceptions.ValidationError({exception.field or "handle": [exception.detail]})
        case FieldRefused():
            return exceptions.ValidationError({exception.field: [exception.message]})
        case DjangoValidationError():
            return exceptions.ValidationError(_fields_of(exception))
        case RequestDataTooBig():
            return PayloadTooLarge()
        case SuspiciousOperation():  # a form of too many parts or files, a name that breaks out
            return exceptions.ValidationError(
                {"body": ["The form can't be read. Send less of it."]}
            )
        case ObjectDoesNotExist():
            log.warning("api.gone", error=str(exception)[:200])
            return exceptions.NotFound("This was deleted a moment ago.")
        case IntegrityError():
            log.warning("api.conflict", error=str(exception).splitlines()[0][:200])
            return Conflict(AT_THE_SAME_MOMENT)
        case OperationalError(__cause__=DeadlockDetected() | SerializationFailure()):
            log.warning("api.conflict", error=str(exception).splitlines()[0][:200])
            return Conflict(AT_THE_SAME_MOMENT)
        case OperationalError() | InterfaceError():
            log.warning("api.database_away", error=str(exception).splitlines()[0][:200])
            return Unavailable()
    return None


def _fields_of(exception: DjangoValidationError) -> dict[str, list[str]]:
    if not hasattr(exception, "error_dict"):
        return {"body": exception.messages}
    return {camel(name): messages for name, messages in exception.message_dict.items()}


def _details(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Flatten nested errors: ``{"tags": {0: ["Too long."]}}`` → ``{"tags.0": ["Too long."]}``."""
    if isinstance(detail, dict):
        flat: dict[str, list[str]] = {}
        for name, value in detail.items():
            key = path if name == "non_field_errors" else ".".join(filter(None, (path, str(name))))
            for where, texts in _details(value, key).items():
                flat.setdefault(where, []).extend(texts)
        return flat
    if isinstance(detail, list):
        if any(isinstance(item, dict | list) for item in detail):
            return _details(dict(enumerate(detail)), path)
        return {path or "body": [str(item) for item in detail]} if detail else {}
    return {path or "body": [str(detail)]}


def _summary(details: dict[str, list[str]]) -> str:
    if len(details) == 1:
        field, texts = next(iter(details.items()))
        return texts[0] if field == "body" else f"{field}: {texts[0]}"
    return f"Please correct {', '.join(details)}."


def _headers(fact: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    if auth_header := getattr(fact, "auth_header", ""):
        headers["WWW-Authenticate"] = auth_header
    if isinstance(fact, exceptions.Throttled):
        headers["Retry-After"] = str(max(1, math.ceil(getattr(fact, "wait", 0) or 1)))
    if isinstance(fact, Unavailable):
        headers["Retry-After"] = "5"
    return headers


@csrf_exempt  # nothing is changed here, and a client without cookies is told the truth
def not_found(request: HttpRequest, *_: Any, **__: Any) -> JsonResponse:
    """Whatever lies below ``/api`` and is no address: JSON, never a page."""
    return JsonResponse(envelope(404, NOWHERE), status=404)
