"""The envelopes that pages come in."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

Record = TypeVar("Record")


def page_of(rows: Sequence[Record], number: int, size: int) -> Sequence[Record]:
    """Return page `number` (from 1) of `size` rows."""
    start = (max(number, 1) - 1) * size
    return rows[start : start + size]


def paged(rows: Sequence[Record], number: int, size: int, show: Callable[[Record], Any]) -> dict[str, Any]:
    """Return the envelope of a page; past the end its Data is empty."""
    number, size = max(number, 1), max(size, 1)
    return {
        "PageNumber": number,
        "EntriesPerPage": size,
        "TotalEntries": len(rows),
        "TotalPages": math.ceil(len(rows) / size),
        "Data": [show(row) for row in page_of(rows, number, size)],
    }


def unique(ids: Iterable[str]) -> list[str]:
    """Return ids once each, in the order given."""
    return list(dict.fromkeys(ids))
