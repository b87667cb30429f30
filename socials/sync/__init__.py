"""Bringing accounts up to date: claim, read, store, and what happens when that fails."""
