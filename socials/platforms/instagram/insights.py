"""Media insights: metrics that only the owner's token may read, asked post by post.

One metric that Meta does not take for a post refuses the whole call, so a refused call is asked
again in halves until the odd metric stands alone. What is learnt for one kind of post serves the
next ones of the same reading.
Reference: https://developers.facebook.com/docs/instagram-platform/reference/instagram-media/insights
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from scraping.errors import BadResponse, Failure, PlatformUnavailable
from scraping.types import Count, Post, PostKind
from socials.platforms.instagram import listing, parse
from socials.platforms.instagram.failures import GONE, Whose, failure, is_permission
from socials.platforms.instagram.graph import Graph, Refusal

SCOPE = "instagram_business_manage_insights"
BEFORE_CONVERSION = 2108006
FAULTS_BEFORE_GIVING_UP = 3

# Meta's name of a metric → ours. The documents list which product takes which.
NAMES = {"views": "views", "reach": "reach", "saved": "saves", "shares": "shares"}
METRICS = {PostKind.STORY: ("views", "reach", "shares")}
DEFAULT_METRICS = ("views", "reach", "saved", "shares")

TOO_FEW_VIEWERS = "Too few people saw this for Instagram to share its insights."
TOO_OLD = "Posted before the account became professional: Instagram has no insights for it."
NOT_SHOWN = "Instagram does not show this post's insights to us."


class _Impossible(Exception):
    """This post has no insights, for the reason in its words; others may have."""


@dataclass(slots=True)
class Insights:
    """The insights of one account's posts. Safe to use from several threads."""

    graph: Graph
    partial: set[str] = field(default_factory=set)
    """``insights`` when they stopped altogether, or a metric that no post of a kind takes."""
    fault: Failure | None = None
    _unsupported: defaultdict[PostKind, set[str]] = field(default_factory=lambda: defaultdict(set))
    _successes: int = 0
    _faults: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def fill(self, posts: Sequence[Post]) -> list[Post]:
        """The same posts with views, reach, saves and shares where Instagram tells them.

        One of each kind goes ahead: what it finds out spares the others, asked side by side, their
        vain calls.
        """
        firsts = {post.kind: post.external_id for post in reversed(posts)}
        ahead = set(firsts.values())
        filled: dict[str, Post] = {}
        for wave in (
            [post for post in posts if post.external_id in ahead],
            [post for post in posts if post.external_id not in ahead],
        ):
            done = self.graph.context.concurrently(self._filled, wave)
            filled |= {post.external_id: post for post in done}
        return [filled[post.external_id] for post in posts]

    def _filled(self, post: Post) -> Post:
        wanted = self._wanted(post)
        if self.graph.full_until is not None:
            self.partial.add("insights")
        if "insights" in self.partial:
            return _without(post, wanted, "")
        try:
            values, refused = self._values(post, wanted)
        except _Impossible as reason:
            return _without(post, wanted, str(reason))
        except BadResponse as odd:
            return _without(post, wanted, odd.detail)
        except Failure as failed:
            self._note(failed)
            return _without(post, wanted, failed.detail)
        answered = len(refused) < len(wanted)
        self._count(answered=answered)
        if answered:
            self._learn(post.kind, refused)
        return _with(_without(post, refused, ""), values)

    def _values(self, post: Post, wanted: list[str]) -> tuple[dict[str, int], list[str]]:
        """Values by Meta's name, and the metrics refused for this post.

        Raises _Impossible or Failure.
        """
        values: dict[str, int] = {}
        refused: list[str] = []
        questions = [wanted]
        while questions:
            metrics = questions.pop()
            try:
                body = self.graph.get(f"{post.external_id}/insights", metric=",".join(metrics))
            except Refusal as refusal:
                self._sort_out(refusal)
                if len(metrics) > 1:
                    half = len(metrics) // 2
                    questions += [metrics[half:], metrics[:half]]
                else:
                    refused += metrics
            else:
                values |= parse.insight_values(
                    parse.fields_of(body, self.graph.context, self.graph.source, "insights")
                )
        return values, refused

    def _wanted(self, post: Post) -> list[str]:
        metrics = METRICS.get(post.kind, DEFAULT_METRICS)
        return [name for name in metrics if name not in self._unsupported[post.kind]]

    def _learn(self, kind: PostKind, refused: Iterable[str]) -> None:
        with self._lock:
            self._unsupported[kind].update(refused)
            self.partial.update(NAMES[name] for name in refused)

    def _sort_out(self, refusal: Refusal) -> None:
        """Return for a metric that is not taken. Raises _Impossible or Failure for all else."""
        if refusal.subcode == BEFORE_CONVERSION:
            raise _Impossible(TOO_OLD) from None
        if refusal.code == 10 and "viewers" in refusal.message.lower():
            raise _Impossible(TOO_FEW_VIEWERS) from None
        if refusal.code == 100 and refusal.subcode == GONE:
            raise _Impossible(NOT_SHOWN) from None
        if refusal.code == 100 and not refusal.transient:
            return
        if is_permission(refusal) and self._successes:
            raise _Impossible(NOT_SHOWN) from None
        raise failure(refusal, source=self.graph.source, whose=Whose.TALENT) from None

    def _count(self, *, answered: bool) -> None:
        """Posts that are refused every metric, one after the other, end it too."""
        with self._lock:
            self._successes += answered
            self._faults = 0 if answered else self._faults + 1
            if self._faults >= FAULTS_BEFORE_GIVING_UP:
                self.partial.add("insights")

    def _note(self, failed: Failure) -> None:
        """A limit, a dead token or a missing permission ends it; a fault does when it repeats."""
        with self._lock:
            self._faults += 1
            passing = isinstance(failed, PlatformUnavailable)
            self.fault = failed
            if not passing or self._faults >= FAULTS_BEFORE_GIVING_UP:
                self.partial.add("insights")
        listing.report(failed, self.graph.context.meter)


def _with(post: Post, values: dict[str, int]) -> Post:
    counts = {NAMES[name]: Count.exact(value) for name, value in values.items() if name in NAMES}
    definition = parse.INSIGHT_VIEWS if "views" in counts else post.view_definition
    return replace(post, **counts, view_definition=definition)  # type: ignore[arg-type]


def _without(post: Post, metrics: Iterable[str], note: str) -> Post:
    names = (NAMES[name] for name in metrics)
    return replace(post, partial=(*post.partial, *names), note=(post.note or note)[:300])
