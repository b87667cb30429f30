"""TikTok's public profile page, which carries the profile as JSON.

A plain request is often met by a challenge: that is a login wall to us, and we go no further.
"""

from __future__ import annotations

import re
from typing import Any

from scraping.errors import BadResponse, Blocked, NotFound, PrivateAccount
from scraping.providers.base import Outside
from scraping.providers.posts import TIKTOK_VIEWS, Listed, listed, salvage
from scraping.providers.public.pages import SOURCE, embedded, fetch, script
from scraping.types import Count, Post, PostKind, Profile, ScrapedAccount
from scraping.wire import Fields

PLATFORM = "TIKTOK"
NOT_FOUND = frozenset({10202, 10221})
"""10221 is told of names that don't exist, of banned and of renamed accounts."""
PRIVATE = frozenset({10222})
WALLS = frozenset({10000, 10102, 10204, 10223, 10225})
"""Captcha, not signed in, address blocked, age-restricted, sensitive."""
CHALLENGES = re.compile(
    r"Please wait\.\.\.|_wafchallengeid|captcha|verify-bar-close", re.IGNORECASE
)


def read(handle: str, post_limit: int, context: Outside) -> ScrapedAccount:
    """The account as its page shows it. Raises Failure."""
    base = context.settings["TIKTOK_WEB_URL"].rstrip("/")
    page = fetch(f"{base}/@{handle}", PLATFORM, context).text()
    data = script(page, r"id=[\"']__UNIVERSAL_DATA_FOR_REHYDRATION__[\"']")
    if data is None:
        if CHALLENGES.search(page[:200_000]):
            raise Blocked("the page shows a challenge", platform=PLATFORM, source=SOURCE)
        raise BadResponse(
            "the page carries no profile", platform=PLATFORM, source=SOURCE, field="body"
        )
    scope = embedded(data, PLATFORM, context).child("__DEFAULT_SCOPE__")
    detail = scope.child("webapp.user-detail") if scope else None
    if detail is None:
        raise BadResponse(
            "the page carries no profile",
            platform=PLATFORM, source=SOURCE, field="__DEFAULT_SCOPE__.webapp.user-detail",
        )  # fmt: skip
    _refuse(detail.count("statusCode") or 0)
    return _account(detail, handle, post_limit, context)


def _refuse(status: int) -> None:
    where: dict[str, Any] = {"platform": PLATFORM, "source": SOURCE}
    if status in NOT_FOUND:
        raise NotFound("the page says that there is no such account", **where)
    if status in PRIVATE:
        raise PrivateAccount(**where)
    if status in WALLS:
        raise Blocked(f"the page is for signed-in people (status {status})", **where)
    if status:
        raise BadResponse(f"the page tells status {status}", field="statusCode", **where)


def _account(detail: Fields, handle: str, post_limit: int, context: Outside) -> ScrapedAccount:
    info = detail.child("userInfo")
    user = info.child("user") if info else None
    if info is None or user is None or not user.value:
        raise BadResponse(
            "the page carries an empty profile",
            platform=PLATFORM, source=SOURCE, field="userInfo.user",
        )  # fmt: skip
    if user.flag("privateAccount") or user.flag("secret"):
        raise PrivateAccount(platform=PLATFORM, source=SOURCE)
    profile = _profile(user, info, handle)
    items = [item for item in info.items("itemList") if isinstance(item, dict)]
    found = [
        post
        for item in items
        if (post := salvage(Fields(item, platform=PLATFORM, source=SOURCE, path="itemList[]"), _post, PostKind.VIDEO))
    ]  # fmt: skip
    posts, since = listed([Listed(post) for post in found], limit=post_limit, total=profile.posts.value)  # fmt: skip
    hidden = post_limit > 0 and not posts and (profile.posts.value or 0) > 0
    return ScrapedAccount(
        profile, posts, SOURCE, context.clock(), ("posts",) if hidden else (), since
    )


def _profile(user: Fields, info: Fields, asked: str) -> Profile:
    """``statsV2`` holds exact numbers as strings; ``stats`` may be rounded."""
    exact, rough = info.child("statsV2"), info.child("stats")

    def count(key: str) -> Count:
        value = exact.count(key) if exact else None
        if value is not None:
            return Count.exact(value)
        value = rough.count(key) if rough else None
        return Count.unknown() if value is None else Count.rounded(value)

    likes = count("heartCount")
    handle = user.ident("uniqueId") or asked
    return Profile(
        external_id=user.need("id"),
        handle=handle,
        display_name=(user.text("nickname") or "")[:300],
        bio=user.text("signature"),
        avatar_url=user.text("avatarLarger")
        or user.text("avatarMedium")
        or user.text("avatarThumb"),
        profile_url=f"https://www.tiktok.com/@{handle}",
        followers=count("followerCount"),
        following=count("followingCount"),
        posts=count("videoCount"),
        likes=count("heart") if likes.value is None else likes,
        verified=user.flag("verified"),
        private=user.flag("privateAccount"),
    )


def _post(item: Fields, external_id: str) -> Post:
    exact, rough, video = item.child("statsV2"), item.child("stats"), item.child("video")

    def count(key: str) -> Count:
        for place in (exact, rough):
            value = place.count(key) if place else None
            if value is not None:
                return Count.exact(value)
        return Count.unknown()

    views = count("playCount")
    author = item.child("author")
    name = author.ident("uniqueId") if author else None
    return Post(
        external_id=external_id,
        kind=PostKind.CAROUSEL if "imagePost" in item else PostKind.VIDEO,
        posted_at=item.epoch("createTime"),
        caption=item.text("desc"),
        url=f"https://www.tiktok.com/@{name}/video/{external_id}" if name else None,
        thumbnail_url=video.text("cover") if video else None,
        duration_seconds=video.number("duration") if video else None,
        likes=count("diggCount"),
        comments=count("commentCount"),
        shares=count("shareCount"),
        saves=count("collectCount"),
        views=views,
        view_definition=TIKTOK_VIEWS if views.value is not None else "",
        kind_confidence="declared",
    )
