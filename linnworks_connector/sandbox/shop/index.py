"""A list of orders that is kept sorted by one of their times while they change."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from linnworks_connector.sandbox.shop.orders import Head

Key = tuple[datetime, int]


class TimeIndex:
    """Heads sorted by (time, order number), the time as `read` gives it."""

    def __init__(self, read: Callable[[Head], datetime | None], heads: Iterable[Head]) -> None:
        self._read = read
        self._rows: list[tuple[datetime, int, Head]] = sorted(
            ((when, head.number, head) for head in heads if (when := read(head)) is not None),
            key=lambda row: row[:2],
        )

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, head: Head) -> None:
        """Put a head where its time belongs; one without that time is left out."""
        when = self._read(head)
        if when is not None:
            insort(self._rows, (when, head.number, head), key=lambda row: row[:2])

    def remove(self, head: Head) -> None:
        """Take a head out. Must be called before its time changes."""
        when = self._read(head)
        if when is None:
            return
        place = bisect_left(self._rows, (when, head.number), key=lambda row: row[:2])
        if place < len(self._rows) and self._rows[place][2] is head:
            del self._rows[place]

    def between(self, start: datetime | None, end: datetime | None) -> list[Head]:
        """Return the heads whose time is from `start` to `end`, both included."""
        low = 0 if start is None else bisect_left(self._rows, start, key=lambda row: row[0])
        high = len(self._rows) if end is None else bisect_right(self._rows, end, key=lambda row: row[0])
        return [row[2] for row in self._rows[low:high]]

    def after(self, key: Key) -> Iterator[Head]:
        """Yield the heads that come after (time, order number)."""
        for place in range(bisect_right(self._rows, key, key=lambda row: row[:2]), len(self._rows)):
            yield self._rows[place][2]
