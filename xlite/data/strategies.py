"""The names of the ways to split a data folder; `splits` says what each does. Imports nothing."""

LEAK_FREE = ("patient", "official", "chexnet", "unseen")
STRATEGIES = (*LEAK_FREE, "image")
RANDOM_STRATEGIES = ("patient", "image")
"""Strategies that need no list: X-Lite's own split, and the design document's of single films."""
