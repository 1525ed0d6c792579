"""Lists of a stream: for each of their values, window by window, with the position behind every page."""

import datetime
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import xxhash

from connector_host.contract.errors import ConnectorHostError, VendorFault, VendorRefused, VendorUnreachable
from connector_host.contract.stream_models import ForEach, StreamList

from .ahead import in_order
from .blocks import FATAL, Failure, Listed, Reading, Unit
from .edges import Edges
from .lists import Lists, Part
from .paging import Found, Step
from .plan import Window, takes_since, takes_until
from .shape import Shape
from .slices import Slicer
from .splice import Prefix
from .state import Position
from .steady import SteadyPages, Told
from .values import Values

__all__ = ["Listing"]

_MAY_BE_TOO_MUCH = (VendorRefused, VendorFault, VendorUnreachable)
_PASSES = 3
_TRIES = 2


@dataclass(slots=True)
class _Outcome:
    """What became of a window: `again` tells that it is to be read again, in narrower ones; `here` is its unit.

    `repeats` tells that all of it is to be read once more, as it moved, and `moving` that it changed during every pass.
    `rows` is how many records the pass under way has had so far, and
    `total` how many its first page told.
    """

    here: Position
    again: bool = False
    repeats: bool = False
    moving: bool = False
    rows: int = 0
    total: int | None = None


class Listing:
    """One list of a stream in one reading. `width` is how many first pages are fetched side by side.

    `identity` finds what tells the list's records apart, where a part of them does.
    """

    def __init__(
        self,
        each: StreamList,
        lists: Lists,
        values: Values,
        reading: Reading,
        *,
        width: int,
        identity: Shape | None,
    ) -> None:
        self._each = each
        self._lists = lists
        self._values = values
        self._reading = reading
        self._width = width
        self._identity = identity

    async def pages(self, begin: Position) -> AsyncGenerator[Listed, None]:
        """Yield the list's pages from a position on. Raises as `Source.blocks` says."""
        async with aclosing(self._units(begin)) as units:
            async for unit in units:
                here = Position(begin.list_number, unit.number, unit.known, unit.before)
                start = begin if _goes_on(unit, begin) else here
                async with aclosing(self._windows(unit, start, here)) as windows:
                    async for listed in windows:
                        yield listed

    async def _units(self, begin: Position) -> AsyncGenerator[Unit, None]:
        """Yield the list's values from the position's on; their first pages come side by side."""
        if self._each.for_each is None:
            yield Unit(0, {}, {}, None)
            return
        async with aclosing(in_order(self._first_pages(self._each.for_each, begin), self._width)) as units:
            async for unit in units:
                yield unit

    async def _first_pages(
        self, for_each: ForEach, begin: Position
    ) -> AsyncGenerator[Callable[[], Coroutine[Any, Any, Unit]], None]:
        skipped: list[Unit] = []
        digest = xxhash.xxh3_64()
        number, replayed = 0, begin.value_number == 0
        async with aclosing(self._values.of(for_each, self._reading.window)) as values:
            async for fields, kept, known in values:
                before = digest.hexdigest()
                digest.update(msgspec.json.encode(known))
                unit = Unit(number, fields, kept, known, before, digest.hexdigest())
                number += 1
                if unit.number < begin.value_number:
                    skipped.append(unit)
                    continue
                if not replayed and begin.before != before:
                    # These are not the values of the run that was broken off: none of them is passed over.
                    for passed in skipped:
                        yield partial(self._with_first_page, passed)
                replayed = True
                yield partial(_as_it_is, unit) if _goes_on(unit, begin) else partial(self._with_first_page, unit)
        if not replayed and begin.before != digest.hexdigest():
            for passed in skipped:
                yield partial(self._with_first_page, passed)

    async def _with_first_page(self, unit: Unit) -> Unit:
        if not (takes_since(self._each) or takes_until(self._each)):
            try:
                unit.first = await self._lists.page(self._each, Window(), unit.fields)
            except FATAL:
                raise
            except ConnectorHostError as error:
                unit.first = error
        return unit

    async def _windows(self, unit: Unit, start: Position, here: Position) -> AsyncGenerator[Listed, None]:
        """Yield the pages of one value's list, window by window."""
        outcome = _Outcome(here)
        timed = takes_since(self._each) or takes_until(self._each)
        slicer = Slicer.of(self._reading.window if timed else Window(), self._each.time)
        edges = Edges(self._each.time, self._identity)
        window = slicer.after(start.since if timed else None)
        if timed and start.since is not None and start.until is not None:
            window = Window(start.since, start.until)
            slicer.width = start.until - start.since
        step = _step_of(start, outcome)
        while window is not None:
            outcome.again = outcome.moving = False
            shared = not self._reading.tolerant and slicer.following(window) is not None
            edges.begin(window.until if shared else None)
            async with aclosing(self._window(unit, window, step, slicer, outcome)) as pages:
                async for listed in pages:
                    yield edges.once(listed)
            step, unit.first = None, None
            if outcome.again:
                window = slicer.after(window.since)
                continue
            window = slicer.following(window)
            edges.end()

    async def _window(
        self, unit: Unit, window: Window, step: Step | None, slicer: Slicer, outcome: _Outcome
    ) -> AsyncGenerator[Listed, None]:
        """Yield the pages of one window; what fails twice is told, or raised in a reading that is not tolerant."""
        failure: ConnectorHostError | None = None
        for _ in range(_TRIES):
            came = 0
            try:
                async with aclosing(self._passes(unit, window, step, slicer, outcome)) as parts:
                    async for part in parts:
                        came += 1
                        after = self._behind(unit, outcome, part, slicer, window)
                        yield Listed(part, self._prefixes(unit), after, pages=part.found.pages_of(self._each.paging))
            except FATAL:
                raise
            except ConnectorHostError as error:
                outcome.again = came == 0 and isinstance(error, _MAY_BE_TOO_MUCH) and slicer.halve(window)
                if not outcome.again and not self._reading.tolerant:
                    raise
                failure = error
            else:
                failure = None
                break
            if outcome.again:
                return
            step, unit.first = None, None
        if failure is not None or outcome.moving:
            nothing = Part(Step(0), tuple([] for _ in self._each.places), Found(0), None)
            told = Failure(self._name_of(unit, window), failure, window.since)
            after = self._behind(unit, outcome, nothing, slicer, window)
            yield Listed(nothing, self._prefixes(unit), after, told)

    async def _passes(
        self, unit: Unit, window: Window, step: Step | None, slicer: Slicer, outcome: _Outcome
    ) -> AsyncGenerator[Part, None]:
        """Yield the pages of one window, again from the first one where the list moved while it was read."""
        if isinstance(unit.first, ConnectorHostError):
            error, unit.first = unit.first, None
            raise error
        first: Part | None = unit.first
        steady = SteadyPages(self._each, self._lists, self._identity, careful=self._reading.tolerant)
        for _ in range(_PASSES if self._reading.tolerant else 1):
            pages = 0
            # Behind the last page lies what comes next: it is held back until it is known that this is done with.
            held: Part | None = None
            told = _told_before(step, outcome)
            async with aclosing(steady.pages(window, unit.fields, start=step, first=first)) as parts:
                async for part in parts:
                    if pages == 0 and step is None and slicer.split(window, part.found.total_pages or 0):
                        outcome.again = True
                        return
                    if pages == 0 and step is None:
                        outcome.total = part.found.total_records
                    pages += 1
                    outcome.rows += part.size
                    told.add(part.found)
                    if held is not None:
                        yield held
                    held = part if part.following is None else None
                    if held is None:
                        yield part
            first = step = None
            slicer.found(window, pages if outcome.rows else 0)
            has_moved = steady.shifted or told.moved(outcome.rows)
            outcome.repeats = has_moved and self._reading.tolerant
            if held is not None:
                yield held
            outcome.repeats = False
            if not has_moved:
                return
        outcome.moving = self._reading.tolerant

    def _behind(self, unit: Unit, outcome: _Outcome, part: Part, slicer: Slicer, window: Window) -> Position:
        """Return the position behind a page: the next page where a change would show, else the window itself.

        Nothing comes into a settled window, but what changes leaves it, and all that follows moves up. Only by the
        total does a later run see that the pages it has passed are not those of the list any more.
        """
        here = outcome.here
        if part.following is not None or outcome.repeats:
            settled = self._reading.settled
            still = window.until is not None and settled is not None and window.until <= settled
            goes_on = still and outcome.total is not None and part.step.number and not outcome.repeats
            step = _kept(part.following, outcome) if goes_on and part.following is not None else None
            return msgspec.structs.replace(here, since=window.since, until=window.until, step=step)
        following = slicer.following(window)
        if following is not None:
            return msgspec.structs.replace(here, since=following.since)
        if self._each.for_each is None:
            return Position(here.list_number + 1)
        return Position(here.list_number, here.value_number + 1, before=unit.through)

    def _prefixes(self, unit: Unit) -> tuple[Prefix, ...]:
        return tuple(Prefix({**unit.kept, **place.add}) for place in self._each.places)

    def _name_of(self, unit: Unit, window: Window) -> str:
        """Return what could not be read, for people."""
        value = f" for {_short(unit.known)}" if unit.known is not None else ""
        if window.since is None:
            return f"{self._each.operation}{value}"
        until = _written(window.until) if window.until is not None else "now"
        return f"{self._each.operation}{value} from {_written(window.since)} to {until}"


def _goes_on(unit: Unit, begin: Position) -> bool:
    """Tell whether a position stands inside this unit."""
    return unit.number == begin.value_number and unit.known == begin.known and unit.before == begin.before


def _kept(step: Step, outcome: _Outcome) -> dict[str, Any]:
    """Return a page as a position keeps it, with what the pages before it showed."""
    return {
        "number": step.number,
        "position": step.position,
        "fields": dict(step.fields),
        "rows": outcome.rows,
        "total": outcome.total,
    }


def _step_of(position: Position, outcome: _Outcome) -> Step | None:
    """Return the page that a position stands at, and note what the pages before it showed."""
    step = position.step
    if step is None or step.get("total") is None:
        return None
    outcome.rows, outcome.total = step["rows"], step["total"]
    return Step(step["number"], step["fields"], step["position"])


def _told_before(step: Step | None, outcome: _Outcome) -> Told:
    """Return what a pass begins with: one that goes on after a stop, with what the pages before it were then."""
    told = Told()
    if step is None:
        outcome.rows, outcome.total = 0, None
    else:
        told.add(Found(outcome.rows, total_records=outcome.total))
    return told


async def _as_it_is(unit: Unit) -> Unit:
    return unit


def _written(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _short(value: Any) -> str:
    return f"{len(value)} values" if isinstance(value, list) else str(value)
