"""Reads a stream from the vendor, one way: its lists and details, as blocks of records in a fixed order."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec

from connector_host.contract.errors import AnswerUnreadable, CallFacts
from connector_host.contract.stream_models import Stream, StreamList

from .ahead import in_order
from .blocks import Block, Dead, Reading, Record
from .coded import blocks_of_code
from .details import DetailsReader, Given
from .envelope import fields_of, list_of, value_of
from .listing import Listing
from .lists import Lists, Part
from .plan import Window, takes_since, takes_until
from .selection import Selection
from .shape import Shape
from .slices import Slicer
from .splice import Prefix
from .state import Leftover, Position
from .surroundings import Surroundings
from .values import Values
from .ways import Way, choose_way

__all__ = ["Source"]

_SAMPLES = 5
_LISTED_AHEAD = 2
"""Pages of ids that are at hand or under way, where details follow."""
_AHEAD = 2
_MOST_FAILURES = 3
_PageNumber = tuple[int, int | None]
"""The number of a page of ids, and how many there are, where that is known."""


class Source:
    """One way to the records of a stream, for one reading. `list_number` is the list that the last block came from."""

    def __init__(
        self,
        stream: Stream,
        way: Way,
        around: Surroundings,
        *,
        selection: Selection | None = None,
        reading: Reading | None = None,
    ) -> None:
        self._stream = stream
        self._around = around
        self.lists, details = way
        self._selection = selection or Selection()
        self._reading = reading or Reading()
        # With a bound, nothing is asked for that may not be wanted.
        self._width = around.width if self._reading.most() == float("inf") else 1
        self._lists = Lists(
            around.call,
            settings=around.settings,
            date_format=around.date_format,
            # A page of ids keeps several requests for details busy.
            width=self._width if details is None else min(self._width, _LISTED_AHEAD),
            ahead=_AHEAD if self._reading.tolerant else 0,
            inputs=self._inputs,
            # Rows that windows of time share are told apart by their times too.
            ids_only=details is not None and self._reading.tolerant,
        )
        key = stream.primary_key[0] if len(stream.primary_key) == 1 and stream.each is None else None
        self._details = DetailsReader(around.call, details, around.settings, key) if details is not None else None
        self._batch = (details.batch or 1) if details is not None else 0
        keeps_keys = self._reading.tolerant
        self._batches_at_once = _beside_keys(self._width) if keeps_keys and self._batch > 1 else self._width
        self._values = Values(around.call, around.settings, self._parents)
        self._in_flight: set[bytes] = set()
        self.list_number = 0

    async def blocks(self, start: Position) -> AsyncGenerator[Block, None]:
        """Yield the stream's records from a position on, list by list.

        Raises what calls raise: always when nothing else can be read either, and in a reading that is not tolerant
        also when only a part cannot.
        """
        if self._stream.code is not None:
            async with aclosing(blocks_of_code(self._stream, self._around.coded, self._reading, start)) as blocks:
                async for block in blocks:
                    yield block
            return
        if start.pending:
            async with aclosing(in_order(self._left_over(start), self._width)) as blocks:
                async for block in blocks:
                    yield block
            start = msgspec.structs.replace(start, pending=[])
        for number, each in enumerate(self.lists):
            if number < start.list_number or self._selection.skips(each):
                continue
            self.list_number = number
            begin = start if number == start.list_number else Position(number)
            listing = Listing(
                each, self._lists, self._values, self._reading, width=self._width, identity=self._identity_in(each)
            )
            async with aclosing(self._of_list(each, listing, begin)) as blocks:
                async for block in blocks:
                    yield block

    async def sample(self, each: StreamList) -> tuple[int, list[Part]]:
        """Return how many lists one list comes in, by its values and windows, and the first pages of some of them.

        Of a parent stream's records no more are read than are sampled, and no more counted.
        """
        slicer = Slicer.of(self._reading.window if takes_since(each) or takes_until(each) else Window(), each.time)
        windows = [window] if (window := slicer.after(None)) is not None else []
        while windows and windows[-1].until is not None and (window := slicer.after(windows[-1].until)) is not None:
            windows.append(window)
        if each.for_each is None:
            return len(windows), [await self._lists.page(each, window, {}) for window in windows[:_SAMPLES]]
        parts: list[Part] = []
        number = 0
        async with aclosing(self._values.of(each.for_each, self._reading.window)) as values:
            async for fields, _, _ in values:
                for window in windows:
                    number += 1
                    if number <= _SAMPLES:
                        parts.append(await self._lists.page(each, window, fields))
                if number >= _SAMPLES and each.for_each.stream is not None:
                    break
        return number, parts

    async def ask_again(self, leftovers: Sequence[Leftover]) -> AsyncGenerator[tuple[Block, Sequence[Leftover]], None]:
        """Ask once more for ids that gave no record; yield what came, and which of them were asked for.

        Where the vendor fails on several batches in a row, the rest is left alone.
        """
        together: dict[bytes, dict[bytes, Leftover]] = {}
        for each in leftovers:
            together.setdefault(msgspec.json.encode(each.add), {})[msgspec.json.encode(each.id)] = each
        failures = 0
        for group in together.values():
            every = list(group.values())
            while every and failures < _MOST_FAILURES:
                size = self._wanted()
                some, every = every[:size], every[size:]
                block = Block([], Position())
                await self._ask([each.id for each in some], Prefix(some[0].add), block)
                failures = failures + 1 if block.barren else 0
                yield block, some

    def _of_list(self, each: StreamList, listing: Listing, begin: Position) -> AsyncGenerator[Block, None]:
        if self._details is None:
            return self._whole_records(listing, begin)
        return in_order(self._batches(each, listing, begin), self._batches_at_once)

    async def _whole_records(self, listing: Listing, begin: Position) -> AsyncGenerator[Block, None]:
        async with aclosing(listing.pages(begin)) as pages:
            async for page in pages:
                dead: list[Dead] = []
                groups = [
                    self._finished(rows, prefix, dead)
                    for rows, prefix in zip(page.part.groups, page.prefixes, strict=True)
                ]
                records = groups[0] if len(groups) == 1 else [record for group in groups for record in group]
                yield Block(
                    records,
                    page.after,
                    dead=dead,
                    failure=page.failure,
                    page=page.part.step.number,
                    pages=page.pages,
                )

    async def _left_over(self, start: Position) -> AsyncGenerator[Callable[[], Coroutine[Any, Any, Block]], None]:
        """Yield what asks for the ids that were listed, but not asked for, when a run was broken off."""
        size = self._batch or 1
        for begin in range(0, len(start.pending), size):
            batch = [(value, msgspec.json.encode(value)) for value in start.pending[begin : begin + size]]
            self._in_flight.update(raw for _, raw in batch)
            position = msgspec.structs.replace(start, pending=start.pending[begin + size :])
            yield partial(self._detailed, tuple(batch), Prefix(), position, 0, (0, None))

    async def _batches(
        self, each: StreamList, listing: Listing, begin: Position
    ) -> AsyncGenerator[Callable[[], Coroutine[Any, Any, Block]], None]:
        """Yield what asks for the details of the ids that a list gives, in batches that may span its pages.

        Ids that wait for a full batch stand in the position, so that they are asked for whatever happens.
        """
        waiting: list[tuple[Any, bytes]] = []
        after, prefix, twice = begin, Prefix(), 0
        # The page itself is not kept: its rows may be many times the size of their ids.
        number: _PageNumber = (0, None)
        async with aclosing(listing.pages(begin)) as pages:
            async for page in pages:
                before, after = after, page.after
                number = page.part.step.number, page.pages
                for rows, added in zip(page.part.groups, page.prefixes, strict=True):
                    if waiting and added.fields != prefix.fields:
                        yield partial(self._detailed, tuple(waiting), prefix, before, 0, number)
                        waiting = []
                    prefix = added
                    fresh, again = self._fresh(_ids_in(each, rows))
                    waiting, twice = waiting + fresh, twice + again
                while waiting and len(waiting) >= (size := self._wanted()):
                    batch, waiting = waiting[:size], waiting[size:]
                    rest = [value for value, _ in waiting]
                    position = before if prefix and rest else msgspec.structs.replace(after, pending=rest)
                    yield partial(self._detailed, tuple(batch), prefix, position, twice, number)
                    twice = 0
                if waiting and prefix:
                    yield partial(self._detailed, tuple(waiting), prefix, after, twice, number)
                    waiting, twice = [], 0
                if page.failure is not None:
                    rest = [value for value, _ in waiting]
                    position = msgspec.structs.replace(after, pending=rest)
                    yield partial(_ready, Block([], position, failure=page.failure))
        yield partial(self._detailed, tuple(waiting), prefix, after, twice, number)

    def _wanted(self) -> int:
        """Return how many ids the next batch has: no more than are wanted at all."""
        return int(min(self._batch or 1, max(1.0, self._reading.most())))

    async def _detailed(
        self,
        batch: Sequence[tuple[Any, bytes]],
        prefix: Prefix,
        position: Position,
        twice: int,
        page: _PageNumber,
    ) -> Block:
        """Return the records of a batch of ids."""
        number, pages = page
        block = Block([], position, ids=tuple(raw for _, raw in batch), duplicates=twice, page=number, pages=pages)
        if batch:
            await self._ask([value for value, _ in batch], prefix, block)
        return block

    def emitted(self, block: Block) -> None:
        """Take note that whoever reads the blocks knows a block's ids and has its records, which are let go of."""
        self._in_flight.difference_update(block.ids)
        block.records = ()

    async def _ask(self, ids: Sequence[Any], prefix: Prefix, block: Block) -> None:
        """Put the records of ids into a block; in a tolerant reading also what became of the others."""
        if self._details is None:
            return
        given = await (self._details.ask_apart(ids) if self._reading.tolerant else self._details.ask(ids))
        block.records = self._finished(given.records, prefix, block.dead)
        block.left = _left(given, prefix)
        block.error, block.barren = given.error, given.barren

    def _fresh(self, ids: list[tuple[Any, bytes]]) -> tuple[list[tuple[Any, bytes]], int]:
        """Return the ids that were not asked for yet, and how many were."""
        known = self._reading.known_ids([raw for _, raw in ids]) if ids else set()
        fresh = []
        for value, raw in ids:
            if raw not in known and raw not in self._in_flight:
                self._in_flight.add(raw)
                fresh.append((value, raw))
        return fresh, len(ids) - len(fresh)

    def _finished(self, rows: Sequence[msgspec.Raw], prefix: Prefix, dead: list[Dead]) -> Sequence[Record]:
        """Return the stream's records out of those that came: with what is added, and taken apart."""
        path = self._stream.each
        if path is None and not prefix:
            return rows
        found: list[Record] = []
        outer = self._stream.inherit
        for row in rows:
            try:
                if path is None:
                    found.append(prefix.on(row))
                    continue
                fields = fields_of(row, (path, *outer.values()))
                inner = Prefix({**prefix.fields, **{name: value_of(fields[field]) for name, field in outer.items()}})
                found += [inner.on(element) for element in list_of(fields[path])]
            except ValueError as error:
                dead.append(Dead(f"This is not what the stream expects: {error}.", record=bytes(row)))
        return found

    def _identity_in(self, each: StreamList) -> Shape | None:
        """Return what finds the key of a listed record, None where nothing in it is known to be one."""
        if self._details is not None:
            return Shape((each.id,)) if each.id is not None else None
        return Shape(self._stream.primary_key) if self._stream.each is None else None

    def _inputs(self, each: StreamList) -> Mapping[str, Any]:
        return self._selection.inputs_for(each, self._around.catalogue) if self._selection.inputs else {}

    async def _parents(self, name: str, window: Window) -> AsyncGenerator[Sequence[Record], None]:
        """Yield the records of a parent stream, of the same time where it can be limited."""
        stream = self._around.streams[name]
        limited = window if stream.incremental else Window()
        reading = replace(Reading(), window=limited)
        way = await choose_way(stream, self._around, reading)
        source = Source(stream, way, self._around, reading=reading)
        async with aclosing(source.blocks(Position())) as blocks:
            async for block in blocks:
                yield block.records
                source.emitted(block)


def _beside_keys(width: int) -> int:
    """Return how many batches of details are at hand or under way: one less, as keys need memory too (decided)."""
    return min(width, max(2, width - 1))


def _ids_in(each: StreamList, rows: Sequence[msgspec.Raw]) -> list[tuple[Any, bytes]]:
    """Return the id in each listed record, decoded and as JSON."""
    if not rows:
        return []
    try:
        raws = list(rows) if each.id is None else Shape((each.id,)).keys(rows)
        values = None if raws is None else msgspec.json.decode(b"".join((b"[", b",".join(raws), b"]")))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        values = None
    if values is None or None in values:
        raise AnswerUnreadable(
            f"A record in the answer to {each.operation} has no {each.id or 'id'}.",
            next_step="Report it to the connector's author.",
            call=CallFacts(each.operation),
        )
    return [(value, msgspec.json.encode(value)) for value in values]


def _left(given: Given, prefix: Prefix) -> list[Leftover]:
    return [
        *(Leftover(each, prefix.fields) for each in given.missing),
        *(Leftover(each, prefix.fields, "refused", reason) for each, reason in given.refused),
        *(Leftover(each, prefix.fields, "failed") for each in given.failed),
    ]


async def _ready(block: Block) -> Block:
    return block
