"""One list in one window of time: its pages fetched side by side where that can be, and given in order."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import msgspec

from connector_host.contract.answers import MeaningKind
from connector_host.contract.errors import AnswerUnreadable, CallFacts
from connector_host.contract.stream_models import CursorTokenPaging, PageNumberPaging, StreamList

from .ahead import in_order
from .answer import Answer
from .door import Look
from .envelope import page_of
from .paging import Found, Step, first_step, found_on, next_step, step_after_full, told_at
from .plan import Window, input_of
from .shape import Shape

__all__ = ["Caller", "Lists", "Part", "unreadable"]


class Caller(Protocol):
    """Calls an operation with its input; `look` takes what is wanted out of the body, for the answer's `seen`."""

    def __call__(self, operation_id: str, given: Mapping[str, Any], look: Look | None = None) -> Awaitable[Answer]:
        """Return the answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """One page of a list: the records at each of its places, and the page behind it, None where the list ends.

    `mark` tells pages apart, None for one without records.
    """

    step: Step
    groups: tuple[list[msgspec.Raw], ...] = field(repr=False)
    found: Found
    following: Step | None
    mark: int | None = None
    call: CallFacts = field(default_factory=CallFacts)

    @property
    def size(self) -> int:
        """How many records it has."""
        return sum(map(len, self.groups))


class Lists:
    """Fetches the pages of lists. `inputs` gives the fields that filters fill in, `width` how many pages at once.

    `ahead` is how many pages are asked for before it is known whether a list goes on so far. With `ids_only`, listed
    records lose everything but their ids.
    """

    def __init__(
        self,
        call: Caller,
        *,
        settings: Mapping[str, Any],
        date_format: str,
        width: int,
        ahead: int,
        inputs: Callable[[StreamList], Mapping[str, Any]],
        ids_only: bool = False,
    ) -> None:
        self._call = call
        self._settings = settings
        self._date_format = date_format
        self._width = width
        self._ahead = ahead
        self._inputs = inputs
        self._ids_only = ids_only

    async def page(self, each: StreamList, window: Window, fields: Mapping[str, Any], step: Step | None = None) -> Part:
        """Fetch one page, the first for None. Raises AnswerUnreadable when its answer has no list of records."""
        step = step or first_step(each.paging)
        asked = {**step.fields, **self._inputs(each), **fields}
        paths, told = tuple(place.path or "" for place in each.places), told_at(each.paging)
        given = input_of(each, window, self._settings, asked, self._date_format)
        answer = await self._call(each.operation, given, partial(page_of, lists=paths, told=told))
        if answer.meaning.kind is MeaningKind.END_OF_LIST or not answer.body.strip():
            return Part(step, tuple([] for _ in paths), Found(0), None, call=_facts(answer))
        try:
            groups, values = answer.seen or page_of(answer.body, paths, told)
            found = found_on(each.paging, sum(map(len, groups)), dict(zip(told, values, strict=True)))
        except ValueError as error:
            raise unreadable(answer, f"{error} in it") from None
        mark = _mark(groups)
        if self._ids_only:
            groups = [_ids_alone(each, rows) for rows in groups]
        return Part(step, tuple(groups), found, next_step(each.paging, step, found), mark, _facts(answer))

    async def pages(
        self,
        each: StreamList,
        window: Window,
        fields: Mapping[str, Any],
        *,
        start: Step | None,
        first: Part | None,
        last: Part | None = None,
    ) -> AsyncGenerator[Part, None]:
        """Yield the pages from a step on; `first` and `last` are pages by number that have come already.

        Raises AnswerUnreadable when a page comes twice: a list that leads back into itself would never end.
        """
        known: dict[int, int] = {}
        part = first or await self.page(each, window, fields, start)
        source: AsyncGenerator[Part, None]
        if part.following is None:
            source = _just(part)
        elif isinstance(each.paging, CursorTokenPaging):
            source = self._one_ahead(each, window, fields, part)
        else:
            source = self._side_by_side(each, window, fields, part, last)
        try:
            async for each_part in source:
                _check_repeat(each_part, known)
                yield each_part
        finally:
            await source.aclose()

    async def _one_ahead(
        self, each: StreamList, window: Window, fields: Mapping[str, Any], part: Part
    ) -> AsyncGenerator[Part, None]:
        """Yield pages that lead to each other, the next one being fetched while one is worked on."""
        following: asyncio.Task[Part] | None = None
        try:
            while True:
                if part.following is not None:
                    if part.found.token == part.step.fields.get(getattr(each.paging, "token", "")):
                        raise _endless(part, f"page {part.step.number} leads to itself")
                    following = asyncio.create_task(self.page(each, window, fields, part.following))
                yield part
                if following is None:
                    return
                part, following = await following, None
        finally:
            if following is not None:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    async def _side_by_side(
        self, each: StreamList, window: Window, fields: Mapping[str, Any], part: Part, known: Part | None
    ) -> AsyncGenerator[Part, None]:
        """Yield pages whose number is known before they come."""
        told = isinstance(each.paging, PageNumberPaging) and each.paging.until == "total_pages"
        width = self._width if told else min(self._width, 1 + self._ahead)
        last = part
        yield part
        while last.following is not None:
            last = replace(last, groups=())
            pages = in_order(self._jobs(each, window, fields, last, known), width)
            try:
                async for following in pages:
                    last = following
                    yield following
                    if following.following is None:
                        break
            finally:
                await pages.aclose()

    async def _jobs(
        self, each: StreamList, window: Window, fields: Mapping[str, Any], last: Part, known: Part | None
    ) -> AsyncGenerator[Callable[[], Coroutine[Any, Any, Part]], None]:
        """Yield what fetches the pages behind the last known one, as far as it tells that there are any."""
        step = last.following
        while step is not None:
            has_come = known is not None and known.step.number == step.number
            yield partial(_at_once, known) if known and has_come else partial(self.page, each, window, fields, step)
            if last.found.total_pages is not None:
                step = next_step(each.paging, step, last.found)
            else:
                step = step_after_full(each.paging, step)


def _ids_alone(each: StreamList, rows: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
    """Return rows with nothing but their ids, lest the whole answer waits in memory; as they are where one has none."""
    if each.id is None:
        return [row.copy() for row in rows]
    keys = Shape((each.id,)).keys(rows)
    if keys is None:
        return list(rows)
    steps = each.id.split(".")
    before = b"".join(b"{%s:" % msgspec.json.encode(step) for step in steps)
    return [msgspec.Raw(b"".join((before, key, b"}" * len(steps)))) for key in keys]


async def _at_once(part: Part) -> Part:
    return part


async def _just(part: Part) -> AsyncGenerator[Part, None]:
    yield part


def _mark(groups: Sequence[Sequence[msgspec.Raw]]) -> int | None:
    """Return what tells a page from others: its first and last record, as they came, and how many it has."""
    rows = next((group for group in groups if group), None)
    return None if rows is None else hash((bytes(rows[0]), bytes(rows[-1]), sum(map(len, groups))))


def _check_repeat(part: Part, known: dict[int, int]) -> None:
    """Raise where a page came before; `known` has the pages so far, by their marks."""
    if part.mark is not None and known.setdefault(part.mark, part.step.number) != part.step.number:
        raise _endless(part, f"page {part.step.number} repeats page {known[part.mark]}")


def _endless(part: Part, why: str) -> AnswerUnreadable:
    return AnswerUnreadable(
        f"The list of {part.call.operation} does not end: {why}.",
        next_step="Try again later; if it stays so, report it to the connector's author with the request id.",
        call=part.call,
    )


def _facts(answer: Answer) -> CallFacts:
    return CallFacts(answer.operation.id, request_id=answer.request_id, status=answer.status)


def unreadable(answer: Answer, why: str) -> AnswerUnreadable:
    """Return the error for an answer that does not have the form that a stream expects."""
    return AnswerUnreadable(
        f"The answer to {answer.operation.id} is not what the stream expects: {why}.",
        next_step="Report it to the connector's author with the request id.",
        call=_facts(answer),
    )
