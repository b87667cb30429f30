"""What every view of the API shares: who may, how often, and the envelope of success."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from talent.api.throttles import PerAddress, PerClient

if TYPE_CHECKING:
    from talent.models import User

METHODS = ["get", "head", "post", "put", "patch", "delete"]


class ApiView(APIView):
    """A view of the API. Subclasses write ``get``, ``post`` … that make one domain call each."""

    http_method_names = METHODS
    metadata_class = None
    throttle_classes = [PerClient]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who, how often, whether there is such a method, whether it is allowed: in this order."""
        self.format_kwarg = None
        negotiated = self.perform_content_negotiation(request)
        request.accepted_renderer, request.accepted_media_type = negotiated
        request.version, request.versioning_scheme = None, None
        try:
            self.perform_authentication(request)
        except AuthenticationFailed:
            self._throttle_the_address(request)
            raise
        self.check_throttles(request)
        if request.user.is_authenticated and not hasattr(self, str(request.method).lower()):
            raise MethodNotAllowed(str(request.method))
        self.check_permissions(request)

    @property
    def allowed_methods(self) -> list[str]:
        return [name.upper() for name in METHODS if hasattr(self, name)]

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    def _throttle_the_address(self, request: Request) -> None:
        throttle = PerAddress()
        if not throttle.allow_request(request, self):
            self.throttled(request, throttle.wait())


def actor(request: Request) -> User:
    """The person behind the request, for the activity log; permissions have let nobody else in."""
    return cast("User", request.user)


def success(
    data: Any,
    *,
    status: int = 200,
    message: str = "",
    page: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The envelope of every answer that went well; a list without pages is one page."""
    body: dict[str, Any] = {"success": True, "data": data}
    if page is None and isinstance(data, list):
        page = {"next": None, "count": len(data)}
    if message:
        body["message"] = message
    if page is not None:
        body["page"] = page
    return Response(body, status=status, headers=headers)


def rendered(data: Any) -> bytes:
    """The bytes of ``success(data)``, for what is kept as it is sent."""
    made: bytes = JSONRenderer().render({"success": True, "data": data})
    return made


def no_content() -> Response:
    return Response(status=204)
