"""The sandbox's YouTube: the Data API v3 under ``/youtube``, the push hub under ``/hub``.

Strict about requests, as Google is: method, parameters, parts, filters, ids and credentials are all
checked. ``/google`` has the consent page and the tokens.
"""

from __future__ import annotations

from socials.platforms.kit.sandbox import Request, Response
from socials.platforms.youtube.sandbox import data, google, hub, refusals


def handle(request: Request) -> Response:
    """Serve a request below ``/youtube``, ``/hub`` or ``/google``."""
    match request.base_url.rpartition("/")[2]:
        case "hub":
            return hub.handle(request)
        case "youtube":
            return data.handle(request)
        case "google":
            return google.handle(request)
    return refusals.no_such_page(request.path)
