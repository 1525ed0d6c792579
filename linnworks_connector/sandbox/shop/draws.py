"""Draws from a seeded generator."""

import random


def chance(rng: random.Random, share: float) -> bool:
    """Return True for `share` (0 to 1) of the draws."""
    return rng.random() < share
