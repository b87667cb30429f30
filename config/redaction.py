"""Secrets never leave the process by accident: log lines, error pages and error mails pass here.

Two nets. A value under a name that means a secret is replaced, and so is every text that holds a
secret of ours, or something of a secret's shape, wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.log import AdminEmailHandler
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

MASK = "[cut]"
SHORTEST = 8
"""A shorter value stands in too many innocent words."""

NAMES = (
    "token", "secret", "password", "passwd", "authorization", "signed_request", "cookie",
    "session", "api_key", "apikey", "client_key", "encryption_key", "signature", "state", "verifier",
)  # fmt: skip
_NAMED = re.compile(rf"(?i)(?:^|[_-])(?:{'|'.join(NAMES)})(?:s|$|[_-])|^code$|^key$")
_HARMLESS_CODE = re.compile(r"[A-Z][A-Z_]{2,31}|[1-5][0-9]{2}")
_QUERIED = r"[\w.-]*(?:token|secret|password|signed_request|signature|key|code|state|verifier)"
_SHAPES = (
    # name=value of a query or a form, whatever else the name says
    (re.compile(rf"(?i)([?&;\s\"']{_QUERIED}=)[^&\s\"'<>\\]{{6,}}"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(Bearer|Basic) +[\w.~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"\b(grn_|whsec_)[\w+/=-]{12,}"), MASK),
    # the whole query of an address: a callback's holds a code and a state
    (re.compile(r"(\s/[^\s?]*|^/[^\s?]*|https?://[^\s?\"']+)\?[^\s\"']+"), rf"\1?{MASK}"),
    # links that open something for whoever has them
    (
        re.compile(r"(/(?:connect|kit)/|/oauth/\w+/confirm/|/callbacks/meta/deletion/)[\w%-]{6,}"),
        rf"\1{MASK}",
    ),
    (re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+@"), rf"\1{MASK}@"),
)
_TELLTALE = re.compile(r"[=?/@]|(?i:bearer|basic|grn_|whsec_)")
"""Something of it is in each of the shapes: most words of a log have nothing."""

_SETTINGS = re.compile(r"SECRET|TOKEN|PASSWORD|_KEY$|_KEYS$")


def text(told: str, secrets: Sequence[str] | None = None) -> str:
    """The text without our secrets, and without what looks like anybody's."""
    if len(told) >= SHORTEST:
        for secret in _secrets() if secrets is None else secrets:
            if secret in told:
                told = told.replace(secret, MASK)
    if _TELLTALE.search(told):
        for shape, mask in _SHAPES:
            told = shape.sub(mask, told)
    return told


def value(name: str, told: Any, secrets: Sequence[str] | None = None) -> Any:
    """A value as it may be shown under its name; of mappings and lists each part.

    ``secrets``: ours, when the caller has many values to show.
    """
    if _means_a_secret(name) and told not in (None, "", True, False) and not _is_code(name, told):
        return MASK
    if isinstance(told, Mapping):
        return {key: value(str(key), part, secrets) for key, part in told.items()}
    if isinstance(told, (list, tuple, set)):
        return [value("", part, secrets) for part in told]
    if isinstance(told, bytes):
        return text(told.decode(errors="replace"), secrets)
    if isinstance(told, (str, BaseException)) or not isinstance(told, (int, float, type(None))):
        plain = str(told)
        clean = text(plain, secrets)
        return told if clean == plain else clean
    return told


def redact(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For structlog, before the renderer: the entry without secrets."""
    secrets = _secrets()
    return {name: value(name, told, secrets) for name, told in entry.items()}


class ReportFilter(SafeExceptionReporterFilter):
    """Django's report of an error: settings, request and local variables."""

    cleansed_substitute = MASK

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        found = super().cleanse_setting(key, value)
        return found if found == MASK else _shown(str(key), found)

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        given = super().get_post_parameters(request)
        return {name: _shown(name, told) for name, told in given.items()}

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        return [
            (name, _shown(name, told))
            for name, told in super().get_traceback_frame_variables(request, tb_frame)
        ]

    def is_active(self, request: HttpRequest | None) -> bool:
        """In DEBUG too: a page on a shared screen, a log that is mailed around."""
        return True


class Report(ExceptionReporter):
    """The whole report, once more as text: messages and source lines hold secrets as well."""

    def get_traceback_data(self) -> dict[str, Any]:
        told = super().get_traceback_data()
        if self.request is not None:
            given = self.request.GET.items()
            told["request_GET_items"] = [(name, _shown(name, part)) for name, part in given]
        return told

    def get_traceback_html(self) -> SafeString:
        return SafeString(text(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(text(super().get_traceback_text()))


class AdminMail(AdminEmailHandler):
    """Its subject holds the address that failed."""

    def send_mail(self, subject: Any, message: Any, *args: Any, **options: Any) -> None:
        super().send_mail(text(str(subject)), text(str(message)), *args, **options)


def _shown(name: str, told: Any) -> Any:
    """As ``value``, for an object whose looks only its repr tells."""
    if isinstance(told, (str, bytes, int, float, Mapping, list, tuple, set, type(None))):
        return value(name, told)
    if _NAMED.search(name):
        return MASK
    try:
        plain = repr(told)
    except Exception as error:  # noqa: BLE001  a report must not fail over what it reports
        return f"({type(told).__name__}, whose repr raises {type(error).__name__})"
    clean = text(plain)
    return told if clean == plain else clean


@lru_cache(maxsize=1024)
def _means_a_secret(name: str) -> bool:
    return bool(_NAMED.search(name))


def _is_code(name: str, told: Any) -> bool:
    """``code`` is an OAuth code, unless it is one of our causes or an HTTP status."""
    return name == "code" and bool(_HARMLESS_CODE.fullmatch(str(told)))


def _secrets() -> list[str]:
    if not settings.configured:
        return []
    found = [settings.SECRET_KEY, *settings.TOKEN_ENCRYPTION_KEYS, settings.METRICS_TOKEN]
    given = settings.PLATFORM_SETTINGS
    found += [given[name] for name in _secret_settings(tuple(given))]
    found += [settings.DATABASES["default"].get("PASSWORD"), settings.EMAIL_HOST_PASSWORD]
    found.append(settings.STORAGES["default"].get("OPTIONS", {}).get("secret_key"))
    return [secret for secret in found if secret and len(secret) >= SHORTEST]


@cache
def _secret_settings(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if _SETTINGS.search(name)]
