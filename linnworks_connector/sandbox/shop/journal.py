"""What was really done to the shop, so that a test can prove that nothing was written twice."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple


class Effect(NamedTuple):
    """One thing that happened: when, what (`order.processed`), to which key, and who did it (`client` or `live`)."""

    at: datetime
    what: str
    key: str
    by: str


class Journal:
    """All effects since the start, in order."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.effects: list[Effect] = []
        self.actor = "client"

    def record(self, what: str, key: str) -> None:
        """Note that `what` happened to `key`."""
        self.effects.append(Effect(self._now(), what, key, self.actor))

    def count(self, what: str, key: str | None = None, *, by: str | None = None) -> int:
        """Return how often `what` happened, to `key` or to anything, by `by` or by anybody."""
        return sum(
            1
            for effect in self.effects
            if effect.what == what and key in (None, effect.key) and by in (None, effect.by)
        )

    def tally(self, *, by: str | None = None) -> Counter[tuple[str, str]]:
        """Return how often each pair of (what, key) happened."""
        return Counter((effect.what, effect.key) for effect in self.effects if by in (None, effect.by))
