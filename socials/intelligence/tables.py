"""A talent's figures as tables, for files: metrics by account, and the window's posts."""

from __future__ import annotations

from datetime import datetime, timedelta

from socials.engagement import basis_of, rate_of_post
from socials.intelligence.types import SPANS, Growth, Intelligence
from socials.models import Post
from socials.spreadsheets import Cell, time

Table = tuple[list[str], list[list[Cell]]]
PARTS = ("likes", "comments", "shares", "saves", "views", "reach")


def metrics(figures: Intelligence) -> Table:
    """One row for each account; nothing known is an empty cell. Rates and growth are in percent."""
    columns = [
        "platform", "handle", "followers", "followers_quality",
        *(f"growth_{span}d{unit}" for span in SPANS for unit in ("", "_percent")),
        "engagement_rate_by_followers", "engagement_rate_by_views", "absent_parts",
        "average_views", "median_views", "view_definitions", "posts_per_week", "window_days",
        "posts_in_window", "posts_counted", "posts_with_hidden_likes", "source", "read_at",
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [
            one.platform, one.handle, one.followers, one.followers_quality,
            *(cell for span in SPANS for cell in _growth(one.growth[f"d{span}"])),
            one.engagement_rate_by_followers, one.engagement_rate_by_views,
            " ".join(one.absent_parts), one.average_views, one.median_views,
            " ".join(one.view_definitions), one.posts_per_week, figures.days,
            one.posts_in_window, one.posts_in_sample, one.sample.hidden_likes,
            one.source, time(one.fetched_at),
        ]
        for one in figures.platforms
    ]  # fmt: skip
    return columns, rows


def posts(talent_id: int, *, days: int, now: datetime) -> Table:
    """The window's posts of all accounts, newest first. One statement."""
    columns = [
        "platform", "handle", "external_id", "kind", "posted_at", "caption", "url", *PARTS,
        "engagement_rate", "engagement_rate_basis", "read_at",
    ]  # fmt: skip
    found = (
        Post.objects.filter(
            connection__talent_id=talent_id,
            deleted_at__isnull=True,
            posted_at__gt=now - timedelta(days=days),
            posted_at__lte=now,
        )
        .select_related("connection__profile")
        .order_by("-posted_at", "-id")
    )
    rows: list[list[Cell]] = []
    for post in found:
        account = post.connection
        profile = getattr(account, "profile", None)
        rows.append(
            [
                account.platform, account.handle, post.external_id, post.kind,
                time(post.posted_at), post.caption, post.url,
                *(getattr(post, part) for part in PARTS),
                rate_of_post(
                    post,
                    platform=account.platform,
                    followers=profile.followers if profile else None,
                ),
                basis_of(account.platform), time(post.fetched_at),
            ]
        )  # fmt: skip
    return columns, rows


def _growth(growth: Growth | None) -> tuple[Cell, Cell]:
    return (growth.absolute, growth.percent) if growth else (None, None)
