"""Instagram's public profile: the website's own interface, else the profile page."""

from __future__ import annotations

import html
import re
from typing import Any

from scraping.errors import BadResponse, Blocked, NotFound, PrivateAccount
from scraping.providers.base import Outside
from scraping.providers.posts import Listed, count, listed, salvage
from scraping.providers.public.pages import BROWSER, PAGE, SOURCE, embedded, fetch
from scraping.types import Count, Post, PostKind, Profile, ScrapedAccount
from scraping.wire import Fields

PLATFORM = "INSTAGRAM"
INTERFACE = {
    "User-Agent": BROWSER,
    "Accept": "*/*",
    "x-ig-app-id": "936619743392459",
    "X-ASBD-ID": "359341",
    "X-Requested-With": "XMLHttpRequest",
}
WALLS = re.compile(
    r"require_login|feedback_required|checkpoint_required|challenge_required|Please wait a few minutes"
)
USER_KEY = '"xig_user_by_username":'
TAG = re.compile(
    r"<meta[^>]{0,200}(?:property|name)=\"(?:og:)?description\"[^>]{0,200}content=\"([^\"]{1,600})\""
)
TITLE = re.compile(r"<meta[^>]{0,200}property=\"og:title\"[^>]{0,200}content=\"([^\"]{1,600})\"")
SUMMARY = re.compile(
    r"([\d.,]+[KMB]?) Followers?, ([\d.,]+[KMB]?) Following, ([\d.,]+[KMB]?) Posts?"
)


def read(handle: str, post_limit: int, context: Outside) -> ScrapedAccount:
    """The account as the website tells it. Raises Failure."""
    base = context.settings["INSTAGRAM_WEB_URL"].rstrip("/")
    reply = fetch(
        f"{base}/api/v1/users/web_profile_info/", PLATFORM, context,
        headers={**INTERFACE, "Referer": f"{base}/{handle}/"}, params={"username": handle},
    )  # fmt: skip
    _refuse_wall(reply.text()[:20_000])
    if reply.status == 400:
        # Some professional profiles are told by their page alone.
        return _from_page(base, handle, context)
    answer = Fields(reply.json(), platform=PLATFORM, source=SOURCE, meter=context.meter)
    data = answer.child("data")
    user = data.child("user") if data else None
    if user is None:
        raise NotFound("the website knows no such account", platform=PLATFORM, source=SOURCE)
    return _account(user, handle, post_limit, context)


def _refuse_wall(text: str) -> None:
    if WALLS.search(text):
        raise Blocked("the website wants a sign-in", platform=PLATFORM, source=SOURCE)


def _account(user: Fields, handle: str, post_limit: int, context: Outside) -> ScrapedAccount:
    if user.flag("is_private"):
        raise PrivateAccount(platform=PLATFORM, source=SOURCE)
    media = user.child("edge_owner_to_timeline_media")
    total = media.count("count") if media else None
    found = [post for node in _nodes(media) if (post := salvage(node, _post, PostKind.IMAGE))]
    posts, since = listed([Listed(post) for post in found], limit=post_limit, total=total)
    web_id, graph_id = user.ident("id"), user.ident("fbid")
    name = user.ident("username") or handle
    profile = Profile(
        external_id=graph_id or web_id or user.need("id"),
        handle=name,
        display_name=(user.text("full_name") or "")[:300],
        bio=user.text("biography"),
        avatar_url=user.text("profile_pic_url_hd") or user.text("profile_pic_url"),
        profile_url=f"https://www.instagram.com/{name}/",
        followers=_edge(user, "edge_followed_by"),
        following=_edge(user, "edge_follow"),
        posts=Count.of(total),
        verified=user.flag("is_verified"),
        private=user.flag("is_private"),
        extra={"web_id": web_id} if web_id and graph_id else {},
    )
    hidden = post_limit > 0 and not posts and bool(total)
    return ScrapedAccount(
        profile, posts, SOURCE, context.clock(), ("posts",) if hidden else (), since
    )


def _nodes(media: Fields | None) -> list[Fields]:
    edges: list[Any] = media.items("edges") if media else []
    return [
        Fields(edge["node"], platform=PLATFORM, source=SOURCE, path="edges[].node")
        for edge in edges
        if isinstance(edge, dict) and isinstance(edge.get("node"), dict)
    ]


def _edge(row: Fields, key: str) -> Count:
    """The website writes -1 for a number that the owner hides."""
    edge = row.child(key)
    if edge is None:
        return Count.unknown()
    if edge.value.get("count") == -1:
        return Count.hidden()
    return Count.of(edge.count("count"))


def _post(node: Fields, external_id: str) -> Post:
    film = node.flag("is_video")
    carousel = node.text("__typename") in {"GraphSidecar", "XDTGraphSidecar"}
    code = node.ident("shortcode")
    views = node.count("video_view_count")
    likes = _edge(node, "edge_media_preview_like")
    return Post(
        external_id=external_id,
        shared_id=code or "",
        kind=PostKind.VIDEO if film else PostKind.CAROUSEL if carousel else PostKind.IMAGE,
        posted_at=node.epoch("taken_at_timestamp"),
        caption=_caption(node),
        url=f"https://www.instagram.com/p/{code}/" if code else None,
        thumbnail_url=node.text("display_url"),
        likes=_edge(node, "edge_liked_by") if likes == Count.unknown() else likes,
        comments=_edge(node, "edge_media_to_comment"),
        views=Count.of(views),
        view_definition="instagram.video_views" if views is not None else "",
        kind_confidence="declared",
    )


def _caption(node: Fields) -> str | None:
    edges = node.child("edge_media_to_caption")
    for edge in edges.children("edges") if edges else ():
        text = edge.child("node")
        return text.text("text") if text else None
    return None


# --- the page -------------------------------------------------------------------------------------


def _from_page(base: str, handle: str, context: Outside) -> ScrapedAccount:
    page = fetch(f"{base}/{handle}/", PLATFORM, context, headers=PAGE).text()
    place = page.find(USER_KEY)
    if place >= 0:
        text = page[place + len(USER_KEY) :]
        user = embedded(text, PLATFORM, context)
        return ScrapedAccount(_page_profile(user, handle), (), SOURCE, context.clock(), ("posts",))
    return ScrapedAccount(_tag_profile(page, handle), (), SOURCE, context.clock(), ("posts",))


def _page_profile(user: Fields, asked: str) -> Profile:
    """The page's ``id`` is not the account's: ``pk`` is."""
    if user.flag("is_private"):
        raise PrivateAccount(platform=PLATFORM, source=SOURCE)
    handle = user.ident("username") or asked
    return Profile(
        external_id=user.need("pk"),
        handle=handle,
        display_name=(user.text("full_name") or "")[:300],
        bio=user.text("biography"),
        avatar_url=user.text("profile_pic_url"),
        profile_url=f"https://www.instagram.com/{handle}/",
        followers=count(user, "follower_count"),
        following=count(user, "following_count"),
        posts=count(user, "all_media_count"),
        verified=user.flag("is_verified"),
        private=user.flag("is_private"),
    )


def _tag_profile(page: str, handle: str) -> Profile:
    """What the page's description says; a login wall's page says nothing of the account."""
    tag = TAG.search(page)
    told = SUMMARY.search(html.unescape(tag[1])) if tag else None
    if told is None:
        if page.find("og:title") < 0:
            raise BadResponse(
                "the page carries no profile", platform=PLATFORM, source=SOURCE, field="body"
            )
        raise Blocked("the page shows a sign-in", platform=PLATFORM, source=SOURCE)
    title = TITLE.search(page)
    followers, following, posts = (_shortened(number) for number in told.groups())
    return Profile(
        external_id="",
        handle=handle,
        display_name=html.unescape(title[1]).partition(" (@")[0][:300] if title else "",
        profile_url=f"https://www.instagram.com/{handle}/",
        followers=followers,
        following=following,
        posts=posts,
    )


def _shortened(text: str) -> Count:
    """``70.2K`` is rounded, ``9,871`` is exact."""
    scale = {"K": 10**3, "M": 10**6, "B": 10**9}.get(text[-1])
    number = text.rstrip("KMB").replace(",", "")
    try:
        if scale is None:
            return Count.exact(int(number))
        return Count.rounded(round(float(number) * scale))
    except ValueError:
        return Count.unknown()
