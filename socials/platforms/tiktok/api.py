"""TikTok's Display API v2: three calls, and what its errors mean.

``fields`` always go in the query, everything else in a JSON body; every path ends in a slash.
Reference: https://developers.tiktok.com/doc/display-api-overview
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scraping.errors import (
    BadResponse,
    Failure,
    Internal,
    PermissionMissing,
    PlatformUnavailable,
    RateLimited,
    ReauthRequired,
)
from scraping.http import Reply
from scraping.types import Post
from scraping.wire import Fields, plain_word
from socials.platforms.tiktok import parse
from socials.types import Context

SOURCE = "tiktok_display"
PLATFORM = "TIKTOK"
MOST_VIDEOS = 20
"""Of a page, and of ids in one query."""


@dataclass(frozen=True, slots=True)
class Page:
    posts: tuple[Post, ...]
    cursor: int | None
    """Milliseconds since 1970; to be handed back only if ``has_more``."""
    has_more: bool


class Display:
    """The API with one person's permission."""

    def __init__(self, access_token: str, context: Context) -> None:
        self._token = access_token
        self._context = context
        self._base = context.settings["TIKTOK_API_URL"].rstrip("/")

    def user(self, fields: Sequence[str]) -> Fields:
        """The account's own facts. Raises Failure.

        Reference: https://developers.tiktok.com/doc/tiktok-api-v2-get-user-info
        """
        data = self._call("GET", "user/info", "tiktok.user_info", fields)
        user = data.child("user")
        if user is None:
            raise BadResponse(
                "the answer tells no user", platform=PLATFORM, source=SOURCE, field="data.user"
            )
        return user

    def page(self, cursor: int | None, most: int) -> Page:
        """Public posts, newest first. Raises Failure.

        Reference: https://developers.tiktok.com/doc/tiktok-api-v2-video-list
        """
        body: dict[str, Any] = {"max_count": most}
        if cursor is not None:
            body["cursor"] = cursor
        data = self._call("POST", "video/list", "tiktok.video_list", parse.VIDEO_FIELDS, body)
        return Page(parse.videos(data), data.count("cursor"), bool(data.flag("has_more")))

    def videos(self, video_ids: Sequence[str]) -> tuple[Post, ...]:
        """Up to 20 of the person's posts by id; those that are gone are left out. Raises Failure.

        Reference: https://developers.tiktok.com/doc/tiktok-api-v2-video-query
        """
        body = {"filters": {"video_ids": list(video_ids)}}
        data = self._call("POST", "video/query", "tiktok.video_query", parse.VIDEO_FIELDS, body)
        return parse.videos(data)

    def _call(
        self,
        method: str,
        path: str,
        bucket: str,
        fields: Sequence[str],
        body: Mapping[str, Any] | None = None,
    ) -> Fields:
        self._context.meter.call(bucket, 1)
        reply = self._context.http.request(
            method,
            f"{self._base}/v2/{path}/",
            platform=PLATFORM,
            params={"fields": ",".join(fields)},
            headers={"Authorization": f"Bearer {self._token}"},
            json=body,
        )
        return data_of(reply, self._context)


def data_of(reply: Reply, context: Context) -> Fields:
    """The answer's ``data``. Success is ``error.code == "ok"``, whatever the status says."""
    try:
        answer = Fields(reply.json(), platform=PLATFORM, source=SOURCE, meter=context.meter)
        error = answer.child("error")
        code = (error.ident("code") if error else None) or ""
    except BadResponse:
        if reply.ok:
            raise
        # An outage answers with a page, not with JSON.
        raise _failure("", reply, context) from None
    if code != "ok" and (code or not reply.ok):
        raise _failure(code, reply, context)
    data = answer.child("data")
    if data is None:
        raise BadResponse(
            "the answer carries no data", platform=PLATFORM, source=SOURCE, field="data"
        )
    return data


def _failure(code: str, reply: Reply, context: Context) -> Failure:
    """What an error code means; one that is not documented is taken for a passing fault.

    Reference: https://developers.tiktok.com/doc/tiktok-api-v2-error-handling
    """
    told = plain_word(code)
    said = f"TikTok answered HTTP {reply.status}" + (f" ({told})" if told else "")
    where: dict[str, Any] = {"platform": PLATFORM, "source": SOURCE}
    if code == "access_token_invalid":
        return ReauthRequired(f"{said}: the permission has ended", **where)
    if code in {"scope_not_authorized", "scope_permission_missed"}:
        return PermissionMissing(f"{said}: a permission was not given", **where)
    retry_at = reply.retry_at(context.clock())
    if code == "rate_limit_exceeded" or reply.status == 429:
        return RateLimited(f"{said}: too many requests", retry_at=retry_at, **where)
    if code == "internal_error" or reply.status >= 500:
        return PlatformUnavailable(said, retry_at=retry_at, **where)
    if code == "invalid_params":
        return Internal(f"{said}: the request was refused", **where)
    return BadResponse(said, field="error.code" if code else "status", **where)
