"""Where YouTube's push hub asks and tells: it must always be answered quickly and with success."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from socials import push


@csrf_exempt
@require_http_methods(["GET", "POST"])
def youtube(request: HttpRequest) -> HttpResponse:
    """GET: the hub's question. POST: a notification, accepted even where it is ignored."""
    if request.method == "POST":
        push.receive(request.body, request.headers.get("X-Hub-Signature", ""))
        return HttpResponse(status=204)
    challenge = push.answer(request.GET.dict())
    if challenge is None:
        return HttpResponse(
            "This subscription is not wanted.", status=404, content_type="text/plain"
        )
    return HttpResponse(challenge, content_type="text/plain")
