"""Where Meta and TikTok tell us what their people decided. Signed, bounded, answered at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from socials import duties
from socials.models import DeletionRequest
from socials.pages.connect import private
from socials.platforms.instagram import callbacks as meta
from socials.platforms.kit.callbacks import Forged
from socials.platforms.tiktok import webhook

log = structlog.get_logger("duty")

LARGEST_BODY = 64 * 1024

View = Callable[[HttpRequest], HttpResponse]


def from_a_platform(view: View) -> View:
    """POST of a platform: no form token, a small body, and a refusal for what isn't the platform's."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
                raise RequestDataTooBig
            return view(request)
        except (RequestDataTooBig, ValueError):
            return JsonResponse({"error": "The body is too large."}, status=413)
        except Forged as forged:
            log.warning("duty.refused", path=request.path, reason=str(forged))
            return JsonResponse({"error": f"Refused: {forged}."}, status=400)

    return guarded


@from_a_platform
def meta_deauthorize(request: HttpRequest) -> HttpResponse:
    duties.taken_back(
        "INSTAGRAM",
        _person(request),
        reason="The talent took the permission back on Instagram.",
        message=request.POST["signed_request"].encode(),
    )
    return JsonResponse({"success": True})


@from_a_platform
def meta_data_deletion(request: HttpRequest) -> HttpResponse:
    asked = duties.delete_person("INSTAGRAM", _person(request))
    page = settings.PUBLIC_URL + reverse("meta-deletion", args=[asked.code])
    return JsonResponse({"url": page, "confirmation_code": asked.code})


@require_safe
@private
def meta_deletion(request: HttpRequest, code: str) -> HttpResponse:
    """What became of a wish to be deleted, for the person who holds its code."""
    asked = get_object_or_404(DeletionRequest, code=code.upper())
    return render(request, "public/deletion.html", {"asked": asked, "agency": settings.AGENCY_NAME})


@from_a_platform
def tiktok(request: HttpRequest) -> HttpResponse:
    event = webhook.read(
        request.headers.get("TikTok-Signature", ""),
        request.body,
        client_key=settings.PLATFORM_SETTINGS["TIKTOK_CLIENT_KEY"],
        secret=settings.PLATFORM_SETTINGS["TIKTOK_CLIENT_SECRET"],
        now=timezone.now(),
    )
    if event.name == webhook.REMOVED and event.open_id:
        duties.taken_back(
            "TIKTOK",
            event.open_id,
            reason=f"TikTok ended the permission {event.reason}.",
            message=request.body,
            at=event.at,
        )
    else:
        log.info("duty.nothing_to_do", platform="TIKTOK", event_name=event.name[:60])
    return JsonResponse({})


def _person(request: HttpRequest) -> str:
    return meta.person(
        request.POST.get("signed_request", ""), meta.secrets(settings.PLATFORM_SETTINGS)
    )
