"""What addresses and forms tell, as values: whatever makes no sense there counts as not given."""

from __future__ import annotations


def number_of(text: str | None) -> int | None:
    """A whole number without a sign; None for anything else."""
    # 18 digits always fit the database's bigint
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None
