"""Business Discovery: any professional account's public numbers, read with the agency's own token.

Reference: https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/business_discovery
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scraping.errors import BadResponse, Failure, InvalidHandle, NotFound
from scraping.wire import Fields
from socials.platforms.instagram import listing, parse
from socials.platforms.instagram.failures import UNKNOWN_USER, Whose, failure
from socials.platforms.instagram.graph import PLATFORM, Graph, Refusal
from socials.platforms.kit.platform import Outcome, each_in_turn
from socials.types import Ask, Context, Depth, Profile, Reading, StopReason

SOURCE = "instagram_business_discovery"
PROFILE_FIELDS = (*parse.PROFILE_FIELDS, "ig_id")
MEDIA_FIELDS = (*parse.MEDIA_FIELDS, "view_count")
OPTIONAL_FIELDS = frozenset({*PROFILE_FIELDS, *MEDIA_FIELDS}) - {"id"}
SMALLEST_PAGE = 5

_HANDLE = re.compile(r"[A-Za-z0-9._]{1,30}")


class BusinessDiscovery:
    """One call an account; newest posts come with it, further pages cost one call each."""

    name = SOURCE
    needs: tuple[str, ...] = ("META_ACCESS_TOKEN", "META_IG_USER_ID")
    batch_size = 1

    def can_read(self, ask: Ask) -> bool:
        return bool(ask.handle)

    def price(self, asks: Sequence[Ask]) -> Mapping[str, int]:
        # Meta's limit grows with the app's users and is told by headers, so nothing is reserved.
        return {}

    def read_many(self, asks: Sequence[Ask], context: Context) -> Iterator[Outcome]:
        return each_in_turn(
            asks, lambda ask: _Visit(ask, context).read(), platform=PLATFORM, source=SOURCE
        )


@dataclass(slots=True)
class _Visit:
    """One account's reading."""

    ask: Ask
    context: Context
    graph: Graph = field(init=False)
    dropped: set[str] = field(default_factory=set)
    """Fields that this version of the API does not know any more."""
    page_size: int = listing.PAGE_SIZE

    def __post_init__(self) -> None:
        settings = self.context.settings
        self.graph = Graph(
            self.context,
            SOURCE,
            settings["META_GRAPH_URL"],
            settings["META_ACCESS_TOKEN"],
            settings.get("META_APP_SECRET", ""),
            shared=True,
        )
        self.page_size = min(self.page_size, max(self.ask.post_limit, 1))

    def read(self) -> Reading:
        """Raises Failure."""
        if not _HANDLE.fullmatch(self.ask.handle):
            raise InvalidHandle(
                "An Instagram handle has letters, digits, dots and underscores, as in jane.smith",
                field="handle",
            )
        with_posts = self._wants_posts_at_once()
        account = self._ask(PROFILE_FIELDS, posts=with_posts)
        profile = self._profile(account)
        posts = self._posts(account, profile, listed=with_posts)
        listing.report(posts.fault, self.context.meter)
        return Reading(
            profile=profile,
            posts=tuple(posts.posts),
            source=SOURCE,
            fetched_at=self.context.clock(),
            partial=(*posts.partial, *sorted(self.dropped)),
            posts_total=profile.posts.value,
            stop_reason=posts.stop_reason,
            listed_since=posts.listed_since,
        )

    def _wants_posts_at_once(self) -> bool:
        """Posts and their numbers come in the same call, so they are left out only when nobody
        waits for them."""
        ask = self.ask
        if not ask.post_limit:
            return False
        return ask.depth is Depth.FULL or bool(ask.due_posts) or ask.known_posts is None

    def _profile(self, account: Fields) -> Profile:
        return parse.profile(
            account,
            external_id=account.need("id"),
            handle=self.ask.handle,
            # The number that Instagram's own pages, and so the scrapers, know the account by.
            extra={"web_id": account.ident("ig_id") or ""},
        )

    def _posts(self, account: Fields, profile: Profile, *, listed: bool) -> listing.Listing:
        if not self.ask.post_limit:
            return listing.Listing(stop_reason=StopReason.LIMIT)
        if not listed and profile.posts.value == self.ask.known_posts:
            return listing.Listing(stop_reason=StopReason.UNCHANGED)
        first = (
            (account.child("media") or parse.fields_of({}, self.context, SOURCE))
            if listed
            else None
        )
        return listing.read(
            self._page, limit=self.ask.post_limit, total=profile.posts.value, first=first
        )

    def _page(self, cursor: str, size: int) -> Fields:
        self.page_size = min(self.page_size, size)
        account = self._ask((), posts=True, cursor=cursor)
        return account.child("media") or parse.fields_of({}, self.context, SOURCE)

    def _ask(self, names: Iterable[str], *, posts: bool, cursor: str = "") -> Fields:
        """The ``business_discovery`` object, asked again without what Meta refuses to send."""
        while True:
            wanted = [name for name in names if name not in self.dropped]
            if posts:
                wanted.append(self._media(cursor))
            try:
                body = self.graph.get(
                    self.context.settings["META_IG_USER_ID"],
                    fields=f"business_discovery.username({self.ask.handle}){{{','.join(wanted)}}}",
                )
            except Refusal as refusal:
                if not self._asks_for_less(refusal):
                    raise self._failure(refusal) from None
                continue
            answer = parse.fields_of(body, self.context, SOURCE).known("business_discovery", "id")
            account = answer.child("business_discovery")
            if account is None:
                raise BadResponse(
                    "the answer has no business_discovery object", field="business_discovery"
                )
            return account

    def _media(self, cursor: str) -> str:
        """The cursor goes inside ``fields``: this edge knows no query parameter."""
        page = f".after({cursor})" if cursor else ""
        names = ",".join(name for name in MEDIA_FIELDS if name not in self.dropped)
        return f"media{page}.limit({self.page_size}){{{names}}}"

    def _asks_for_less(self, refusal: Refusal) -> bool:
        """Whether a smaller question may be answered; it is made smaller here."""
        retired = refusal.retired_field
        if retired in OPTIONAL_FIELDS - self.dropped:
            self.dropped.add(retired)
            return True
        if refusal.code == 1 and "reduce the amount of data" in refusal.message:
            self.page_size //= 2
            return self.page_size >= SMALLEST_PAGE
        return False

    def _failure(self, refusal: Refusal) -> Failure:
        # 110/2207013 is the answer for unknown, renamed, personal and age-gated accounts alike.
        if refusal.code == 110 or refusal.subcode == UNKNOWN_USER:
            return NotFound(
                f"Instagram shows no professional account named {self.ask.handle}. "
                "A personal or age-restricted account looks the same from here, "
                "and so does one that was renamed."
            )
        return failure(refusal, source=SOURCE, whose=Whose.AGENCY)
