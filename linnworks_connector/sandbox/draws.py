"""Draws from a seeded generator: everything in the shop is invented, and the same for the same seed."""

import random


def generator(seed: int | str) -> random.Random:
    """Return a generator of its own for one purpose, so that no draw depends on what else is drawn."""
    return random.Random(seed)  # noqa: S311 - invented data; nothing here keeps a secret


def chance(rng: random.Random, share: float) -> bool:
    """Return True for `share` (0 to 1) of the draws."""
    return rng.random() < share
