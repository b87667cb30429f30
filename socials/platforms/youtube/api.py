"""YouTube Data API v3: one function for each method we use, each request counted as it costs.

Nothing is asked conditionally (If-None-Match): a 304 costs the same unit, and the counts that we
come for change the ETag of almost every answer.

Reference: https://developers.google.com/youtube/v3/docs
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scraping.errors import BadResponse, NotConfigured
from scraping.http import Reply
from scraping.wire import Fields
from socials.platforms.youtube.failures import PLATFORM, SOURCE, STATS, UNITS, failure
from socials.types import Context

MOST = 50
"""Ids of one call, and items of one page."""

CHANNEL_PARTS = "snippet,statistics,contentDetails"
ENTRY_PARTS = "snippet,contentDetails,status"
VIDEO_PARTS = "snippet,statistics,contentDetails"
STATS_PARTS = "id,snippet,statistics,contentDetails"

_ENVELOPE = (
    "kind", "etag", "items", "pageInfo", "nextPageToken", "prevPageToken", "tokenPagination",
    "eventId", "visitorId", "summary",
)  # fmt: skip


class Api:
    """The API as one credential sees it: the agency's key, or a talent's token."""

    def __init__(self, context: Context, *, token: str = "") -> None:
        self._context = context
        self._base = context.settings["YOUTUBE_API_URL"].rstrip("/")
        self._token = token

    def channels_by_id(self, ids: Sequence[str]) -> list[Fields]:
        """Channels in no certain order; unknown, closed and private ones are left out.

        The page size is 5 unless it is asked for. Raises Failure, as everything here does.
        """
        return self._channels({"id": ",".join(ids), "maxResults": str(MOST)})

    def channels_by_name(self, parameter: str, name: str) -> list[Fields]:
        """``parameter`` is ``forHandle`` (with @) or ``forUsername``."""
        return self._channels({parameter: name})

    def own_channels(self) -> list[Fields]:
        """The channel that the token was granted for; none for an account without a channel."""
        return self._channels({"mine": "true", "maxResults": str(MOST)})

    def uploads(self, playlist: str, *, size: int, page_token: str = "") -> Fields:
        """A page of a playlist: ``items`` and, when more follow, ``nextPageToken``."""
        asked = {"part": ENTRY_PARTS, "playlistId": playlist, "maxResults": str(size)}
        return self._get("playlistItems", asked, page_token=page_token)

    def videos(self, ids: Sequence[str]) -> list[Fields]:
        """Videos in no certain order; those that are gone or private are left out."""
        answer = self._get("videos", {"part": VIDEO_PARTS, "id": ",".join(ids)})
        return list(_items(answer))

    def stats(self, ids: Sequence[str]) -> list[Fields]:
        """The numbers of videos, from a bucket of their own. Not atomic: an id that is left out
        may be gone, or may only not have been read."""
        asked = {"part": STATS_PARTS, "id": ",".join(ids)}
        return list(_items(self._get("videos:batchGetStats", asked, bucket=STATS)))

    def _channels(self, filters: Mapping[str, str]) -> list[Fields]:
        found: list[Fields] = []
        page_token = ""
        for _ in range(MOST):
            answer = self._get(
                "channels", {"part": CHANNEL_PARTS, **filters}, page_token=page_token
            )
            found += _items(answer)
            following = answer.text("nextPageToken") or ""
            if following in {"", page_token}:
                break
            page_token = following
        return found

    def _get(
        self, method: str, asked: Mapping[str, str], *, bucket: str = UNITS, page_token: str = ""
    ) -> Fields:
        key = self._context.settings.get("YOUTUBE_API_KEY", "")
        if not (key or self._token):
            raise NotConfigured(
                "Set YOUTUBE_API_KEY to read YouTube.",
                platform=PLATFORM,
                source=SOURCE,
                setting="YOUTUBE_API_KEY",
            )
        self._context.meter.call(bucket, 1)
        parameters = {**asked, **({"pageToken": page_token} if page_token else {})}
        headers = {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        else:
            parameters["key"] = key
        reply = self._context.http.get(
            f"{self._base}/youtube/v3/{method}",
            platform=PLATFORM,
            params=parameters,
            headers=headers,
        )
        return self._answer(reply, bucket)

    def _answer(self, reply: Reply, bucket: str) -> Fields:
        if reply.ok:
            try:
                value = reply.json()
            except BadResponse as bad:
                bad.source = SOURCE
                raise
            if not (isinstance(value, dict) and "error" in value):
                meter = self._context.meter
                return Fields(value, platform=PLATFORM, source=SOURCE, meter=meter).known(
                    *_ENVELOPE
                )
        raise failure(reply, bucket=bucket, now=self._context.clock(), granted=bool(self._token))


def _items(answer: Fields) -> Iterator[Fields]:
    """The objects of ``items``, which is absent when there are none. What is no object is counted
    as drift, so that one odd item never hides the others."""
    for index, value in enumerate(answer.items("items")):
        if isinstance(value, dict):
            yield Fields(
                value,
                platform=answer.platform,
                source=answer.source,
                path=f"items[{index}]",
                meter=answer.meter,
            )
        elif answer.meter is not None:
            answer.meter.unknown(answer.source, "items[] is no object")
