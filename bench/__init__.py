"""Measurements: each runs by itself, compares side by side, and prints ratios. ``make bench``."""
