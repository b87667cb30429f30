"""What each platform tells and allows, as a page of the docs, made of what the platforms declare."""

from __future__ import annotations

from collections.abc import Iterator

from socials import platforms
from socials.platforms.kit.platform import Bucket, Platform, Source, Window

FIELDS = (
    "followers", "following", "posts", "likes", "comments", "shares", "saves", "views", "reach",
    "duration", "kind", "verified", "private",
)  # fmt: skip
WINDOWS = {
    Window.PACIFIC_DAY: "a day, reset at midnight Pacific time",
    Window.HOUR: "an hour",
    Window.MINUTE: "a minute",
}


def page() -> str:
    """The whole page in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# What each platform tells"
    yield ""
    yield "Made by `make docs` of what the platforms declare in their `platform.py`; not written by hand."
    yield "A number that a platform does not tell is null in Greenroom, never zero."
    every = [platforms.get(name) for name in platforms.PLATFORMS]
    synced = [platform for platform in every if platform.syncs]
    yield ""
    yield f"| | {' | '.join(platform.name for platform in synced)} |"
    yield f"| --- |{' --- |' * len(synced)}"
    for name in FIELDS:
        yield f"| {name} | {' | '.join(platform.tells.get(name, '') for platform in synced)} |"
    for platform in synced:
        yield from _platform(platform)
    yield ""
    yield "## Link-only"
    yield ""
    links = " and ".join(platform.name for platform in every if not platform.syncs)
    yield f"{links}: kept and shown, never read."


def _platform(platform: Platform) -> Iterator[str]:
    yield ""
    yield f"## {platform.name}"
    yield ""
    yield "| source, in the order tried | needs | accounts a call |"
    yield "| --- | --- | --- |"
    for source in platform.sources:
        yield f"| `{source.name}` | {_needs(source)} | {source.batch_size} |"
    yield ""
    for bucket in platform.buckets:
        yield f"- Quota `{bucket.name}`: {_cap(bucket)}; {bucket.keep_back:.0%} of it is kept for people."
    if platform.image_hosts:
        yield f"- Photos come from {', '.join(f'`{host}`' for host in platform.image_hosts)}."
    if platform.retention_days:
        yield f"- Data is refreshed or deleted within {platform.retention_days} days, by its terms."


def _needs(source: Source) -> str:
    if source.needs:
        instead = ", or the talent's permission" if getattr(source, "token_will_do", False) else ""
        return ", ".join(f"`{name}`" for name in source.needs) + instead
    return "to be named in the settings" if source.name == "public" else "the talent's permission"


def _cap(bucket: Bucket) -> str:
    setting = f" (`{bucket.cap_setting}`)" if bucket.cap_setting else ""
    return f"{bucket.cap:,}{setting} {WINDOWS[bucket.window]}"
