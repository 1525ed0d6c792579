"""Pulls a stream page by page: records stay the bytes that the vendor sent."""

import copy
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connector_host.contract.answers import MeaningKind
from connector_host.contract.errors import AnswerUnreadable, CallFacts
from connector_host.contract.paths import set_path
from connector_host.contract.stream_models import Details, Stream

from .answer import Answer
from .envelope import EnvelopeError, fields_of, list_of, value_of, wanted
from .paging import Found, Step, first_step, found_on, next_step, told_at
from .plan import Window, input_of

__all__ = ["Page", "Puller"]

Caller = Callable[[str, Mapping[str, Any]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Page:
    """Records that came together, each as the vendor's bytes; `pages` is how many there are, where the vendor says."""

    number: int
    records: list[msgspec.Raw] = field(repr=False)
    pages: int | None = None

    def lines(self) -> bytes:
        """Return the records as JSON Lines; a line break can only be blank space between their parts."""
        parts = [
            part.translate(_BLANKS) if b"\n" in part or b"\r" in part else part for part in map(bytes, self.records)
        ]
        return b"".join(part + b"\n" for part in parts)

    def decoded(self) -> list[Any]:
        """Return the records decoded."""
        return [value_of(record) for record in self.records]


_BLANKS = bytes.maketrans(b"\r\n", b"  ")


class Puller:
    """One pull of one stream. `call` sends an operation; the window limits it in time."""

    def __init__(
        self, call: Caller, stream: Stream, window: Window, settings: Mapping[str, Any], date_format: str
    ) -> None:
        self._call = call
        self._stream = stream
        self._window = window
        self._settings = settings
        self._date_format = date_format

    async def pages(self, limit: int | None = None) -> AsyncIterator[Page]:
        """Yield pages until the list or the limit ends; no more are asked for than the limit needs.

        Raises AnswerUnreadable when an answer has no list of records, or a page comes twice.
        """
        if limit is not None and limit <= 0:
            return
        details = self._stream.details
        source = self._listed() if details is None else self._detailed(details, limit)
        left = limit
        async for page in source:
            if left is None:
                yield page
                continue
            yield page if len(page.records) <= left else Page(page.number, page.records[:left], page.pages)
            left -= len(page.records)
            if left <= 0:
                return

    async def _listed(self) -> AsyncIterator[Page]:
        """Yield the pages of the list, or of every list where there is one for each of some values."""
        number = 0
        async for fields in self._each():
            async for page in self._list(fields):
                number += 1
                yield Page(number, page.records, page.pages)

    async def _each(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the fields that tell one list from another."""
        each = self._stream.for_each
        if each is None:
            yield {}
            return
        answer = await self._call(each.operation, copy.deepcopy(each.input))
        for record in _rows_in(answer, each.records or ""):
            yield {each.into: _value_in(each.operation, record, each.value)}

    async def _list(self, fields: Mapping[str, Any]) -> AsyncIterator[Page]:
        """Yield the pages of one list."""
        stream, paging = self._stream, self._stream.paging
        step: Step | None = first_step(paging)
        before: tuple[msgspec.Raw | None, str | int | None] = (None, None)
        while step is not None:
            asked = {**step.fields, **fields}
            answer = await self._call(
                stream.operation, input_of(stream, self._window, self._settings, asked, self._date_format)
            )
            if answer.meaning.kind is MeaningKind.END_OF_LIST:
                return
            raw, rows, found = self._page_in(answer)
            if rows and raw == before[0]:
                raise _unreadable(answer, f"page {step.number} repeats the one before it")
            if found.token and found.token == before[1]:
                raise _unreadable(answer, f"page {step.number} leads to itself")
            before = (raw, found.token)
            yield Page(step.number, rows, found.total_pages)
            step = next_step(paging, step, found)

    def _page_in(self, answer: Answer) -> tuple[msgspec.Raw | None, list[msgspec.Raw], Found]:
        """Return the list as it came, its records, and what the answer tells about the rest."""
        if not answer.body.strip():
            return None, [], Found(0)
        records, told_path = self._stream.records or "", told_at(self._stream.paging)
        try:
            values = fields_of(answer.body, (records, told_path) if told_path else (records,))
            rows = list_of(wanted(values[records], records))
            told = value_of(values[told_path]) if told_path else None
            return values[records], rows, found_on(self._stream.paging, len(rows), told)
        except ValueError as error:
            raise _unreadable(answer, f"{error} in it") from None

    async def _detailed(self, details: Details, limit: int | None) -> AsyncIterator[Page]:
        """Yield the full records for the ids that the list gives, in batches that may span its pages."""
        ids: list[Any] = []
        number, left = 0, math.inf if limit is None else limit
        async for page in self._listed():
            ids += [_value_in(self._stream.operation, record, details.id or "") for record in page.records]
            # With a limit, what is at hand may be enough before a batch is full.
            while ids and len(ids) >= (size := int(min(details.batch, left))):
                batch, ids = ids[:size], ids[size:]
                number += 1
                full = Page(number, await self._details_of(details, batch))
                left -= len(full.records)
                yield full
                if left <= 0:
                    return
        if ids:
            yield Page(number + 1, await self._details_of(details, ids))

    async def _details_of(self, details: Details, ids: list[Any]) -> list[msgspec.Raw]:
        value = copy.deepcopy(details.input)
        set_path(value, details.ids, ids)
        return _rows_in(await self._call(details.operation, value), details.records or "")


def _rows_in(answer: Answer, path: str) -> list[msgspec.Raw]:
    """Return the records of an answer that is a whole list."""
    if answer.meaning.kind is MeaningKind.END_OF_LIST or not answer.body.strip():
        return []
    try:
        return list_of(wanted(fields_of(answer.body, (path,))[path], path))
    except EnvelopeError as error:
        raise _unreadable(answer, f"{error} in it") from None


def _value_in(operation: str, record: msgspec.Raw, path: str) -> Any:
    """Return the id in a listed record."""
    try:
        value = value_of(fields_of(record, (path,))[path])
    except EnvelopeError:
        value = None
    if value is None:
        raise AnswerUnreadable(
            f"A record in the answer to {operation} has no {path or 'id'}.",
            next_step="Report it to the connector's author.",
            call=CallFacts(operation),
        )
    return value


def _unreadable(answer: Answer, why: str) -> AnswerUnreadable:
    return AnswerUnreadable(
        f"The answer to {answer.operation.id} is not what the stream expects: {why}.",
        next_step="Report it to the connector's author with the request id.",
        call=CallFacts(answer.operation.id, request_id=answer.request_id, status=answer.status),
    )
