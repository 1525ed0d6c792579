"""Pulls a stream page by page, without state: records stay the bytes that the vendor sent."""

import math
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import msgspec

from .blocks import Block, Record
from .envelope import value_of
from .sinks.lines import lines_of
from .source import Source
from .state import Position
from .ways import Way

__all__ = ["Asked", "Bound", "Page", "pages_of"]


@dataclass(frozen=True, slots=True)
class Page:
    """Records that came together, each as the vendor's bytes; `pages` is how many there are, where the vendor says."""

    number: int
    records: list[bytes | msgspec.Raw] = field(repr=False)
    pages: int | None = None

    def lines(self) -> bytes:
        """Return the records as JSON Lines."""
        return lines_of(self.records)

    def decoded(self) -> list[Any]:
        """Return the records decoded."""
        return [value_of(msgspec.Raw(record)) for record in self.records]


class Bound:
    """How many records of a reading are still wanted."""

    def __init__(self, limit: int | None) -> None:
        self.left = math.inf if limit is None else float(limit)

    def __call__(self) -> float:
        """Return how many."""
        return self.left


class Asked:
    """Ids that were asked for, where another list may give the same, or the same list for another of its values.

    A hash is kept of each; none of those that nothing follows, so that the last list may be of any length.
    """

    def __init__(self, way: Way) -> None:
        lists, details = way
        self._marks: set[int] = set()
        self._kept = 0 if details is None else len(lists) - (lists[-1].for_each is None)

    def __call__(self, ids: Iterable[bytes]) -> set[bytes]:
        """Return those that were asked for."""
        return {each for each in ids if hash(each) in self._marks}

    def add(self, ids: Iterable[bytes], list_number: int) -> None:
        """Take note of ids that a list gave."""
        if list_number < self._kept:
            self._marks.update(map(hash, ids))


async def pages_of(source: Source, bound: Bound, asked: Asked) -> AsyncGenerator[Page, None]:
    """Yield pages until the stream or the bound ends; no more details are asked for than the bound needs.

    Raises what calls raise, and AnswerUnreadable when an answer has no list of records, or a page comes twice.
    """
    number = 0
    if bound.left <= 0:
        return
    async with aclosing(source.blocks(Position())) as blocks:
        async for block in blocks:
            asked.add(block.ids, source.list_number)
            if block.records or block.ids or not number:
                number += 1
                yield Page(number, _within(block, bound), block.pages)
            source.emitted(block)
            if bound.left <= 0:
                return


def _within(block: Block, bound: Bound) -> list[Record]:
    records = list(block.records)
    if len(records) > bound.left:
        records = records[: int(bound.left)]
    bound.left -= len(records)
    return records
