"""The sandbox's Apify: runs of the actors for Instagram, TikTok and YouTube, their datasets, errors.

A handle's mood shows inside the run, as it does at Apify: one bad account never fails the others.
Only a run of nothing but ``down…`` or ``ratelimited…`` handles is refused outright.
Reference: https://docs.apify.com/api/v2
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from threading import Lock
from typing import Any

from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account, Item, Mood, Request, Response, memory, seed

TOKEN = "sandbox-apify-token"  # noqa: S105  everybody may know it
RUN_SECONDS = 0.15
SLOW_SECONDS = 6.0
NO_LIMIT = 999_999_999_999
"""What Apify writes into the limit header when none was asked for."""
PRICE_PER_ROW = 0.0025
KEPT_RUNS = 500

ACTOR_IDS = {
    "apify~instagram-profile-scraper": "dSCLg0C3YEZ83HzYX",
    "clockworks~tiktok-profile-scraper": "0FXVyOXXEmdGcV88a",
    "clockworks~tiktok-scraper": "GdWCkxBtKWOsKjdch",
    "streamers~youtube-scraper": "h7sDV53CddomktSi5",
}


@dataclass(slots=True)
class _Run:
    id: str
    actor_id: str
    started_at: datetime
    seconds: float
    input: dict[str, Any]
    items: list[Any]
    fails: bool
    garbled: bool
    options: dict[str, Any] = field(default_factory=dict)
    aborted_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        return self.aborted_at or self.started_at + timedelta(seconds=self.seconds)

    def status(self, now: datetime) -> str:
        if self.aborted_at:
            return "ABORTED"
        if now < self.ends_at:
            return "RUNNING"
        return "FAILED" if self.fails else "SUCCEEDED"

    def shown(self, now: datetime) -> dict[str, Any]:
        """The documented Run object."""
        ended = now >= self.ends_at
        return {
            "id": self.id,
            "actId": self.actor_id,
            "userId": "7sT5jcggjjA9fNcxF",
            "startedAt": _time(self.started_at),
            "finishedAt": _time(self.ends_at) if ended else None,
            "status": self.status(now),
            "statusMessage": "Actor finished" if ended else "Actor is running",
            "isStatusMessageTerminal": ended,
            "meta": {"origin": "API", "clientIp": "1.2.3.4", "userAgent": "sandbox"},
            "stats": {
                "inputBodyLen": len(json.dumps(self.input)), "migrationCount": 0, "rebootCount": 0,
                "restartCount": 0, "resurrectCount": 0, "runTimeSecs": self.seconds,
                "computeUnits": 0.01,
            },
            "options": {
                "build": "latest", "timeoutSecs": 300, "memoryMbytes": 1024, "diskMbytes": 2048,
                **self.options,
            },
            "buildId": "7sT5jcggjjA9fNcxE",
            "buildNumber": "0.0.36",
            "exitCode": (1 if self.fails else 0) if ended else None,
            "generalAccess": "RESTRICTED",
            "defaultKeyValueStoreId": f"kvs{self.id}"[:17],
            "defaultDatasetId": f"dat{self.id}"[:17],
            "defaultRequestQueueId": f"req{self.id}"[:17],
            "usageTotalUsd": round(PRICE_PER_ROW * len(self.items), 5) if ended else 0.0,
            "platformUsageBillingModel": "USER",
        }  # fmt: skip


class _Runs:
    """The newest runs, as long as the sandbox stands."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, _Run] = OrderedDict()
        self._lock = Lock()

    def add(self, run: _Run) -> None:
        with self._lock:
            self._runs[run.id] = run
            while len(self._runs) > KEPT_RUNS:
                self._runs.popitem(last=False)

    def find(self, wanted: Callable[[_Run], bool]) -> list[_Run]:
        with self._lock:
            return [run for run in reversed(self._runs.values()) if wanted(run)]

    def __len__(self) -> int:
        return len(self._runs)


runs = _Runs()


def handle(request: Request) -> Response:
    """One call of the API; ``/v2/acts`` and ``/v2/actors`` are the same."""
    token = request.bearer or request.query.get("token", "")
    if not token:
        return _error(401, "token-not-provided", "Authentication token was not provided.")
    if token != TOKEN:
        return _error(
            401,
            "user-or-token-not-found",
            "User was not found or authentication token is not valid",
        )
    for method, pattern, answer in ROUTES:
        found = re.fullmatch(pattern, request.path)
        if found and method == request.method:
            return answer(request, *found.groups())
    if any(re.fullmatch(pattern, request.path) for _, pattern, _ in ROUTES):
        return _error(405, "method-not-allowed", "This API end-point can't be called so.")
    return _error(404, "page-not-found", "We have bad news: there is no API endpoint at this URL.")


# --- runs ---------------------------------------------------------------------------------------


def _start(request: Request, name: str) -> Response:
    actor = _actor(name)
    if actor is None:
        return _error(404, "actor-not-found", "Actor was not found")
    if not request.headers.get("content-type", "").startswith("application/json"):
        return _error(415, "unsupported-content-type", "Send the input as application/json.")
    try:
        body = request.json()
    except ValueError:
        return _error(400, "run-input-body-not-valid-json", "The input body is not valid JSON.")
    if not isinstance(body, dict):
        return _error(400, "input-json-not-object", "The input is not a JSON object.")
    refusal = _refused_options(request.query)
    if refusal:
        return refusal
    platform = _platform_of(actor)
    asked, complaint = INPUTS[platform](body)
    if complaint:
        return _error(400, "invalid-input", f"Input is not valid: {complaint}")
    refusal = _refused_as_a_whole(asked)
    if refusal:
        return refusal
    return Response.of(
        {"data": _begin(actor, platform, body, asked, request).shown(_now())},
        201,
        {"Location": f"{request.base_url}/v2/actors/{actor}/runs/x"},
    )


def _begin(
    actor: str, platform: str, body: dict[str, Any], asked: list[tuple[str, str]], request: Request
) -> _Run:
    now = _now()
    limit = int(body.get("resultsPerPage") or body.get("maxResults") or 1)
    items: list[Any] = []
    for given, handle in asked:
        items += ROWS[platform](Account(platform, handle), given, limit, request.origin, now)
    moods = {Account(platform, handle).mood for _, handle in asked}
    timeout = float(request.query.get("timeout") or 300)
    seconds = SLOW_SECONDS if Mood.SLOW in moods else RUN_SECONDS
    run = _Run(
        id=_id("run", str(len(runs)), str(now)),
        actor_id=ACTOR_IDS.get(actor, _id("act", actor)),
        started_at=now,
        seconds=min(seconds, timeout),
        input=body,
        items=items[: int(request.query.get("maxItems") or len(items) or 1)],
        fails=Mood.DOWN in moods or seconds > timeout,
        garbled=moods == {Mood.GARBLED},
        options={"timeoutSecs": int(timeout)},
    )
    runs.add(run)
    return run


def _run(request: Request, run_id: str) -> Response:
    """Held for ``waitForFinish`` seconds at most, as long as the run goes on."""
    found = runs.find(lambda run: run.id == run_id)
    if not found:
        return _error(404, "record-not-found", "Actor run was not found")
    wait = request.query.get("waitForFinish", "0")
    if not wait.isdecimal():
        return _error(400, "invalid-parameter", "waitForFinish is not a number of seconds.")
    now, run = _now(), found[0]
    left = max((run.ends_at - now).total_seconds(), 0.0)
    held = min(left, int(wait), 60)
    shown = run.shown(now + timedelta(seconds=held) + timedelta(milliseconds=1))
    answer = Response.of({"data": shown})
    return Response(answer.status, answer.body, answer.headers, held)


def _abort(_: Request, run_id: str) -> Response:
    found = runs.find(lambda run: run.id == run_id)
    if not found:
        return _error(404, "record-not-found", "Actor run was not found")
    now = _now()
    if now < found[0].ends_at:
        found[0].aborted_at = now
    return Response.of({"data": found[0].shown(now)})


def _list(request: Request, name: str) -> Response:
    actor = _actor(name)
    if actor is None:
        return _error(404, "actor-not-found", "Actor was not found")
    actor_id = ACTOR_IDS.get(actor, _id("act", actor))
    found = runs.find(lambda run: run.actor_id == actor_id)
    if request.query.get("desc") not in {"1", "true"}:
        found.reverse()
    offset, limit = int(request.query.get("offset") or 0), int(request.query.get("limit") or 1000)
    page = [run.shown(_now()) for run in found[offset : offset + limit]]
    return Response.of(
        {
            "data": {
                "total": len(found), "offset": offset, "limit": limit, "count": len(page),
                "desc": request.query.get("desc") in {"1", "true"}, "items": page,
            }
        }
    )  # fmt: skip


def _input(_: Request, store_id: str) -> Response:
    found = runs.find(lambda run: f"kvs{run.id}"[:17] == store_id)
    if not found:
        return _error(404, "record-not-found", "Store was not found")
    return Response.of(found[0].input)


def _items(request: Request, dataset_id: str) -> Response:
    found = runs.find(lambda run: f"dat{run.id}"[:17] == dataset_id)
    if not found:
        return _error(404, "record-not-found", "Dataset was not found")
    run = found[0]
    if run.garbled:
        return Response(200, b'[{"authorMeta": {"name": "ga', {"Content-Type": "application/json"})
    offset, limit = request.query.get("offset", "0"), request.query.get("limit", str(NO_LIMIT))
    if not offset.isdecimal() or not limit.isdecimal():
        return _error(400, "invalid-parameter", "offset and limit are whole numbers.")
    everything = run.items if run.status(_now()) != "RUNNING" else []
    page = everything[int(offset) : int(offset) + int(limit)]
    return Response.of(
        page,
        200,
        {
            "X-Apify-Pagination-Offset": offset,
            "X-Apify-Pagination-Limit": limit,
            "X-Apify-Pagination-Count": str(len(page)),
            "X-Apify-Pagination-Total": str(len(everything)),
            "X-Apify-Pagination-Desc": "false",
        },
    )


def _me(_: Request) -> Response:
    return Response.of({"data": {"id": "7sT5jcggjjA9fNcxF", "username": "sandbox"}})


ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("POST", r"/v2/(?:acts|actors)/([^/]+)/runs", _start),
    ("GET", r"/v2/(?:acts|actors)/([^/]+)/runs", _list),
    ("GET", r"/v2/actor-runs/([^/]+)", _run),
    ("POST", r"/v2/actor-runs/([^/]+)/abort", _abort),
    ("GET", r"/v2/datasets/([^/]+)/items", _items),
    ("GET", r"/v2/key-value-stores/([^/]+)/records/INPUT", _input),
    ("GET", r"/v2/users/me", _me),
)


def _actor(name: str) -> str | None:
    """``user~name`` of that or of an id; None for an actor that is not known here."""
    if re.fullmatch(r"[A-Za-z0-9._-]+~[a-z0-9-]+", name):
        return name if any(sign in name for sign in ("instagram", "tiktok", "youtube")) else None
    return next((known for known, actor_id in ACTOR_IDS.items() if actor_id == name), None)


def _platform_of(actor: str) -> str:
    return next(p for p in ("INSTAGRAM", "TIKTOK", "YOUTUBE") if p.lower() in actor)


def _refused_options(query: Any) -> Response | None:
    if "maxItems" in query and not (query["maxItems"].isdecimal() and int(query["maxItems"]) > 0):
        return _error(
            400, "max-items-must-be-greater-than-zero", "Maximum charged results must be greater than 0."
        )  # fmt: skip
    if "timeout" in query and not query["timeout"].isdecimal():
        return _error(400, "invalid-parameter", "timeout is not a number of seconds.")
    return None


def _refused_as_a_whole(asked: list[tuple[str, str]]) -> Response | None:
    """Moods that the whole of Apify can have, when every account of the run has them."""
    moods = {Account("", handle).mood for _, handle in asked}
    if moods == {Mood.DOWN}:
        return _error(503, "internal-server-error", "We have bad news: this is our fault.")
    if moods == {Mood.RATELIMITED}:
        return _error(
            429, "rate-limit-exceeded",
            "You have exceeded the rate limit. Please try again later.", {"Retry-After": "30"},
        )  # fmt: skip
    if all(handle.startswith("nomoney") for _, handle in asked):
        return _error(
            402, "not-enough-usage-to-run-paid-actor",
            "By launching this job you will exceed your remaining usage.",
        )  # fmt: skip
    return None


# --- inputs: what each actor takes, strictly ---------------------------------------------------------


def _texts(body: dict[str, Any], key: str) -> tuple[list[str], str]:
    values = body.get(key)
    if not isinstance(values, list) or not values:
        return [], f"Field input.{key} is required and must be a list"
    if not all(isinstance(value, str) and value for value in values):
        return [], f"Items of input.{key} must be strings"
    return values, ""


def _handles(key: str) -> Callable[[dict[str, Any]], tuple[list[tuple[str, str]], str]]:
    def read(body: dict[str, Any]) -> tuple[list[tuple[str, str]], str]:
        values, complaint = _texts(body, key)
        limit = body.get("resultsPerPage", 1)
        if not isinstance(limit, int) or not 1 <= limit <= 1_000_000:
            return [], "Field input.resultsPerPage must be >= 1"
        return [(value, _last_segment(value)) for value in values], complaint

    return read


def _start_urls(body: dict[str, Any]) -> tuple[list[tuple[str, str]], str]:
    entries = body.get("startUrls")
    if not isinstance(entries, list) or not entries:
        return [], "Field input.startUrls is required and must be a list"
    urls = [entry.get("url") for entry in entries if isinstance(entry, dict)]
    if len(urls) != len(entries) or not all(
        isinstance(url, str) and url.startswith("https://www.youtube.com/") for url in urls
    ):
        return [], "Items of input.startUrls must be YouTube URLs"
    return [(str(url), _last_segment(str(url))) for url in urls], ""


def _last_segment(text: str) -> str:
    return text.rstrip("/").rpartition("/")[2].lstrip("@")


INPUTS: dict[str, Callable[[dict[str, Any]], tuple[list[tuple[str, str]], str]]] = {
    "INSTAGRAM": _handles("usernames"),
    "TIKTOK": _handles("profiles"),
    "YOUTUBE": _start_urls,
}


# --- rows ---------------------------------------------------------------------------------------------


def _newest(account: Account, limit: int, now: datetime) -> Iterable[Item]:
    return islice((item for item in account.items(now) if item.posted_at <= now), limit)


def _shown_handle(account: Account) -> str:
    return f"{account.handle}.now" if account.mood == Mood.RENAMED else account.handle


def _lost(account: Account) -> bool:
    """Accounts that a run silently drops: two times of a flaky one, always of one that is down."""
    match account.mood:
        case Mood.FLAKY:
            return memory.times(f"apify|{account.platform}|{account.handle}") < 2
        case Mood.DOWN | Mood.RATELIMITED:
            return True
    return False


def _tiktok(account: Account, given: str, limit: int, origin: str, now: datetime) -> list[Any]:
    url = f"https://www.tiktok.com/@{account.handle}"
    if _lost(account):
        return []
    if account.mood == Mood.NONEXISTENT:
        return [
            {"url": url, "input": given, "error": "This profile/hashtag does not exist.", "errorCode": "NOT_FOUND"}
        ]  # fmt: skip
    author = _tiktok_author(account, origin, now)
    if account.mood == Mood.PRIVATE:
        return [{"authorMeta": author, "input": given, "note": "Profile is private"}]
    if account.mood == Mood.GARBLED:
        return [{"authorMeta": {**author, "fans": "plenty"}, "input": given, "id": "1"}]
    return [
        _tiktok_video(item, author, given, origin, now) for item in _newest(account, limit, now)
    ]


def _tiktok_author(account: Account, origin: str, now: datetime) -> dict[str, Any]:
    avatar = cdn.avatar(origin, account, now)
    handle = _shown_handle(account)
    return {
        "id": str(6_700_000_000_000_000_000 + account.number % 10**17),
        "name": handle,
        "profileUrl": f"https://www.tiktok.com/@{handle}",
        "nickName": account.display_name,
        "verified": account.followers(now) > 100_000,
        "signature": account.bio,
        "bioLink": None,
        "originalAvatarUrl": avatar,
        "avatar": avatar,
        "commerceUserInfo": {"commerceUser": False},
        "privateAccount": account.mood == Mood.PRIVATE,
        "roomId": "",
        "ttSeller": False,
        "following": account.following(now),
        "friends": 0,
        "fans": account.followers(now),
        "heart": account.followers(now) * (9 + account.number % 20),
        "video": account.total_posts(now),
        "digg": account.number % 500,
    }


def _tiktok_video(
    item: Item, author: dict[str, Any], given: str, origin: str, now: datetime
) -> dict[str, Any]:
    video_id = item.long_id
    cover = cdn.thumbnail(origin, item, now)
    return {
        "id": video_id,
        "text": f"{item.account.display_name}, no. {item.index} #fyp",
        "textLanguage": "en",
        "createTime": int(item.posted_at.timestamp()),
        "createTimeISO": _time(item.posted_at),
        "locationCreated": "GB",
        "isAd": False,
        "authorMeta": author,
        "musicMeta": {"musicName": "original sound", "musicAuthor": item.account.display_name, "musicOriginal": True},
        "webVideoUrl": f"https://www.tiktok.com/@{author['name']}/video/{video_id}",
        "mediaUrls": [],
        "videoMeta": {"height": 1024, "width": 576, "duration": 12 + item.index % 80, "coverUrl": cover,
                      "originalCoverUrl": cover, "definition": "540p", "format": "mp4", "subtitleLinks": []},
        "diggCount": item.number("likes", 0.08, now),
        "shareCount": item.number("shares", 0.006, now),
        "playCount": item.number("views", 0.9, now),
        "collectCount": item.number("saves", 0.01, now),
        "commentCount": item.number("comments", 0.004, now),
        "mentions": [], "detailedMentions": [], "hashtags": [{"id": "1", "name": "fyp", "title": "", "cover": ""}],
        "effectStickers": [], "isSlideshow": item.index % 11 == 0, "isPinned": False, "isSponsored": False,
        "input": given, "fromProfileSection": "videos",
    }  # fmt: skip


def _instagram(account: Account, given: str, limit: int, origin: str, now: datetime) -> list[Any]:
    url = f"https://www.instagram.com/{account.handle}"
    if _lost(account):
        return []
    if account.mood == Mood.NONEXISTENT:
        return [
            {"url": url, "username": account.handle, "error": "not_found", "errorDescription": "Post does not exist"}
        ]  # fmt: skip
    avatar = cdn.avatar(origin, account, now)
    private = account.mood == Mood.PRIVATE
    return [
        {
            "inputUrl": url,
            "id": str(10**9 + account.number % 10**10),
            "fbid": f"1784{account.number % 10**13:013d}",
            "username": _shown_handle(account),
            "url": url,
            "fullName": account.display_name,
            "biography": account.bio,
            "externalUrl": None,
            "externalUrls": [],
            "followersCount": "plenty" if account.mood == Mood.GARBLED else account.followers(now),
            "followsCount": account.following(now),
            "hasChannel": False,
            "highlightReelCount": 3,
            "isBusinessAccount": account.mood != Mood.PERSONAL,
            "joinedRecently": False,
            "businessCategoryName": "None",
            "private": private,
            "verified": account.followers(now) > 100_000,
            "profilePicUrl": avatar,
            "profilePicUrlHD": avatar,
            "igtvVideoCount": 0,
            "relatedProfiles": [],
            "latestIgtvVideos": [],
            "postsCount": account.total_posts(now),
            "latestPosts": []
            if private
            else [_instagram_post(item, origin, now) for item in _newest(account, 12, now)],
        }
    ]


def _instagram_post(item: Item, origin: str, now: datetime) -> dict[str, Any]:
    kind = ("Image", "Video", "Sidecar")[item.index % 3]
    code = urlsafe_b64encode(sha256(item.key.encode()).digest())[:11].decode()
    film = {"videoUrl": None, "videoViewCount": item.number("views", 0.5, now),
            "videoPlayCount": item.number("views", 0.7, now), "videoDuration": 8.0 + item.index % 60,
            "productType": "clips"}  # fmt: skip
    return {
        "id": str(3_000_000_000_000_000_000 + seed(item.key) % 10**17),
        "type": kind,
        "shortCode": code,
        "caption": f"{item.account.display_name}, no. {item.index}",
        "hashtags": [],
        "mentions": [],
        "url": f"https://www.instagram.com/p/{code}/",
        "commentsCount": item.number("comments", 0.003, now),
        "firstComment": "",
        "latestComments": [],
        "dimensionsHeight": 1350,
        "dimensionsWidth": 1080,
        "displayUrl": cdn.thumbnail(origin, item, now),
        "images": [],
        "alt": None,
        "likesCount": -1 if item.index % 17 == 0 else item.number("likes", 0.05, now),
        "timestamp": _time(item.posted_at),
        "childPosts": [],
        "ownerUsername": item.account.handle,
        "ownerId": str(10**9 + item.account.number % 10**10),
        "isPinned": False,
        "isCommentsDisabled": False,
        **(film if kind == "Video" else {"productType": "feed"}),
    }


def _youtube(account: Account, given: str, limit: int, origin: str, now: datetime) -> list[Any]:
    if _lost(account):
        return []
    if account.mood in {Mood.NONEXISTENT, Mood.PRIVATE}:
        return [
            {"input": given, "error": "CHANNEL_DOES_NOT_EXIST", "note": "Channel does not exist"}
        ]
    channel = {
        "channelName": account.display_name,
        "channelUsername": _shown_handle(account),
        "channelId": _channel_id(account),
        "channelUrl": f"https://www.youtube.com/channel/{_channel_id(account)}",
        "numberOfSubscribers": "plenty"
        if account.mood == Mood.GARBLED
        else _three_figures(account.followers(now)),
        "aboutChannelInfo": {
            "channelDescription": account.bio,
            "channelAvatarUrl": cdn.avatar(origin, account, now),
            "channelTotalVideos": account.total_posts(now),
            "channelTotalViews": f"{account.followers(now) * 210:,}",
            "isChannelVerified": account.followers(now) > 100_000,
            "inputChannelUrl": given,
        },
    }
    return [
        {
            **channel,
            "id": urlsafe_b64encode(sha256(item.key.encode()).digest())[:11].decode(),
            "title": f"{account.display_name}, no. {item.index}",
            "url": f"https://www.youtube.com/watch?v={item.index}",
            "type": "shorts" if item.index % 4 == 0 else "video",
            "duration": f"{item.index % 20}:{item.index % 60:02d}",
            "date": _time(item.posted_at),
            "viewCount": item.number("views", 0.6, now),
            "likes": item.number("likes", 0.03, now),
            "commentsCount": item.number("comments", 0.002, now),
            "thumbnailUrl": cdn.thumbnail(origin, item, now),
            "text": "",
            "order": place,
            "fromYTUrl": given,
            "input": given,
        }
        for place, item in enumerate(_newest(account, limit, now))
    ]


ROWS: dict[str, Callable[[Account, str, int, str, datetime], list[Any]]] = {
    "INSTAGRAM": _instagram,
    "TIKTOK": _tiktok,
    "YOUTUBE": _youtube,
}


def _channel_id(account: Account) -> str:
    if re.fullmatch(r"UC[A-Za-z0-9_-]{22}", account.handle):
        return account.handle
    return "UC" + urlsafe_b64encode(sha256(account.handle.lower().encode()).digest())[:22].decode()


def _three_figures(number: int) -> int:
    step = int(10 ** max(len(str(number)) - 3, 0))
    return number // step * step


def _id(*parts: str) -> str:
    """17 letters and digits, as Apify's ids are."""
    return sha256("|".join(parts).encode()).hexdigest()[:17]


def _now() -> datetime:
    return datetime.now(UTC)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _error(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response.of({"error": {"type": kind, "message": message}}, status, headers)
