"""The pages of one window, read so that it shows whether the list moved meanwhile.

Where the vendor tells how many records there are, their number shows it (see `Told`). Where it tells only how many
pages there are, a record that leaves the list moves all behind it up, and the one that moves across the edge of a page
that was read is passed over, while the pages stay as many. So the last page is asked for first, and once more when the
others have come: one that moved begins with other records. That costs two requests for a list of several pages.

It stays unseen when as many records come in before the last page as leave, between the same two requests for it.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from connector_host.contract.stream_models import Paging, StreamList

from .lists import Lists, Part
from .paging import Found, Step, step_to_compare
from .plan import Window
from .shape import Shape

__all__ = ["SteadyPages", "Told", "requests_for"]

_TO_COMPARE = 2


class SteadyPages:
    """Reads lists. `shifted` tells whether the last one moved, as far as its last page shows.

    `identity` finds what tells a list's records apart; None compares them whole. Where not `careful`, lists are read
    as they come.
    """

    def __init__(self, each: StreamList, lists: Lists, identity: Shape | None, *, careful: bool) -> None:
        self.shifted = False
        self._each = each
        self._lists = lists
        self._identity = identity
        self._careful = careful

    async def pages(
        self, window: Window, fields: Mapping[str, Any], *, start: Step | None, first: Part | None
    ) -> AsyncGenerator[Part, None]:
        """Yield the pages from a step on; one that has changed meanwhile comes again. Raises as `Lists.pages` does."""
        self.shifted = False
        first = first or await self._lists.page(self._each, window, fields, start)
        yield first
        if first.following is None:
            return
        to_compare = step_to_compare(self._each.paging, first.found) if self._careful and start is None else None
        last = None
        if to_compare is not None:
            last = await self._lists.page(self._each, window, fields, to_compare)
            again = await self._lists.page(self._each, window, fields)
            if self._records(again) != self._records(first):
                yield again
            first = again
        number = first.step.number
        pages = self._lists.pages(self._each, window, fields, start=start, first=first, last=last)
        async with aclosing(pages) as parts:
            async for part in parts:
                number = part.step.number
                if part is not first:
                    yield part
        if last is not None and number < last.step.number:
            self.shifted = True
        elif last is not None and last.step.number > first.step.number + 1:
            closing = await self._lists.page(self._each, window, fields, last.step)
            before = self._records(last)
            self.shifted = self._records(closing)[: len(before)] != before

    def _records(self, part: Part) -> list[bytes]:
        rows = [row for group in part.groups for row in group]
        keys = self._identity.keys(rows) if self._identity is not None else None
        return [bytes(row) for row in rows] if keys is None else keys


def requests_for(paging: Paging, found: Found, pages: int) -> int:
    """Return how many requests a list of so many pages takes, of which the first showed this."""
    return pages + min(_TO_COMPARE, pages - 1) if step_to_compare(paging, found) is not None else pages


class Told:
    """What the pages of one pass told about the whole list."""

    def __init__(self) -> None:
        self._pages = 0
        self._rows: int | None = None
        self._rows_differ = False
        self._first_pages: int | None = None
        self._fewest_pages: int | None = None

    def add(self, found: Found) -> None:
        """Take note of a page."""
        self._pages += 1
        if found.total_records is not None:
            self._rows_differ |= self._rows not in (None, found.total_records)
            self._rows = found.total_records
        if found.total_pages is not None:
            if self._fewest_pages is None or self._first_pages is None:
                self._first_pages = self._fewest_pages = found.total_pages
            self._fewest_pages = min(self._fewest_pages, found.total_pages)

    def moved(self, rows: int) -> bool:
        """Tell whether the list changed while its pages, with so many records, were read: as far as totals tell."""
        if self._pages < 2:  # noqa: PLR2004 -- there is nothing to compare one page with
            return False
        if self._rows is not None:
            return self._rows_differ or self._rows != rows
        return self._fewest_pages != self._first_pages
