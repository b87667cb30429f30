"""What runs in the background for the ledger."""

from __future__ import annotations

from scraping import ledger


def settle_costs() -> int:
    """Correct the cost of runs that ended a little while ago."""
    return ledger.settle()
