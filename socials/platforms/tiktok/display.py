"""The source ``tiktok_display``: an account that gave its permission, through the Display API v2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scraping.errors import BadResponse, Failure, Internal, PermissionMissing, ReauthRequired
from scraping.types import Post, Profile
from socials.platforms.kit.platform import Outcome
from socials.platforms.tiktok import parse
from socials.platforms.tiktok.api import MOST_VIDEOS, PLATFORM, SOURCE, Display
from socials.types import Ask, Context, Depth, Reading, StopReason, Token

BASIC, PROFILE, STATS, VIDEOS = (
    "user.info.basic", "user.info.profile", "user.info.stats", "video.list",
)  # fmt: skip
TOLD_BY = {PROFILE: "bio", STATS: "followers"}
"""What is named in ``partial`` where the scope that tells it is missing."""


class TikTokDisplay:
    name = SOURCE
    needs: tuple[str, ...] = ()
    batch_size = 1

    def can_read(self, ask: Ask) -> bool:
        return ask.token is not None

    def price(self, asks: Sequence[Ask]) -> Mapping[str, int]:
        """A profile each, pages of 20 posts at the most, or the due posts 20 at a time."""
        spent = {"tiktok.user_info": len(asks)}
        listed = sum(_pages(ask.post_limit) for ask in asks if _may_list(ask))
        due = sum(_pages(len(ask.due_posts)) for ask in asks if _may_list(ask))
        if listed:
            spent["tiktok.video_list"] = listed
        if due:
            spent["tiktok.video_query"] = due
        return spent

    def read_many(self, asks: Sequence[Ask], context: Context) -> Iterator[Outcome]:
        yield from context.concurrently(lambda ask: (ask, _outcome(ask, context)), asks)


def read_profile(context: Context, token: str, scopes: Sequence[str] = ()) -> Profile:
    """Who granted this token: the account to show before it is kept. Raises Failure."""
    ask = Ask(0, PLATFORM, "", token=Token(token, tuple(scopes)))
    return _Reader(ask, Display(token, context), context).profile()


def _pages(posts: int) -> int:
    return -(-posts // MOST_VIDEOS)


def _scopes(ask: Ask) -> frozenset[str]:
    """The scopes that were granted; a grant that tells none is tried with all of them."""
    granted = frozenset(ask.token.scopes) if ask.token else frozenset()
    return granted or frozenset({BASIC, PROFILE, STATS, VIDEOS})


def _narrower(scopes: frozenset[str]) -> list[frozenset[str]]:
    """All of them, then without those that can be done without: one, the other, both."""
    less = [frozenset(), {STATS}, {PROFILE}, {STATS, PROFILE}]
    return list(dict.fromkeys(scopes - lost for lost in less if lost <= scopes))


def _user_fields(scopes: frozenset[str]) -> list[str]:
    """A field whose scope is missing would fail the whole call: only granted ones are asked."""
    fields = list(parse.BASIC_FIELDS)
    if PROFILE in scopes:
        fields += parse.PROFILE_FIELDS
    if STATS in scopes:
        fields += parse.STATS_FIELDS
    return fields


def _may_list(ask: Ask) -> bool:
    return VIDEOS in _scopes(ask)


def _outcome(ask: Ask, context: Context) -> Reading | Failure:
    if ask.token is None:
        return ReauthRequired("there is no grant", platform="TIKTOK", source=SOURCE)
    try:
        return _Reader(ask, Display(ask.token.access_token, context), context).read()
    except Failure as failure:
        return failure


class _Reader:
    """One account, read once."""

    def __init__(self, ask: Ask, api: Display, context: Context) -> None:
        self.ask = ask
        self.api = api
        self.context = context
        self.scopes = _scopes(ask)
        self.partial: list[str] = []

    def read(self) -> Reading:
        profile = self.profile()
        total = profile.posts.value
        posts, stop, since, gone = self._posts(total)
        return Reading(
            profile=profile,
            posts=posts,
            source=SOURCE,
            fetched_at=self.context.clock(),
            partial=tuple(self.partial),
            posts_total=total,
            stop_reason=stop,
            listed_since=since,
            gone_posts=gone,
        )

    def profile(self) -> Profile:
        """Who it is. A scope that was taken away since the grant costs only what it told."""
        return self._profile(_narrower(self.scopes))

    def _profile(self, choices: Sequence[frozenset[str]]) -> Profile:
        scopes, *less = choices
        try:
            user = self.api.user(_user_fields(scopes))
        except PermissionMissing:
            if not less:
                raise
            return self._profile(less)
        self.partial += [lost for scope, lost in TOLD_BY.items() if scope not in scopes]
        return parse.profile(user, self.ask.handle)

    def _posts(self, total: int | None) -> parse.PostsRead:
        if VIDEOS not in self.scopes:
            return self._refused()
        unmoved = self.ask.known_posts is not None and self.ask.known_posts == total
        try:
            if self.ask.depth is Depth.CHEAP and unmoved:
                return self._due()
            return self._listing()
        except PermissionMissing:
            return self._refused()

    def _refused(self) -> parse.PostsRead:
        self.partial.append("posts")
        return parse.PostsRead((), StopReason.REFUSED)

    def _due(self) -> parse.PostsRead:
        """The metrics of posts that are due, asked by id; those that are not there are gone."""
        wanted = list(dict.fromkeys(self.ask.due_posts))
        posts: list[Post] = []
        for start in range(0, len(wanted), MOST_VIDEOS):
            posts += self.api.videos(wanted[start : start + MOST_VIDEOS])
        found = {post.external_id for post in posts}
        gone = tuple(video_id for video_id in wanted if video_id not in found)
        return parse.PostsRead(
            tuple(post for post in posts if post.external_id in set(wanted)),
            StopReason.UNCHANGED, None, gone,
        )  # fmt: skip

    def _listing(self) -> parse.PostsRead:
        """Newest first, page by page. What a later page's fault leaves is kept."""
        posts: dict[str, Post] = {}
        cursor: int | None = None
        stop = StopReason.LIMIT
        while len(posts) < self.ask.post_limit:
            wanted = min(MOST_VIDEOS, self.ask.post_limit - len(posts))
            try:
                page = self.api.page(cursor, wanted)
            except (ReauthRequired, PermissionMissing):
                raise
            except Failure as fault:
                if cursor is None and not isinstance(fault, (BadResponse, Internal)):
                    raise
                self.partial.append("posts")
                stop = StopReason.FAULT
                break
            before = len(posts)
            for post in page.posts:
                posts.setdefault(post.external_id, post)
            if not page.has_more or page.cursor is None:
                stop = StopReason.END
                break
            if page.cursor == cursor or (page.posts and len(posts) == before):
                self.partial.append("posts")  # it goes round in circles
                stop = StopReason.FAULT
                break
            cursor = page.cursor
        return parse.posts_read(tuple(posts.values())[: self.ask.post_limit], stop)
