"""Instagram API with Instagram Login: a talent's own account, read with the talent's token.

Reference: https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/get-started
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from scraping.errors import BadResponse, Failure, RateLimited, ReauthRequired
from scraping.types import Post
from scraping.wire import Fields
from socials.platforms.instagram import insights, listing, parse
from socials.platforms.instagram.failures import GONE, Whose, failure
from socials.platforms.instagram.graph import PLATFORM, Graph, Refusal
from socials.platforms.kit.platform import Outcome, each_in_turn
from socials.types import Ask, Context, Depth, Profile, Reading, StopReason, Token

SOURCE = "instagram_login"
PROFILE_FIELDS = (*parse.PROFILE_FIELDS, "user_id", "account_type")
OPTIONAL_FIELDS = frozenset({*PROFILE_FIELDS, *parse.MEDIA_FIELDS}) - {"id", "user_id"}
FULL_UNTIL = "full_until"
"""Kept beside the profile: when the account's used-up limit ends (ISO 8601), empty otherwise."""
PROFESSIONAL_ID = "1784"
"""How the ids of professional accounts begin; app-scoped ones begin otherwise."""


class InstagramLogin:
    """Two calls an account, and one more for each post whose insights are read."""

    name = SOURCE
    needs: tuple[str, ...] = ()
    batch_size = 1

    def can_read(self, ask: Ask) -> bool:
        return ask.token is not None

    def price(self, asks: Sequence[Ask]) -> Mapping[str, int]:
        # Meta's limit grows with the account's audience and is told by headers.
        return {}

    def read_many(self, asks: Sequence[Ask], context: Context) -> Iterator[Outcome]:
        return each_in_turn(
            asks, lambda ask: _Visit(ask, context).read(), platform=PLATFORM, source=SOURCE
        )


def read_profile(context: Context, token: str) -> Profile:
    """Who granted this token: the account to show before it is kept. Raises Failure."""
    return _Visit(Ask(0, PLATFORM, "", token=Token(token)), context).profile()


@dataclass(slots=True)
class _Visit:
    """One account's reading."""

    ask: Ask
    context: Context
    graph: Graph = field(init=False)
    dropped: set[str] = field(default_factory=set)
    """Fields that this version of the API does not know any more."""

    def __post_init__(self) -> None:
        if self.ask.token is None:
            raise ReauthRequired("Instagram Login needs the talent's token")
        self.graph = Graph(
            self.context,
            SOURCE,
            self.context.settings["INSTAGRAM_GRAPH_URL"],
            self.ask.token.access_token,
        )

    def read(self) -> Reading:
        """Raises Failure."""
        self._wait_out()
        profile = self.profile()
        found = self._listing(profile)
        gone = self._overdue(found)
        wanted = self._wants_insights(found, profile)
        reader = insights.Insights(self.graph)
        if self._may_read_insights():
            found.posts = self._filled(reader, found.posts, wanted)
        elif wanted:
            reader.partial.add("insights")
        listing.report(found.fault, self.context.meter)
        full_until = self.graph.full_until
        told = {FULL_UNTIL: full_until.isoformat() if full_until else ""}
        return Reading(
            profile=replace(profile, extra={**profile.extra, **told}),
            posts=tuple(found.posts),
            source=SOURCE,
            fetched_at=self.context.clock(),
            partial=(*found.partial, *sorted(reader.partial | self.dropped)),
            posts_total=profile.posts.value,
            stop_reason=found.stop_reason,
            listed_since=found.listed_since,
            gone_posts=gone,
        )

    def _wait_out(self) -> None:
        """Raises RateLimited while the limit that the last reading was told of lasts."""
        told = self.ask.extra.get(FULL_UNTIL, "")
        if told and (end := datetime.fromisoformat(told)) > self.context.clock():
            raise RateLimited("Instagram's limit for this account is used up", retry_at=end)

    def profile(self) -> Profile:
        body = self._get("me", PROFILE_FIELDS)
        account = parse.fields_of(unwrapped(body), self.context, SOURCE)
        own_id, app_user_id = account.ident("user_id"), account.ident("id") or ""
        if own_id is None and app_user_id.startswith(PROFESSIONAL_ID):
            own_id = app_user_id
        return parse.profile(
            account,
            external_id=own_id or account.need("user_id"),
            handle=self.ask.handle,
            extra={"app_user_id": app_user_id, "account_type": account.text("account_type") or ""},
        )

    def _listing(self, profile: Profile) -> listing.Listing:
        ask = self.ask
        if not ask.post_limit:
            return listing.Listing(stop_reason=StopReason.LIMIT)
        unmoved = ask.known_posts is not None and profile.posts.value == ask.known_posts
        if ask.depth is Depth.CHEAP and unmoved and not ask.due_posts:
            return listing.Listing(stop_reason=StopReason.UNCHANGED)

        def page(cursor: str, size: int) -> Fields:
            params = {"after": cursor} if cursor else {}
            path = f"{profile.external_id}/media"
            body = self._get(path, parse.MEDIA_FIELDS, limit=str(size), **params)
            return parse.fields_of(body, self.context, SOURCE, "media").known("data", "paging")

        return listing.read(page, limit=ask.post_limit, total=profile.posts.value)

    def _overdue(self, found: listing.Listing) -> tuple[str, ...]:
        """Add the due posts that lie deeper than the listing went; the ids of those gone."""
        if found.fault or found.stop_reason is StopReason.END:
            return ()
        gone = []
        listed = {post.external_id for post in found.posts}
        for external_id in self.ask.due_posts:
            if external_id in listed:
                continue
            try:
                found.posts.append(self._single(external_id))
            except Refusal as refusal:
                if refusal.code == 100 and refusal.subcode == GONE:
                    gone.append(external_id)
                    continue
                found.fault = failure(refusal, source=SOURCE, whose=Whose.TALENT)
                break
            except Failure as failed:
                found.fault = failed
                break
        return tuple(gone)

    def _single(self, external_id: str) -> Post:
        names = (name for name in parse.MEDIA_FIELDS if name not in self.dropped)
        body = self.graph.get(external_id, fields=",".join(names))
        item = parse.fields_of(body, self.context, SOURCE, "media")
        return parse.post(item, item.need("id"))

    def _wants_insights(self, found: listing.Listing, profile: Profile) -> set[str]:
        """Every listed post when all is asked for; else the due ones and those that are new."""
        ids = [post.external_id for post in found.posts]
        if self.ask.depth is Depth.FULL or self.ask.known_posts is None:
            return set(ids)
        new = max((profile.posts.value or 0) - self.ask.known_posts, 0)
        return {*ids[:new], *self.ask.due_posts}

    def _may_read_insights(self) -> bool:
        scopes = self.ask.token.scopes if self.ask.token else ()
        return not scopes or insights.SCOPE in scopes

    def _filled(self, reader: insights.Insights, posts: list[Post], wanted: set[str]) -> list[Post]:
        asked = [post for post in posts if post.external_id in wanted]
        filled = {post.external_id: post for post in reader.fill(asked)}
        return [filled.get(post.external_id, post) for post in posts]

    def _get(self, path: str, names: Iterable[str], **params: str) -> dict[str, Any]:
        """The answer, asked again without the fields that Meta has retired. Raises Failure."""
        while True:
            fields = ",".join(name for name in names if name not in self.dropped)
            try:
                return self.graph.get(path, fields=fields, **params)
            except Refusal as refusal:
                retired = refusal.retired_field
                if retired not in OPTIONAL_FIELDS - self.dropped:
                    raise failure(refusal, source=SOURCE, whose=Whose.TALENT) from None
                self.dropped.add(retired)


def unwrapped(body: dict[str, Any]) -> Any:
    """The documents wrap the account in ``data: [{…}]``; the service sends it flat."""
    data = body.get("data")
    if not isinstance(data, list):
        return body
    if not data:
        raise BadResponse("data is empty", platform=PLATFORM, source=SOURCE, field="data")
    return data[0]
