"""The sandbox's TikTok: Login Kit, Display API v2 and the public profile page.

Strict where TikTok is: slashes at the end, ``fields`` in the query, everything else in JSON.
An access token names its person, its scopes and its end; a refresh token works once.
"""

from __future__ import annotations

from collections.abc import Callable

from socials.platforms.kit.sandbox import Request, Response
from socials.platforms.tiktok.sandbox import display, login, page


def handle(request: Request) -> Response:
    if request.path.startswith("/@"):
        return page.profile(request)
    route = ROUTES.get(request.path)
    if route is None:
        return Response(404, b"404 page not found", {"Content-Type": "text/plain"})
    method, answer = route
    if request.method != method:
        return Response(405, b"Method Not Allowed", {"Content-Type": "text/plain"})
    return answer(request)


ROUTES: dict[str, tuple[str, Callable[[Request], Response]]] = {
    "/v2/auth/authorize/": ("GET", login.authorize),
    "/v2/oauth/token/": ("POST", login.token),
    "/v2/oauth/revoke/": ("POST", login.revoke),
    "/v2/user/info/": ("GET", display.user_info),
    "/v2/video/list/": ("POST", display.video_list),
    "/v2/video/query/": ("POST", display.video_query),
}
