"""The engagement rate, by its one formula: interactions ÷ followers or views, in percent."""

from __future__ import annotations

from typing import Literal, Protocol

Basis = Literal["followers", "views"]


class Counted(Protocol):
    """A post's numbers; null is unknown, never zero."""

    @property
    def likes(self) -> int | None: ...
    @property
    def comments(self) -> int | None: ...
    @property
    def shares(self) -> int | None: ...
    @property
    def saves(self) -> int | None: ...
    @property
    def views(self) -> int | None: ...


def basis_of(platform: str) -> Basis:
    """What a post's rate is divided by: followers on Instagram, views elsewhere."""
    return "followers" if platform == "INSTAGRAM" else "views"


def interactions(post: Counted) -> int | None:
    """What people did with a post; parts that the platform doesn't tell are left out.

    None when its likes are hidden or unknown: the rest would be mistaken for the whole.
    """
    if post.likes is None:
        return None
    return sum(part or 0 for part in (post.likes, post.comments, post.shares, post.saves))


def rate(done: int | None, divisor: int | None) -> float | None:
    """Percent; None when either is unknown or the divisor is 0."""
    return round(done / divisor * 100, 4) if done is not None and divisor else None


def rate_of_post(post: Counted, *, platform: str, followers: int | None) -> float | None:
    divisor = followers if basis_of(platform) == "followers" else post.views
    return rate(interactions(post), divisor)
