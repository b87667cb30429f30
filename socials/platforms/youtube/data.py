"""The source ``youtube_data``: fifty channels a call, and no more calls than their news are worth.

A full reading lists a channel's uploads and reads each video. A cheap one takes subscribers and the
number of videos of fifty channels from one unit, lists uploads only where that number moved, and
reads the numbers of new and of due videos fifty at a time, whichever channel they are of, from the
bucket that ``videos.batchGetStats`` has for itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scraping.errors import (
    BadResponse,
    Failure,
    Internal,
    NotFound,
    PermissionMissing,
    PrivateAccount,
)
from scraping.handles import CHANNEL_ID
from scraping.types import Post, Profile
from scraping.wire import Fields
from socials.handles.youtube import youtube_filter
from socials.platforms.kit.platform import Outcome
from socials.platforms.youtube import parse
from socials.platforms.youtube.api import MOST, Api
from socials.platforms.youtube.failures import PLATFORM, SOURCE, STATS, UNITS
from socials.platforms.youtube.listing import BEGINNING, Listing, calls, listed, most_pages
from socials.platforms.youtube.parse import Entry
from socials.types import Ask, Context, Depth, Reading, StopReason, Token

METRICS = ("views", "likes", "comments")
LISTED = "listed"
"""In ``Profile.extra``: ids of the newest videos that were listed, to tell new ones from known."""
MOST_SPLITS = 16
"""Calls that looking for the ids which spoil a batch may cost."""
CONFIRMED_AT_ONCE = MOST
"""Videos of one batch that are asked for once more before they are said to be gone."""
NEW_AT_ONCE = 4 * MOST
"""New videos of one cheap batch whose numbers are read at once; the rest follows in an hour."""

# Refusals that may be one id's fault, when many were asked for.
ABOUT_AN_ID = (Internal, NotFound, PrivateAccount, PermissionMissing)


class YouTubeData:
    """The Data API v3 with the agency's key, and with a talent's token for who she is.

    Where the agency has no key, each talent's token reads all of her own channel.
    """

    name = SOURCE
    needs: tuple[str, ...] = ("YOUTUBE_API_KEY",)
    token_will_do = True
    batch_size = MOST

    def can_read(self, ask: Ask) -> bool:
        return bool(ask.handle or ask.external_id or ask.token)

    def price(self, asks: Sequence[Ask]) -> Mapping[str, int]:
        """The dearest course: nothing known, every channel has news, every page is needed."""
        full = [ask for ask in asks if ask.depth is Depth.FULL]
        cheap = [ask for ask in asks if ask.depth is Depth.CHEAP]
        together = sum(1 for ask in asks if _channel_id(ask))
        units = calls(together) + len(asks) - together
        units += sum(most_pages(ask.post_limit) + calls(ask.post_limit) for ask in full)
        units += sum(most_pages(_cheap_limit(ask)) for ask in cheap)
        if not cheap:
            return {UNITS: units}
        due = sum(len(ask.due_posts) for ask in cheap)
        new = min(sum(min(ask.post_limit, MOST) for ask in cheap), NEW_AT_ONCE)
        return {UNITS: units + bool(due or new), STATS: calls(due + new)}

    def read_many(self, asks: Sequence[Ask], context: Context) -> Iterator[Outcome]:
        if context.settings.get("YOUTUBE_API_KEY"):
            yield from _Batch(tuple(asks), context).read()
            return
        for ask in asks:  # nobody is read with another's permission
            yield from _Batch((ask,), context, token=ask.token).read()


def _cheap_limit(ask: Ask) -> int:
    """New videos are on the first page; whose listing is not known is listed as at first."""
    return min(ask.post_limit, MOST) if ask.extra.get(LISTED) else ask.post_limit


def _channel_id(ask: Ask) -> str:
    """The id by which this ask can be read together with others; "" when it needs its own call.

    A full reading with a token asks who the token is of; the schedule doesn't, for that would be a
    unit for each channel. (A grant that has ended shows when its token is refreshed.)
    """
    if ask.token is not None and (ask.depth is Depth.FULL or not ask.external_id):
        return ""
    known = ask.external_id or ask.handle
    return known if CHANNEL_ID.fullmatch(known) else ""


@dataclass(slots=True)
class _Cheap:
    """A cheap reading under way: its channel is read, the numbers of its videos are not yet."""

    ask: Ask
    profile: Profile
    listing: Listing
    new: list[Entry]


class _Batch:
    """The asks of one call, read together."""

    def __init__(
        self, asks: tuple[Ask, ...], context: Context, *, token: Token | None = None
    ) -> None:
        self.asks = asks
        self.context = context
        self.api = Api(context, token=token.access_token if token else "")
        self.splits = MOST_SPLITS

    def read(self) -> Iterator[Outcome]:
        known = self._together()
        waiting: list[_Cheap] = []
        for ask, came in self.context.concurrently(
            lambda ask: (ask, self._begun(ask, known)), self.asks
        ):
            if isinstance(came, _Cheap):
                waiting.append(came)
            else:
                yield ask, came
        yield from self._finished(waiting)

    # --- channels ---

    def _together(self) -> dict[str, Fields | Failure]:
        """Every channel whose id is known, fifty a call; those that YouTube left out are absent."""
        ids = list(dict.fromkeys(filter(None, map(_channel_id, self.asks))))
        found: dict[str, Fields | Failure] = {}
        for batch in _batches(ids):
            found |= self._split(batch)
        return found

    def _split(self, ids: Sequence[str]) -> dict[str, Fields | Failure]:
        """Ask for channels; where one id may have spoilt it for all, ask for the halves."""
        try:
            found = self.api.channels_by_id(ids)
        except Failure as refused:
            if len(ids) == 1 or not isinstance(refused, ABOUT_AN_ID) or self.splits < 2:
                return dict.fromkeys(ids, refused)
            self.splits -= 2
            half = len(ids) // 2
            return self._split(ids[:half]) | self._split(ids[half:])
        return {channel_id: item for item in found if (channel_id := _id_of(item))}

    def _begun(self, ask: Ask, known: Mapping[str, Fields | Failure]) -> Reading | Failure | _Cheap:
        try:
            item = self._channel(ask, known)
            profile = parse.channel(item, ask.handle or ask.external_id)
            if ask.depth is Depth.CHEAP:
                return self._cheaply(ask, profile)
            return self._fully(ask, profile)
        except Failure as failure:
            # Others may have been given this very failure: theirs must not change with ours.
            own = copy.copy(failure)
            own.platform, own.source = PLATFORM, SOURCE
            return own

    def _channel(self, ask: Ask, known: Mapping[str, Fields | Failure]) -> Fields:
        """The channel resource of an ask. Raises Failure."""
        channel_id = _channel_id(ask)
        if channel_id:
            item = known.get(channel_id)
        elif ask.token is not None:
            item = self._own(ask, ask.token.access_token)
        else:
            parameter, name = youtube_filter(ask.handle)
            item = next(iter(self.api.channels_by_name(parameter, name)), None)
        if isinstance(item, Failure):
            raise item
        if item is None:
            raise NotFound(
                f"YouTube shows no channel {ask.handle or channel_id}. It may be closed, private, or have another handle now.",
                platform=PLATFORM,
                source=SOURCE,
            )
        return item

    def _own(self, ask: Ask, token: str) -> Fields:
        found = Api(self.context, token=token).own_channels()
        if not found:
            raise NotFound(
                "The Google account that gave its permission has no YouTube channel.",
                platform=PLATFORM,
                source=SOURCE,
            )
        return next((item for item in found if _id_of(item) == ask.external_id), found[0])

    # --- everything ---

    def _fully(self, ask: Ask, profile: Profile) -> Reading:
        listing = listed(self.api, profile, ask.post_limit)
        entries = {entry.video_id: entry for entry in listing.entries}
        posts = self._videos(list(entries), listing)
        return self._reading(ask, profile, listing, posts)

    def _videos(self, ids: Sequence[str], listing: Listing) -> list[Post]:
        """The videos of a listing. Those that were listed and are not there are not public."""
        posts: dict[str, Post] = {}
        for batch in _batches(ids):
            try:
                posts |= _posts(self.api.videos(batch), parse.video, self.context.clock())
            except Failure:
                if not posts:
                    raise
                listing.stop, listing.since = StopReason.FAULT, None
                break
        if ids and not posts:
            # Not one of them: that is an odd answer and no proof that all were deleted.
            listing.stop, listing.since = StopReason.FAULT, None
        listing.entries = [entry for entry in listing.entries if entry.video_id in posts]
        return [posts[video_id] for video_id in ids if video_id in posts]

    # --- only the news ---

    def _cheaply(self, ask: Ask, profile: Profile) -> _Cheap:
        total = profile.posts.value
        if ask.known_posts is not None and total == ask.known_posts:
            return _Cheap(ask, profile, Listing(stop=StopReason.UNCHANGED), [])
        listing = listed(self.api, profile, _cheap_limit(ask))
        known = set(ask.extra.get(LISTED, "").split())
        return _Cheap(
            ask, profile, listing, [e for e in listing.entries if e.video_id not in known]
        )

    def _finished(self, waiting: Sequence[_Cheap]) -> Iterator[Outcome]:
        """Read the numbers of all their videos together; a fault costs the numbers, no more."""
        if not waiting:
            return
        new = {entry.video_id: entry for cheap in waiting for entry in cheap.new}
        due = dict.fromkeys(video_id for cheap in waiting for video_id in cheap.ask.due_posts)
        wanted = list(dict.fromkeys([*list(new)[:NEW_AT_ONCE], *due]))
        posts, unread = self._stats(wanted, new)
        missing = [video_id for video_id in wanted if video_id not in posts.keys() | unread]
        found, gone = self._confirmed(missing)
        posts |= found
        for cheap in waiting:
            yield cheap.ask, self._cheap_reading(cheap, posts, unread, gone)

    def _stats(
        self, ids: Sequence[str], new: Mapping[str, Entry]
    ) -> tuple[dict[str, Post], set[str]]:
        """The videos by their id, and the ids that could not be asked for."""
        posts: dict[str, Post] = {}
        unread: set[str] = set()
        read_at = self.context.clock()

        def parsed(item: Fields, *, read_at: datetime) -> Post | None:
            return parse.stat(item, new.get(_id_of(item)), read_at=read_at)

        def asked(batch: Sequence[str]) -> tuple[Sequence[str], list[Fields] | None]:
            try:
                return batch, self.api.stats(batch)
            except Failure:
                return batch, None

        for batch, items in self.context.concurrently(asked, list(_batches(ids))):
            if items is None:
                unread.update(batch)
            else:
                posts |= _posts(items, parsed, read_at)
        return posts, unread

    def _confirmed(self, ids: Sequence[str]) -> tuple[dict[str, Post], set[str]]:
        """Those of the missing videos that exist all the same, and those that are gone for sure."""
        asked = ids[:CONFIRMED_AT_ONCE]
        if not asked:
            return {}, set()
        try:
            found = _posts(self.api.videos(asked), parse.video, self.context.clock())
        except Failure:
            return {}, set()
        return found, set(asked) - found.keys()

    def _cheap_reading(
        self, cheap: _Cheap, posts: Mapping[str, Post], unread: set[str], gone: set[str]
    ) -> Reading:
        new = {entry.video_id: entry for entry in cheap.new if entry.video_id not in gone}
        wanted = [*new, *(i for i in dict.fromkeys(cheap.ask.due_posts) if i not in new)]
        mine = [
            posts[video_id] if video_id in posts else parse.listed_only(new[video_id])
            for video_id in wanted
            if video_id in posts or video_id in new
        ]
        reading = self._reading(cheap.ask, cheap.profile, cheap.listing, mine)
        return replace(
            reading,
            partial=(*reading.partial, *(METRICS if unread.intersection(wanted) else ())),
            listed_posts=tuple(entry.video_id for entry in cheap.listing.entries),
            gone_posts=tuple(i for i in dict.fromkeys(cheap.ask.due_posts) if i in gone),
        )

    # --- both ---

    def _reading(
        self, ask: Ask, profile: Profile, listing: Listing, posts: Iterable[Post]
    ) -> Reading:
        newest = " ".join(entry.video_id for entry in listing.entries[:MOST])
        return Reading(
            profile=replace(
                profile, extra={**profile.extra, LISTED: newest or ask.extra.get(LISTED, "")}
            ),
            posts=tuple(sorted(posts, key=lambda p: p.posted_at or BEGINNING, reverse=True)),
            source=SOURCE,
            fetched_at=self.context.clock(),
            partial=listing.partial,
            posts_total=profile.posts.value,
            stop_reason=listing.stop,
            listed_since=listing.since,
        )


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), MOST):
        yield ids[start : start + MOST]


def _id_of(item: Fields) -> str:
    """The id of a resource; "" for an odd one."""
    try:
        return item.ident("id") or ""
    except BadResponse:
        return ""


def _posts(
    items: Iterable[Fields], parsed: Callable[..., Post | None], read_at: datetime
) -> dict[str, Post]:
    found = (parsed(item, read_at=read_at) for item in items)
    return {post.external_id: post for post in found if post is not None}
