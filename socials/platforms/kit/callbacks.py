"""What callbacks of all platforms share: how a message that is not the platform's is refused."""

from __future__ import annotations


class Forged(Exception):
    """Not signed by the platform, too old, or not in the documented form. Says what is wrong."""
