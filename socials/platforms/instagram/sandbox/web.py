"""What the sandbox's Instagram shows to anybody: the website's own interface, for one page of posts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from socials.platforms.instagram.sandbox import errors, people
from socials.platforms.instagram.sandbox.people import Person
from socials.platforms.kit import cdn
from socials.platforms.kit.sandbox import Account, Item, Mood, Request, Response, memory

PAGE = 12
FAILURES_BEFORE_FINE = 2
WALL = {
    "message": "Please wait a few minutes before you try again.",
    "require_login": True,
    "igweb_rollout": True,
    "status": "fail",
}


def profile(request: Request) -> Response:
    """GET ``/api/v1/users/web_profile_info/?username=``; without the website's id, a wall."""
    handle = request.query.get("username", "")
    if not handle or "x-ig-app-id" not in request.headers:
        return Response.of(WALL, 401)
    account = Account("INSTAGRAM", handle.lower())
    match account.mood:
        case Mood.NONEXISTENT:
            return Response.of({"data": {"user": None}, "status": "ok"})
        case Mood.RATELIMITED | Mood.EXPIRED:
            return Response.of(WALL, 401)
        case Mood.DOWN:
            return errors.down()
        case Mood.GARBLED:
            return errors.garbled()
        case Mood.FLAKY if memory.times(f"web|flaky|{handle}") < FAILURES_BEFORE_FINE:
            return errors.down()
    return Response.of({"data": {"user": _user(account, request.origin)}, "status": "ok"})


def _user(account: Account, origin: str) -> dict[str, Any]:
    person = Person(account, datetime.now(UTC), origin, own=False)
    private = account.mood is Mood.PRIVATE
    items = [] if private else person.items[:PAGE]
    picture = cdn.avatar(origin, account, person.now)
    return {
        "id": str(person.web_id),
        "fbid": person.user_id,
        "username": person.username,
        "full_name": account.display_name,
        "biography": account.bio,
        "external_url": None,
        "edge_followed_by": {"count": account.followers(person.now)},
        "edge_follow": {"count": account.following(person.now)},
        "is_private": private,
        "is_verified": account.number % 5 == 0,
        "is_professional_account": account.mood is not Mood.PERSONAL and not private,
        "profile_pic_url": picture,
        "profile_pic_url_hd": picture,
        "edge_owner_to_timeline_media": {
            "count": person.media_count,
            "page_info": {"has_next_page": person.media_count > PAGE, "end_cursor": None},
            "edges": [{"node": _node(person, item)} for item in items],
        },
    }


def _node(person: Person, item: Item) -> dict[str, Any]:
    _, media_type = people.kind(item)
    film = media_type == "VIDEO"
    kinds = {"VIDEO": "GraphVideo", "CAROUSEL_ALBUM": "GraphSidecar"}
    node = {
        "__typename": kinds.get(media_type, "GraphImage"),
        "id": people.media_id(item),
        "shortcode": people.shortcode(item),
        "taken_at_timestamp": int(item.posted_at.timestamp()),
        "is_video": film,
        "display_url": cdn.thumbnail(person.origin, item, person.now),
        "edge_media_preview_like": {
            "count": -1 if person.hides_likes(item) else person.likes(item)
        },
        "edge_media_to_comment": {"count": item.number("comments", 0.002, person.now)},
        "edge_media_to_caption": {"edges": [{"node": {"text": person.account.bio}}]},
    }
    return {**node, "video_view_count": person.views(item)} if film else node
